import { useState } from "react";
import type { Failure } from "../answers";
import { run } from "../command";
import { ProofField } from "../parts/code-field";
import { DialogueStep } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { _ } from "../translate";
import type { DialogueProps } from "./dialogues";
import { StoredCodes } from "./stored-codes";
import { CHANGED_ELSEWHERE } from "./status";

/** New recovery codes, for a code. */
export function RecoverySteps({ user, close, read }: DialogueProps & { user: string }) {
    const [code, setCode] = useState("");
    const [busy, setBusy] = useState(false);
    const [failure, setFailure] = useState<Failure | null>(null);
    const [codes, setCodes] = useState<string[] | null>(null);

    const submit = async (): Promise<void> => {
        setBusy(true);
        const outcome = await run("recovery", { input: [code.trim()] });
        setBusy(false);
        setCode("");
        if (outcome.ok) {
            setCodes(outcome.answer.recovery_codes);
            return;
        }
        setFailure(outcome.failure);
        if (CHANGED_ELSEWHERE.has(outcome.failure.code)) void read();
    };

    if (codes !== null) {
        const done = (): void => close({ title: _("There are new recovery codes. The earlier ones are void.") });
        return <StoredCodes title={_("New recovery codes")} codes={codes} user={user} done={done} />;
    }
    return (
        <DialogueStep
            title={_("New recovery codes")}
            action={_("Make new codes")}
            busy={busy}
            blocked={code.trim() === ""}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            <p>{_("Ten new recovery codes are made. The earlier ones are void from then on.")}</p>
            <ProofField value={code} onChange={setCode} invalid={failure !== null} />
        </DialogueStep>
    );
}
