import { useState } from "react";
import { FormGroup } from "@patternfly/react-core/dist/esm/components/Form";
import { Radio } from "@patternfly/react-core/dist/esm/components/Radio";
import type { ListedUser } from "../answers";
import { run } from "../command";
import { Dialogue } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import type { Notice } from "../parts/notices";
import { duration } from "../parts/times";
import { visible } from "../parts/visible";
import { fill, plural, _ } from "../translate";
import { useChange, type Close } from "./answer";

/** What an administrator wants to do for a user, without a code of theirs. */
export type UserAction = "reset" | "unlock";

/** What is done: a user who is on may be left without it for good. */
type Deed = UserAction | "disable";

interface UserDialogueProps {
    action: UserAction;
    user: ListedUser;
    close: Close;
}

/** Asks whether it is meant, and for whom; then does it. */
export function UserDialogue({ action, user, close }: UserDialogueProps) {
    const { busy, failure, make } = useChange();
    const [deed, setDeed] = useState<Deed>(action);
    const { title, button, explained } = words(deed, visible(user.name));
    const submit = async (): Promise<void> => {
        const notice = await carryOut(deed, user.name, make);
        if (notice !== null) close(notice);
    };
    return (
        <Dialogue
            title={title}
            action={button}
            isDanger={action !== "unlock"}
            busy={busy}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            {explained.map((text) => (
                <p key={text}>{text}</p>
            ))}
            {action === "reset" && user.state === "on" && <Choice deed={deed} choose={setDeed} />}
        </Dialogue>
    );
}

/** Both forget the same; the log, and what is to be done next, tell them apart. */
function Choice({ deed, choose }: { deed: Deed; choose: (deed: Deed) => void }) {
    const choices: [Deed, string, string][] = [
        [
            "reset",
            _("Reset: the phone is lost, or a new one is to be set up"),
            _("The user enables two-factor login anew."),
        ],
        [
            "disable",
            _("Disable: the user is to have no two-factor login"),
            _("The same is forgotten. Two-factor login stays off, unless the policy requires it."),
        ],
    ];
    return (
        <FormGroup role="radiogroup" isStack fieldId="user-deed" label={_("What for")}>
            {choices.map(([value, label, description]) => (
                <Radio
                    key={value}
                    id={`user-deed-${value}`}
                    name="user-deed"
                    label={label}
                    description={description}
                    isChecked={deed === value}
                    onChange={() => choose(value)}
                />
            ))}
        </FormGroup>
    );
}

async function carryOut(
    deed: Deed,
    name: string,
    make: ReturnType<typeof useChange>["make"],
): Promise<Notice | null> {
    // As one word: a name may begin like an option.
    const call = { words: [`--user=${name}`], asRoot: true };
    const user = visible(name);
    switch (deed) {
        case "disable": {
            const done = await make(() => run("disable", call));
            return (
                done && {
                    title: fill(_("Two-factor login is off for $user."), { user }),
                    texts: [
                        ...afterwards(done.logins_without_code),
                        ...done.warnings,
                        ...setAside(done.set_aside),
                    ],
                    isWarning: done.logins_without_code !== false,
                }
            );
        }
        case "reset": {
            const done = await make(() => run("reset", call));
            return (
                done && {
                    title: fill(_("Two-factor login was reset for $user."), { user }),
                    texts: [
                        ...afterwards(done.logins_without_code),
                        ...done.warnings,
                        ...setAside(done.set_aside),
                    ],
                    isWarning: done.logins_without_code,
                }
            );
        }
        case "unlock": {
            const done = await make(() => run("unlock", call));
            return (
                done && {
                    title: fill(_("Nobody has to wait any more to log in as $user."), { user }),
                    texts: [
                        fill(_("It would have been $time."), { time: duration(done.would_have_waited_seconds) }),
                        plural(
                            "$count wrong code is forgotten.",
                            "$count wrong codes are forgotten.",
                            done.wrong_codes_forgotten,
                        ),
                        ...done.warnings,
                    ],
                }
            );
        }
    }
}

/** Whether the user gets in now; undefined if that is not known. */
function afterwards(open: boolean | undefined): string[] {
    if (open === undefined) return [];
    return [
        open
            ? _("By the policy, this user can now log in without a code, at least by some services or for some days.")
            : _("By the policy, this user cannot log in without a code: two-factor login has to be enabled first."),
    ];
}

function setAside(path: string | null): string[] {
    return path === null ? [] : [fill(_("The broken record was put aside: $path"), { path })];
}

interface Words {
    title: string;
    button: string;
    explained: string[];
}

function words(deed: Deed, name: string): Words {
    switch (deed) {
        case "disable":
        case "reset":
            return {
                title: fill(_("Reset two-factor login for $user"), { user: name }),
                button: deed === "reset" ? _("Reset") : _("Disable"),
                explained: [
                    _("Forgets all devices and recovery codes of this user, also what was begun or is broken. The codes of their apps open nothing any more. Make sure that it is the user who asks."),
                    _("Until two-factor login is enabled again, the policy decides: either the password alone is enough, or the user is refused."),
                ],
            };
        case "unlock":
            return {
                title: fill(_("Unlock $user"), { user: name }),
                button: _("Unlock"),
                explained: [
                    _("Wrong codes are forgotten, so that nobody has to wait. Whoever was guessing may guess again at once."),
                ],
            };
    }
}
