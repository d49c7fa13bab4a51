import { useEffect } from "react";
import type { Outcome, Pending, Status } from "../answers";
import { run } from "../command";
import { useReading } from "../parts/reading";

/** Refusals after which what this page shows is old: it was changed elsewhere. */
export const CHANGED_ELSEWHERE: ReadonlySet<string> = new Set([
    "no_pending",
    "pending_expired",
    "pending_replaced",
    "not_enrolled",
    "enrolled",
    "name_taken",
    "no_such_token",
    "last_token",
    "throttled",
    "changed_record",
]);

/** By which what was begun is known from what another window began since. */
export type Begun = Pick<Pending, "name" | "expires">;

/** What waits to be confirmed; null also if that cannot be told. */
export async function waiting(): Promise<Begun | null> {
    const status = await run("status");
    return status.ok ? status.answer.pending : null;
}

export function isSame(one: Begun, other: Begun): boolean {
    return one.name === other.name && one.expires === other.expires;
}

/** Between windows of one browser. Nothing is told but that something has changed. */
const others = new BroadcastChannel("pam-otp");

/** Has other windows read the state again. */
export function tellOthers(): void {
    others.postMessage("changed");
}

/** The state, read again whenever somebody comes back to this page: another window may
 *  have changed it. Null until it is known. */
export function useStatus(): [Outcome<Status> | null, () => Promise<void>] {
    const { outcome, read } = useReading(look);
    useEffect(() => {
        const back = (): void => {
            if (!document.hidden && !cockpit.hidden) void read();
        };
        others.addEventListener("message", back);
        window.addEventListener("focus", back);
        document.addEventListener("visibilitychange", back);
        cockpit.addEventListener("visibilitychange", back);
        return () => {
            others.removeEventListener("message", back);
            window.removeEventListener("focus", back);
            document.removeEventListener("visibilitychange", back);
            cockpit.removeEventListener("visibilitychange", back);
        };
    }, [read]);
    return [outcome, read];
}

function look(): Promise<Outcome<Status>> {
    return run("status");
}
