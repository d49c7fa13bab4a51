import { useEffect, useState } from "react";
import type { Failure } from "../answers";
import { CodeField } from "../parts/code-field";
import { DialogueStep } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { NameField } from "../parts/name-field";
import { _ } from "../translate";

interface BeginStepProps {
    first: boolean;
    name: string;
    setName: (name: string) => void;
    busy: boolean;
    failure: Failure | null;
    /** Proof: a code of a device that is there; empty for a first one. */
    submit: (proof: string) => void;
    cancel: () => void;
}

export function BeginStep({ first, name, setName, busy, failure, submit, cancel }: BeginStepProps) {
    const [proof, setProof] = useState("");
    // It is spent, or was wrong.
    useEffect(() => {
        setProof("");
    }, [failure]);
    return (
        <DialogueStep
            title={first ? _("Enable two-factor login") : _("Add device")}
            action={_("Next")}
            busy={busy}
            blocked={name.trim() === "" || (!first && proof.trim() === "")}
            submit={() => submit(proof.trim())}
            cancel={cancel}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            <p>
                {first
                    ? _(
                          "You need an authenticator app, for example on your phone. If you have none, search for “authenticator” in its app store: any app that scans QR codes for two-factor login will do.",
                      )
                    : _("With a second device you can log in when the first one is lost or broken.")}
            </p>
            <NameField id="device-name" value={name} onChange={setName} />
            {!first && (
                <CodeField
                    id="proof"
                    value={proof}
                    onChange={setProof}
                    recovery
                    invalid={failure !== null}
                    help={_("The code that a device shows which you have already, or a recovery code.")}
                />
            )}
        </DialogueStep>
    );
}
