/** The policy's lists of names, as this page shows and changes them. */

import type { Exempt, Required, RulesAt, Shared, Unenrolled } from "../answers";

/** The command that looks after a list. */
export type Kind = "require" | "exempt";

export interface Listed {
    kind: "user" | "group" | "network";
    name: string;
}

/** A list of all services (null), or of one. */
export interface Section {
    service: string | null;
    names: Listed[];
    /** YYYY-MM-DD; null for at once. Only where names are required. */
    by: string | null;
    unenrolled: Unenrolled | null;
    /** The same of services with rules of their own that share some of this. */
    unenrolledAt: RulesAt[];
}

/** What becomes of who has no record: of a list, or of what is to be one. */
export type Rules = Pick<Section, "unenrolled" | "unenrolledAt" | "by">;

export function sections(answer: Required | Exempt): Section[] {
    const all = sectionOf(null, answer);
    return [all, ...answer.sections.map((own) => sectionOf(own.service, own))];
}

type Names = Required | Exempt | Required["sections"][number] | Exempt["sections"][number];

/** What is told of one list. */
export function sectionOf(service: string | null, from: Names): Section {
    const names = (kind: Listed["kind"], list: string[]): Listed[] => list.map((name) => ({ kind, name }));
    return {
        service,
        names: [
            ...names("user", from.users),
            ...names("group", from.groups),
            ...names("network", "networks" in from ? from.networks : []),
        ],
        by: "by" in from ? from.by : null,
        unenrolled: "unenrolled" in from ? from.unenrolled : null,
        unenrolledAt: "unenrolled_at" in from ? (from.unenrolled_at ?? []) : [],
    };
}

/** What is so of a list where one of these is changed: of services that do not share it,
 *  nothing is. */
export function reaching(section: Section, changed: readonly Shared[]): Section {
    const shares = (at: RulesAt): boolean => at.shared.some((shared) => changed.includes(shared));
    return { ...section, unenrolledAt: section.unenrolledAt.filter(shares) };
}

/** What would be so with this day, which those services get that share it. */
export function withDay(section: Section, by: string | null): Section {
    const at = section.unenrolledAt.map((at) => (at.shared.includes("by") ? { ...at, by } : at));
    return { ...section, by, unenrolledAt: at };
}

/** Services where the same people fare otherwise. */
export function elsewhere({ unenrolled, unenrolledAt, by }: Rules): RulesAt[] {
    const enrols = unenrolled === "enroll";
    return unenrolledAt.filter((at) => (at.unenrolled === "enroll") !== enrols || (enrols && at.by !== by));
}

/** Arguments that name a service's own list. */
export function ofService(service: string | null): string[] {
    return service === null || service === "" ? [] : [`--service=${service}`];
}

/** Arguments that name these. What a name looks like, it is never taken for an option. */
export function asArguments(names: readonly Listed[]): string[] {
    const users = names.filter(({ kind }) => kind === "user").map(({ name }) => name);
    const others = names.filter(({ kind }) => kind !== "user").map(({ kind, name }) => `--${kind}=${name}`);
    return [...others, "--", ...users];
}

/** Names that were typed, with commas or line breaks between them. */
export function typed(kind: Listed["kind"], text: string): Listed[] {
    const names = text.split(/[,\n]/).map((name) => name.trim());
    return [...new Set(names)].filter((name) => name !== "").map((name) => ({ kind, name }));
}
