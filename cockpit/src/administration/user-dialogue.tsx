import type { ListedUser } from "../answers";
import { run } from "../command";
import { Dialogue } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { duration } from "../parts/times";
import { visible } from "../parts/visible";
import { fill, plural, _ } from "../translate";
import { useChange, type Close, type Notice } from "./answer";

/** What an administrator does for a user, without a code of theirs. */
export type UserAction = "disable" | "reset" | "unlock";

interface UserDialogueProps {
    action: UserAction;
    user: ListedUser;
    close: Close;
}

/** Asks whether it is meant, and for whom; then does it. */
export function UserDialogue({ action, user, close }: UserDialogueProps) {
    const { busy, failure, make } = useChange();
    const { title, button, explained } = words(action, visible(user.name));
    const submit = async (): Promise<void> => {
        const notice = await carryOut(action, user.name, make);
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
        </Dialogue>
    );
}

async function carryOut(
    action: UserAction,
    name: string,
    make: ReturnType<typeof useChange>["make"],
): Promise<Notice | null> {
    // As one word: a name may begin like an option.
    const call = { words: [`--user=${name}`], asRoot: true };
    switch (action) {
        case "disable": {
            const done = await make(() => run("disable", call));
            return (
                done && {
                    title: fill(_("Two-factor login is off for $user."), { user: name }),
                    texts: [...done.warnings, ...setAside(done.set_aside)],
                }
            );
        }
        case "reset": {
            const done = await make(() => run("reset", call));
            return (
                done && {
                    title: fill(_("Two-factor login was reset for $user."), { user: name }),
                    texts: [
                        done.logins_without_code
                            ? _("By the policy, this user logs in without a code until two-factor login is enabled again.")
                            : _("By the policy, this user cannot log in without a code: two-factor login has to be enabled first."),
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
                    title: fill(_("Nobody has to wait any more to log in as $user."), { user: name }),
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

function setAside(path: string | null): string[] {
    return path === null ? [] : [fill(_("The broken record was put aside: $path"), { path })];
}

interface Words {
    title: string;
    button: string;
    explained: string[];
}

function words(action: UserAction, name: string): Words {
    switch (action) {
        case "disable":
            return {
                title: fill(_("Disable two-factor login for $user"), { user: name }),
                button: _("Disable"),
                explained: [
                    _("All devices and recovery codes of this user are forgotten. The codes of their apps open nothing any more."),
                    _("Where the policy requires two-factor login, the user is refused until it is enabled again."),
                ],
            };
        case "reset":
            return {
                title: fill(_("Reset two-factor login for $user"), { user: name }),
                button: _("Reset"),
                explained: [
                    _("For a user whose phone and recovery codes are lost, or whose record is broken. Make sure that it is the user who asks."),
                    _("All devices and recovery codes are forgotten, and what was begun as well. Where the policy lets users without two-factor login in, the password alone is enough until it is enabled again."),
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
