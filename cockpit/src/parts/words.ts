/** What this page says about a failure: in its own words where it knows better than the
 *  command, which speaks to people at a terminal. */

import type { Failure } from "../answers";
import { clockOff } from "./times";
import { _ } from "../translate";

/** Refusals that are nobody's fault. */
export const NO_FAULT: ReadonlySet<string> = new Set(["administrator_only"]);

export interface Words {
    message: string;
    /** What to do about it, a sentence each. */
    advice: string[];
    /** What the command says, where that is for who looks closer. */
    details?: string[];
}

export function inWords(failure: Failure): Words {
    const own = ownWords(failure);
    if (own !== null) return own;
    const advice = failure.hint === null ? [] : [sentence(failure.hint)];
    return { message: sentence(failure.message), advice };
}

/** Said of who has guessed too often, by a refusal and by the state. */
export function tooManyWrongCodes(): Words {
    return {
        message: _("Too many wrong codes were entered."),
        advice: [_("A recovery code works at once.")],
    };
}

function ownWords(failure: Failure): Words | null {
    switch (failure.code) {
        case "wrong_code":
            return {
                message: _("The code does not match."),
                advice: [
                    _("Take the code that the app shows now, of the entry for this account."),
                    _("Check that date, time and time zone of the device are set automatically."),
                ],
            };
        case "other_time":
            return {
                message: _("The code is for another time."),
                advice: [
                    ...(failure.clock_off_seconds === undefined
                        ? []
                        : [clockOff(failure.clock_off_seconds)]),
                    _("Set date, time and time zone of the device to automatic, and take the next code."),
                ],
            };
        case "used_code":
            return {
                message: _("The code was used before."),
                advice: [_("Each code works once: wait for the next one.")],
            };
        case "throttled":
            return tooManyWrongCodes();
        case "no_code":
            return { message: _("There is no code."), advice: [_("Enter the code that the app shows.")] };
        case "malformed_code":
        case "not_a_token_code":
            return {
                message: _("This is not a code."),
                advice: [_("The app shows a code of 6 to 8 digits.")],
            };
        case "pending_expired":
            return {
                message: _("This was not finished in time."),
                advice: [_("Nothing has changed. Start again, and scan the new QR code.")],
            };
        case "pending_replaced":
            return {
                message: _("Another window or terminal has begun to add a device meanwhile."),
                advice: [_("Finish it there, or start again here: then the other one ends.")],
            };
        case "no_pending":
            return {
                message: _("Nothing waits to be activated any more."),
                advice: [_("It was finished or cancelled elsewhere. Close this to see what is on now.")],
            };
        case "not_enrolled":
            return {
                message: _("Two-factor login is off."),
                advice: [_("It was switched off elsewhere.")],
            };
        case "enrolled":
            return {
                message: _("Two-factor login is on already."),
                advice: [_("It was switched on elsewhere. To add this device, use “Add device”.")],
            };
        case "name_taken":
            return {
                message: _("Another device has this name."),
                advice: [_("Choose a different name.")],
            };
        case "no_such_token":
            return {
                message: _("This device is not there any more."),
                advice: [_("It was renamed or removed elsewhere.")],
            };
        case "last_token":
            return {
                message: _("This is the only device."),
                advice: [_("Add another one first, or disable two-factor login.")],
            };
        case "administrator_only":
            return {
                message: _("On this host, administrators look after two-factor login."),
                advice: [_("Ask an administrator to set it up for you, or to change it.")],
            };
        case "bad_token_file":
        case "bad_state_file":
        case "insecure_record":
        case "foreign_file":
        case "unreadable_record":
            return {
                message: _("This two-factor login cannot be read."),
                advice: [_("An administrator can reset it. Then it is enabled anew.")],
                details: [failure.message, ...(failure.hint === null ? [] : [failure.hint])].map(sentence),
            };
        case "unknown_user":
        case "unknown_group":
            return { message: sentence(failure.message), advice: [_("Check the spelling.")] };
        case "changed_stack":
            return { message: sentence(failure.message), advice: [] };
        case "codes_lost":
            return {
                message: _("There are new recovery codes, but they could not be shown."),
                advice: [_("The earlier ones are void. Make new ones again.")],
            };
        default:
            return null;
    }
}

/** pam-otp's messages begin small and end without a full stop. What begins with the name
 *  of a file or a program stays as it is. */
export function sentence(text: string): string {
    const named = /^(?:sshd|sudo|su|systemd|libpam)\b/.test(text) || !/^\p{L}+(?![\p{L}_./-])/u.test(text);
    const first = named ? text : text.charAt(0).toUpperCase() + text.slice(1);
    return first === "" || /[.:?]$/.test(first) ? first : `${first}.`;
}
