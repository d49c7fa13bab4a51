import { useState } from "react";
import type { Confirmed, Enrolment, Failure, Pending } from "../answers";
import { run } from "../command";
import { fill, _ } from "../translate";
import type { DialogueProps } from "./dialogues";
import { BeginStep } from "./enrol-begin";
import { ActivateStep } from "./enrol-activate";
import { CHANGED_ELSEWHERE, isSame, tellOthers, waiting, type Begun } from "./status";
import { StoredCodes } from "./stored-codes";

interface EnrolProps extends DialogueProps {
    /** Whether it is switched on by this, or there is a device already. */
    first: boolean;
    /** The device that goes when the new one comes. */
    replaces?: string | null;
    /** What was begun elsewhere, to be gone on with; its key is not known here. */
    pending?: Pending;
}

type Step =
    | { at: "begin" }
    | { at: "activate"; enrolment: Enrolment | null; begun: Begun }
    | { at: "codes"; confirmed: Confirmed; codes: string[] };

/** A new device, in steps: its name; its key and first code; recovery codes if it is the first. */
export function EnrolSteps({ first, replaces = null, pending, close, read }: EnrolProps) {
    const [step, setStep] = useState<Step>(
        pending === undefined ? { at: "begin" } : { at: "activate", enrolment: null, begun: pending },
    );
    const [name, setName] = useState(first ? "phone" : (replaces ?? ""));
    const [busy, setBusy] = useState(false);
    const [failure, setFailure] = useState<Failure | null>(null);
    const { title, explained, help, done } = words(first, replaces);

    const failed = (found: Failure): void => {
        setFailure(found);
        if (CHANGED_ELSEWHERE.has(found.code)) void read();
    };

    const begin = async (proof: string): Promise<void> => {
        setBusy(true);
        const input = first ? [] : [proof];
        const place = replaces === null ? [] : [`--replace=${replaces}`];
        const outcome = await run("enroll", { words: [`--name=${name.trim()}`, ...place], input });
        // Whatever it was refused for: what a record asks for is not asked here.
        const late = !outcome.ok && first && (await isOn());
        setBusy(false);
        if (!outcome.ok) return failed(late ? { ...outcome.failure, code: "enrolled" } : outcome.failure);
        const { token, expires } = outcome.answer;
        setFailure(null);
        setStep({ at: "activate", enrolment: outcome.answer, begun: { name: token.name, expires } });
    };

    const activate = async (begun: Begun, code: string): Promise<void> => {
        setBusy(true);
        const outcome = await run("confirm", { input: [code] });
        const other = outcome.ok ? null : await waiting();
        const replaced = other !== null && !isSame(other, begun);
        setBusy(false);
        if (outcome.ok) {
            setFailure(null);
            tellOthers();
            const codes = outcome.answer.recovery_codes;
            if (codes === null) close({ title: done, texts: outcome.answer.warnings });
            else setStep({ at: "codes", confirmed: outcome.answer, codes });
        } else if (replaced) {
            failed({ ...outcome.failure, code: "pending_replaced" });
        } else {
            failed(outcome.failure);
        }
    };

    const cancel = async (begun: Begun): Promise<void> => {
        setBusy(true);
        // What another window has begun is not ours to end.
        const pending = await waiting();
        if (pending !== null && isSame(pending, begun)) await run("cancel");
        close();
    };

    const again = (): void => {
        setFailure(null);
        setStep({ at: "begin" });
    };

    switch (step.at) {
        case "begin":
            return (
                <BeginStep
                    title={title}
                    explained={explained}
                    first={first}
                    name={name}
                    setName={setName}
                    busy={busy}
                    failure={failure}
                    submit={(proof) => void begin(proof)}
                    cancel={() => close()}
                />
            );
        case "activate":
            return (
                <ActivateStep
                    title={title}
                    help={help}
                    enrolment={step.enrolment}
                    busy={busy}
                    failure={failure}
                    submit={(code) => void activate(step.begun, code)}
                    again={again}
                    // What was begun elsewhere still waits there.
                    cancel={() => (step.enrolment === null ? close() : void cancel(step.begun))}
                />
            );
        case "codes":
            return (
                <StoredCodes
                    title={_("Two-factor login is on")}
                    codes={step.codes}
                    user={step.confirmed.user}
                    done={() =>
                        close({ title: done, texts: step.confirmed.warnings })
                    }
                />
            );
    }
}

interface Words {
    title: string;
    /** Before anything is asked. */
    explained: string;
    /** Below the field for the first code. */
    help: string;
    done: string;
}

function words(first: boolean, replaces: string | null): Words {
    if (first) {
        return {
            title: _("Enable two-factor login"),
            explained: _(
                "You need an authenticator app, for example on your phone. If you have none, search for “authenticator” in its app store: any app that scans QR codes for two-factor login will do.",
            ),
            help: _("The code that the app shows now. Logins ask for codes as soon as it is accepted."),
            done: _("Two-factor login is on."),
        };
    }
    if (replaces === null) {
        return {
            title: _("Add device"),
            explained: _("With a second device you can log in when the first one is lost or broken."),
            help: _("The code that the app shows now. Codes of this device let you in as soon as it is accepted."),
            done: _("The device was added."),
        };
    }
    return {
        title: fill(_("Replace “$name”"), { name: replaces }),
        explained: _("A new device takes the place of this one, which may be lost. Until the new one is activated, nothing changes."),
        help: fill(
            _("The code that the app shows now. As soon as it is accepted, codes of the old “$name” no longer let you in."),
            { name: replaces },
        ),
        done: _("The device was replaced."),
    };
}

/** Whether two-factor login is on by now. */
async function isOn(): Promise<boolean> {
    const status = await run("status");
    return status.ok && status.answer.enrolled;
}
