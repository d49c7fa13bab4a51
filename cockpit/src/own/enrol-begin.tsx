import { useEffect, useState } from "react";
import type { Failure } from "../answers";
import { ProofField } from "../parts/code-field";
import { DialogueStep } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { NameField } from "../parts/name-field";
import { _ } from "../translate";

interface BeginStepProps {
    title: string;
    explained: string;
    first: boolean;
    name: string;
    setName: (name: string) => void;
    busy: boolean;
    failure: Failure | null;
    /** Proof: a code of a device that is there; empty for a first one. */
    submit: (proof: string) => void;
    cancel: () => void;
}

export function BeginStep({ title, explained, first, name, setName, busy, failure, submit, cancel }: BeginStepProps) {
    const [proof, setProof] = useState("");
    // It is spent, or was wrong.
    useEffect(() => {
        setProof("");
    }, [failure]);
    return (
        <DialogueStep
            title={title}
            action={_("Next")}
            busy={busy}
            blocked={name.trim() === "" || (!first && proof.trim() === "")}
            submit={() => submit(proof.trim())}
            cancel={cancel}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            <p>{explained}</p>
            <NameField id="device-name" value={name} onChange={setName} />
            {!first && <ProofField value={proof} onChange={setProof} invalid={failure !== null} />}
        </DialogueStep>
    );
}
