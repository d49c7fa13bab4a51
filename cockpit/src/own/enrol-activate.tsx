import { useEffect, useState } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import type { Enrolment, Failure } from "../answers";
import { CodeField } from "../parts/code-field";
import { DialogueStep } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { Key } from "../parts/key";
import { sentence } from "../parts/words";
import { _ } from "../translate";

/** After these no code helps: what was begun is not there any more. */
const OVER: ReadonlySet<string> = new Set(["no_pending", "pending_expired", "pending_replaced", "enrolled"]);

interface ActivateStepProps {
    title: string;
    /** Below the field for the code. */
    help: string;
    /** Null if its key is not known here. */
    enrolment: Enrolment | null;
    busy: boolean;
    failure: Failure | null;
    submit: (code: string) => void;
    again: () => void;
    cancel: () => void;
}

export function ActivateStep({ title, help, enrolment, busy, failure, submit, again, cancel }: ActivateStepProps) {
    const [code, setCode] = useState("");
    useEffect(() => {
        setCode("");
    }, [failure]);
    const over = failure !== null && OVER.has(failure.code);
    return (
        <DialogueStep
            title={title}
            action={over ? _("Start again") : _("Activate")}
            busy={busy}
            blocked={!over && code.trim() === ""}
            submit={() => (over ? again() : submit(code.trim()))}
            cancel={cancel}
        >
            {!over && enrolment !== null && (
                <>
                    {enrolment.warnings.map((text) => (
                        <Alert key={text} isInline isPlain variant="info" component="p" title={sentence(text)} />
                    ))}
                    <p>{_("Scan the QR code with the app, or type the key into it.")}</p>
                    <Key token={enrolment.token} />
                </>
            )}
            {failure !== null && <FailureAlert failure={failure} />}
            {!over && (
                <CodeField
                    id="first-code"
                    value={code}
                    onChange={setCode}
                    invalid={failure !== null}
                    help={help}
                />
            )}
        </DialogueStep>
    );
}
