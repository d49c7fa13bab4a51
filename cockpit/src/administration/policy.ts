/** The policy's lists of names, as this page shows and changes them. */

import type { Exempt, Required, Unenrolled } from "../answers";

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
    /** The same of services that go by this list, and have a rule of their own. */
    unenrolledAt: { service: string; unenrolled: Unenrolled }[];
}

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
