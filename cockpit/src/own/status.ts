import { useCallback, useEffect, useRef, useState } from "react";
import type { Outcome, Status } from "../answers";
import { run } from "../command";

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

/** Between windows of one browser. Nothing is told but that something has changed. */
const others = new BroadcastChannel("pam-otp");

/** Has other windows read the state again. */
export function tellOthers(): void {
    others.postMessage("changed");
}

/** The state, read again whenever somebody comes back to this page: another window may
 *  have changed it. Null until it is known. */
export function useStatus(): [Outcome<Status> | null, () => Promise<void>] {
    const [status, setStatus] = useState<Outcome<Status> | null>(null);
    const asked = useRef(0);
    const read = useCallback(async () => {
        asked.current += 1;
        const mine = asked.current;
        const outcome = await run("status");
        // Answers may come in another order.
        if (mine === asked.current) setStatus(outcome);
    }, []);
    useEffect(() => {
        const look = (): void => {
            if (!document.hidden && !cockpit.hidden) void read();
        };
        void read();
        others.addEventListener("message", look);
        window.addEventListener("focus", look);
        document.addEventListener("visibilitychange", look);
        cockpit.addEventListener("visibilitychange", look);
        return () => {
            others.removeEventListener("message", look);
            window.removeEventListener("focus", look);
            document.removeEventListener("visibilitychange", look);
            cockpit.removeEventListener("visibilitychange", look);
        };
    }, [read]);
    return [status, read];
}
