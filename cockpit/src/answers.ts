/**
 * What pam-otp answers with --json, version 1; see docs/json.md.
 *
 * Times are seconds since 1970 (UTC). Fields that are not named here are passed over.
 */

export interface Done {
    user: string;
    /** Not wrong, but to be known; for people. */
    warnings: string[];
}

export interface Token {
    /** What its owner calls it. */
    name: string;
    type: "totp" | "hotp";
    algorithm: "SHA1" | "SHA256" | "SHA512";
    /** 6 to 8. */
    digits: number;
    /** Seconds; null for hotp. */
    period: number | null;
    /** When it was added; null or not there if that is not known. */
    added?: number | null;
}

export interface TokenWithKey extends Token {
    account: string;
    issuer: string;
    /** The secret, in base32. */
    key: string;
    uri: string;
    /** An SVG file. */
    qr_svg: string;
    qr_text: string;
}

export interface Pending extends Token {
    replaces: string | null;
    expires: number;
}

export interface Enrolment extends Done {
    token: TokenWithKey;
    replaces: string | null;
    expires: number;
}

export interface Confirmed extends Done {
    token: string;
    replaces: string | null;
    /** Of a first token; null if there are some already. */
    recovery_codes: string[] | null;
}

export interface Cancelled extends Done {
    token: string | null;
}

export interface Clock {
    /** Null if it cannot be told. */
    synchronised: boolean | null;
    daemon: string | null;
    /** What it says. Versions before the page do not tell it. */
    time?: number;
}

interface AnyStatus extends Done {
    store: "home" | "system";
    record: string;
    clock: Clock;
    pending: Pending | null;
}

export interface StatusOff extends AnyStatus {
    enrolled: false;
}

export interface StatusOn extends AnyStatus {
    enrolled: true;
    tokens: Token[];
    recovery_codes_left: number;
    last_right_code: number | null;
    wrong_codes_since: number;
    last_wrong_code: number | null;
    throttled_until: number | null;
}

export type Status = StatusOff | StatusOn;

export interface Verified extends Done {
    token: string | null;
    recovery_codes_left: number | null;
}

export interface Resynced extends Done {
    token: string;
    clock_off_seconds: number | null;
}

export interface Shown extends Done {
    tokens: TokenWithKey[];
}

export interface Disabled extends Done {
    set_aside: string | null;
    /** Versions before the page do not tell it. */
    logins_without_code?: boolean;
}

export interface NewRecoveryCodes extends Done {
    recovery_codes: string[];
}

export interface Renamed extends Done {
    old: string;
    new: string;
}

export interface Removed extends Done {
    token: string;
    tokens_left: number;
}

export interface ListedUser {
    name: string;
    /** The system's own, and no person's; versions before the page do not tell it. */
    system_account?: boolean;
    state: "on" | "off" | "pending" | "broken";
    reason: string | null;
    message: string | null;
    pending: boolean;
    /** When the oldest device was added; null or not there if that is not known. */
    since?: number | null;
    tokens: number;
    recovery_codes_left: number;
    last_right_code: number | null;
    throttled_until: number | null;
}

export interface List extends Done {
    users: ListedUser[];
}

export interface Reset extends Done {
    set_aside: string | null;
    pending_removed: boolean;
    logins_without_code: boolean;
}

export interface Unlocked extends Done {
    would_have_waited_seconds: number;
    wrong_codes_forgotten: number;
}

interface Written extends Done {
    policy: string;
    service: string | null;
    changed: boolean;
}

/** What becomes of who has no record. */
export type Unenrolled = "deny" | "allow" | "enroll";

interface RequiredNames {
    users: string[];
    groups: string[];
    /** YYYY-MM-DD; null for at once. */
    by: string | null;
    unenrolled: Unenrolled;
}

/** What services may share with all: a list, or the day. */
export type Shared = "users" | "groups" | "by";

/** The rules of a service that shares some of them. */
export interface RulesAt {
    service: string;
    unenrolled: Unenrolled;
    /** As in `RequiredNames`. */
    by: string | null;
    shared: Shared[];
}

export interface Required extends Written, RequiredNames {
    /** Versions before the page do not tell it. */
    unenrolled_at?: RulesAt[];
    sections: (RequiredNames & { service: string })[];
}

interface ExemptNames {
    users: string[];
    groups: string[];
    networks: string[];
}

export interface Exempt extends Written, ExemptNames {
    sections: (ExemptNames & { service: string })[];
}

export interface LoggedEvent {
    time: number;
    outcome: string | null;
    reason: string | null;
    /** Of a change: the command. */
    action: string | null;
    /** As the application said it: it may be no user. */
    user: string | null;
    service: string | null;
    source: string | null;
    /** Of a change: who made it. */
    by: string | null;
    /** User id of who wrote the line; null where nobody can tell. */
    writer: number | null;
    line: string;
}

export interface Events extends Done {
    /** `journal`, or a file. */
    log: string;
    /** The oldest first. */
    events: LoggedEvent[];
    /** Older lines of the log were not looked at: a warning says so. */
    stopped: boolean;
}

export interface Finding {
    severity: "ok" | "note" | "warning" | "error";
    subject: string;
    code: string;
    service: string | null;
    message: string;
    mend: string | null;
}

export interface Verdict {
    service: string;
    user: string | null;
    login: string;
    message: string;
}

export interface Examined extends Done {
    severity: Finding["severity"];
    findings: Finding[];
    verdicts: Verdict[];
}

export interface Setup extends Done {
    service: string | null;
    state: string | null;
    files: { path: string; difference: string }[];
    reload: string | null;
    locked_out: string[];
    trial_until: number | null;
    logged_in: string[];
    services: { service: string; trial_until: number | null }[];
}

/** The answer of each command that this page calls, by the command's name. */
export interface Answers {
    enroll: Enrolment;
    confirm: Confirmed;
    cancel: Cancelled;
    status: Status;
    verify: Verified;
    resync: Resynced;
    show: Shown;
    disable: Disabled;
    recovery: NewRecoveryCodes;
    rename: Renamed;
    remove: Removed;
    list: List;
    reset: Reset;
    unlock: Unlocked;
    events: Events;
    require: Required;
    exempt: Exempt;
    doctor: Examined;
    setup: Setup;
}

/** What pam-otp refused, or why it could not be asked. */
export interface Failure {
    /** An error code of docs/json.md, or one of `Trouble`. */
    code: string;
    /** For people; text of others may stand in it. */
    message: string;
    hint: string | null;
    /** With `throttled`. */
    wait_seconds?: number;
    /** With `other_time`: how far the token's clock is ahead; negative: behind. */
    clock_off_seconds?: number;
    /** With errors of the record, and `changed_stack`. */
    path?: string | null;
    /** With `changed_stack`. */
    difference?: string;
    /** What was said beside the error, e.g. the findings of `doctor`. */
    answer?: Record<string, unknown>;
}

/** Why there is no answer of pam-otp. */
export type Trouble =
    | "page_not_installed"
    | "page_no_rights"
    | "page_session_lost"
    | "page_no_answer"
    | "page_malformed_answer";

export type Outcome<T> = { ok: true; answer: T } | { ok: false; failure: Failure };

/** Parses what was written on standard output; null if that is no answer of version 1. */
export function parse<T extends Done>(text: string): Outcome<T> | null {
    let answer: unknown;
    try {
        answer = JSON.parse(text);
    } catch {
        return null;
    }
    if (!isObject(answer) || answer["version"] !== 1) return null;
    if (answer["ok"] === true) {
        const complete = typeof answer["user"] === "string" && Array.isArray(answer["warnings"]);
        return complete ? { ok: true, answer: answer as unknown as T } : null;
    }
    const error = answer["error"];
    if (answer["ok"] !== false || !isObject(error)) return null;
    if (typeof error["code"] !== "string" || typeof error["message"] !== "string") return null;
    return { ok: false, failure: { hint: null, ...error, answer } as unknown as Failure };
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
