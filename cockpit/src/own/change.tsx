import { useState } from "react";
import type { Failure, Outcome, Done } from "../answers";
import { run } from "../command";
import { ProofField } from "../parts/code-field";
import { DialogueStep } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { NameField } from "../parts/name-field";
import { fill, _ } from "../translate";
import type { Asked, DialogueProps } from "./dialogues";
import { CHANGED_ELSEWHERE } from "./status";

type Change = Extract<Asked, { dialogue: "rename" | "remove" | "disable" }>;

/** A change that a code is wanted for: another name, one device less, none at all. */
export function ChangeStep({ asked, close, read }: DialogueProps & { asked: Change }) {
    const [code, setCode] = useState("");
    const [name, setName] = useState(asked.dialogue === "rename" ? asked.name : "");
    const [busy, setBusy] = useState(false);
    const [failure, setFailure] = useState<Failure | null>(null);
    const { title, action, explained, done } = words(asked);
    const renames = asked.dialogue === "rename";

    const submit = async (): Promise<void> => {
        setBusy(true);
        const outcome = await make(asked, name.trim(), code.trim());
        setBusy(false);
        setCode("");
        if (outcome.ok) {
            close({ title: done, texts: outcome.answer.warnings });
            return;
        }
        setFailure(outcome.failure);
        if (CHANGED_ELSEWHERE.has(outcome.failure.code)) void read();
    };

    return (
        <DialogueStep
            title={title}
            action={action}
            isDanger={!renames}
            busy={busy}
            blocked={code.trim() === "" || (renames && name.trim() === "")}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            {explained !== null && <p>{explained}</p>}
            {renames && <NameField id="device-name" value={name} onChange={setName} />}
            <ProofField value={code} onChange={setCode} invalid={failure !== null} />
        </DialogueStep>
    );
}

function make(asked: Change, name: string, code: string): Promise<Outcome<Done>> {
    const input = [code];
    switch (asked.dialogue) {
        case "rename":
            return run("rename", { words: ["--", asked.name, name], input });
        case "remove":
            return run("remove", { words: ["--", asked.name], input });
        case "disable":
            return run("disable", { input });
    }
}

interface Words {
    title: string;
    action: string;
    explained: string | null;
    done: string;
}

function words(asked: Change): Words {
    switch (asked.dialogue) {
        case "rename":
            return {
                title: fill(_("Rename “$name”"), { name: asked.name }),
                action: _("Rename"),
                explained: null,
                done: _("The device has its new name."),
            };
        case "remove":
            return {
                title: fill(_("Remove “$name”"), { name: asked.name }),
                action: _("Remove"),
                explained: _("Codes of this device will no longer let you in. Delete the entry in its app afterwards."),
                done: _("The device was removed."),
            };
        case "disable":
            return {
                title: _("Disable two-factor login"),
                action: _("Disable two-factor login"),
                explained: _(
                    "All devices and recovery codes are forgotten. Then your password alone lets you in, or, where two-factor login is required, nothing does: if in doubt, ask an administrator first.",
                ),
                done: _("Two-factor login is off."),
            };
    }
}
