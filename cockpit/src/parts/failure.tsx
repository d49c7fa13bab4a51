import { useEffect, useState } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import type { Failure } from "../answers";
import { clockOff, duration, now } from "./times";
import { fill, _ } from "../translate";

/** What went wrong, and what to do; read out as soon as it is there. */
export function FailureAlert({ failure, className }: { failure: Failure; className?: string }) {
    return (
        <div role="alert" className={className}>
            <Alert isInline variant="danger" title={sentence(failure.message)}>
                {failure.clock_off_seconds !== undefined && (
                    <p>{clockOff(failure.clock_off_seconds)}</p>
                )}
                {failure.hint !== null && <p>{sentence(failure.hint)}</p>}
                {failure.wait_seconds !== undefined && <Wait seconds={failure.wait_seconds} />}
            </Alert>
        </div>
    );
}

/** Counts down the seconds for which somebody has to wait. */
export function Wait({ seconds }: { seconds: number }) {
    const [end] = useState(() => now() + seconds);
    const left = useCountdown(end);
    // Read out once, not every second.
    return (
        <p aria-live="off">
            {left > 0
                ? fill(_("Wait $time."), { time: duration(left) })
                : _("You can try again now.")}
        </p>
    );
}

/** Seconds until a time, looked at every second; 0 from then on. */
export function useCountdown(end: number): number {
    const [left, setLeft] = useState(() => Math.max(0, end - now()));
    useEffect(() => {
        const look = (): void => setLeft(Math.max(0, end - now()));
        look();
        const timer = window.setInterval(look, 1000);
        return () => window.clearInterval(timer);
    }, [end]);
    return left;
}

/** pam-otp's messages begin small and end without a full stop. */
function sentence(text: string): string {
    const first = text.charAt(0).toUpperCase() + text.slice(1);
    return /[.:?]$/.test(first) ? first : `${first}.`;
}
