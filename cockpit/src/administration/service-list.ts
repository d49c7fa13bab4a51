/** How the services of this host stand. */

import { useEffect } from "react";
import type { Done, Examined, Failure, Outcome, Setup, Verdict } from "../answers";
import { run } from "../command";
import { useReading, type Reading } from "../parts/reading";
import { now } from "../parts/times";

/** Those that administrators think of first. */
const USUAL = ["sshd", "sudo", "su", "login", "cockpit"];

export interface Service {
    name: string;
    /**
     * `off`: it asks for no code; `on`: by pam-otp setup; `by_hand`: by somebody's own
     * lines; `trial`: on, and undone by itself; `unfit`: setup finds no place for a code.
     */
    state: "off" | "on" | "by_hand" | "trial" | "unfit";
    /** When a trial undoes itself. */
    trialUntil: number | null;
    /** What `setup` would change, if it is off. */
    preview: Setup | null;
    /** Why it is unfit. */
    failure: Failure | null;
    /** What a login comes to, in pam-otp's words. */
    verdict: string | null;
}

export interface ServiceList extends Done {
    services: Service[];
    /** Whether who is logged in has two-factor login; null if that cannot be told. */
    enrolled: boolean | null;
}

/** Read again with another `generation`, and when a trial is over. */
export function useServices(generation: number): Reading<ServiceList> {
    const reading = useReading(look, generation);
    const { outcome, read } = reading;
    const end = outcome?.ok === true ? nextEnd(outcome.answer.services) : null;
    useEffect(() => {
        if (end === null) return undefined;
        // What undoes the trial takes a moment.
        const timer = window.setTimeout(() => void read(), Math.max(0, end - now()) * 1000 + 3000);
        return () => window.clearTimeout(timer);
    }, [read, end]);
    return reading;
}

/** When the next trial is over; null if none runs, or it should be over already. */
function nextEnd(services: Service[]): number | null {
    const ends = services.map(({ trialUntil }) => trialUntil ?? 0).filter((end) => end > now());
    return ends.length === 0 ? null : Math.min(...ends);
}

async function look(): Promise<Outcome<ServiceList>> {
    const [setup, examined, own] = await Promise.all([
        run("setup", { asRoot: true }),
        run("doctor", { asRoot: true }),
        run("status"),
    ]);
    if (!setup.ok) return setup;
    const verdicts = verdictsOf(examined);
    const named = [...setup.answer.services, ...verdicts].map(({ service }) => service);
    const names = [...new Set([...USUAL, ...named])];
    const services: Service[] = [];
    for (const name of names) {
        // One after the other: each asks sshd and walks stacks.
        const service = await lookAt(name, setup.answer, verdicts);
        if (service !== null) services.push(service);
    }
    const { user, warnings } = setup.answer;
    const enrolled = own.ok ? own.answer.enrolled : null;
    return { ok: true, answer: { user, warnings, services, enrolled } };
}

/** Doctor's verdicts, also where it has found faults. */
function verdictsOf(outcome: Outcome<Examined>): Verdict[] {
    if (outcome.ok) return outcome.answer.verdicts;
    const verdicts = outcome.failure.answer?.["verdicts"];
    return Array.isArray(verdicts) ? (verdicts as Verdict[]) : [];
}

/** Null if the host has no such service. */
async function lookAt(name: string, all: Setup, verdicts: Verdict[]): Promise<Service | null> {
    const verdict = verdicts.find(({ service }) => service === name)?.message ?? null;
    const service = { name, verdict, trialUntil: null, preview: null, failure: null };
    const ours = all.services.find(({ service }) => service === name);
    if (ours !== undefined) {
        const trialUntil = ours.trial_until;
        return { ...service, trialUntil, state: trialUntil === null ? "on" : "trial" };
    }
    const preview = await run("setup", { words: ["--", name], asRoot: true });
    if (!preview.ok) {
        const { failure } = preview;
        return failure.code === "unknown_service" ? null : { ...service, state: "unfit", failure };
    }
    if (preview.answer.state === "already") return { ...service, state: "by_hand" };
    return { ...service, state: "off", preview: preview.answer };
}
