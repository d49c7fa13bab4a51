/**
 * Runs pam-otp. No other file of this page starts a program.
 *
 * Codes go to standard input only: arguments are seen by other users.
 */

import { parse, type Answers, type Failure, type Outcome, type Trouble } from "./answers";
import { _ } from "./translate";

export interface Call {
    /** Arguments after the command's name. Never a code. */
    words?: string[];
    /** What is read from standard input, a line each: codes. */
    input?: string[];
    /** With Cockpit's administrative access. */
    asRoot?: boolean;
}

/** Never rejects: whatever goes wrong is a failure with a text for people. */
export async function run<C extends keyof Answers>(
    command: C,
    { words = [], input = [], asRoot = false }: Call = {},
): Promise<Outcome<Answers[C]>> {
    let output = "";
    let error: CockpitError | null = null;
    try {
        // What is refused comes with an exit status, which would have the output dropped.
        const process = cockpit
            .spawn(["pam-otp", "--json", command, ...words], {
                err: "message",
                ...(asRoot ? { superuser: "require" } : {}),
            })
            .stream((text) => {
                output += text;
            });
        process.input(input.map((line) => `${line}\n`).join(""));
        await process;
    } catch (thrown) {
        error = thrown as CockpitError;
    }
    const answered = parse<Answers[C]>(output);
    return answered ?? { ok: false, failure: trouble(error, output) };
}

/** The codes that `trouble` gives, apart from those of pam-otp. */
export const SESSION_LOST: Trouble = "page_session_lost";

function trouble(error: CockpitError | null, output: string): Failure {
    const problem = error?.problem ?? null;
    switch (problem) {
        case "not-found":
            return failure(
                "page_not_installed",
                _("The command pam-otp is not installed on this host."),
                _("Install the package pam-otp, or ask the administrator to."),
            );
        case "access-denied":
            return failure(
                "page_no_rights",
                _("This needs administrative access."),
                _("Switch it on at the top of the page, and try again."),
            );
        case "disconnected":
        case "terminated":
        case "no-session":
        case "timeout":
            return failure(
                SESSION_LOST,
                _("The session ended before the answer came."),
                _("Log in again and look here at what is on: it may have been done, or not."),
            );
        case null:
            break;
        default:
            return failure(
                "page_no_answer",
                _("The command pam-otp could not be started."),
                error?.message ?? problem,
            );
    }
    if (output === "") {
        return failure(
            "page_no_answer",
            _("The command pam-otp ended without an answer."),
            error?.message ?? null,
        );
    }
    return failure(
        "page_malformed_answer",
        _("The command pam-otp gave an answer that this page does not understand."),
        _("The page and the command may be of different versions: reload the page, or update the package."),
    );
}

function failure(code: Trouble, message: string, hint: string | null): Failure {
    return { code, message, hint };
}
