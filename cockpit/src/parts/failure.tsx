import { useEffect, useRef, type ReactNode } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import type { Failure } from "../answers";
import { Countdown } from "./countdown";
import { inWords, NO_FAULT } from "./words";

/** What went wrong, and what to do; read out and in sight as soon as it is there. */
export function FailureAlert({ failure, actions }: { failure: Failure; actions?: ReactNode }) {
    const { message, advice } = inWords(failure);
    const place = useRef<HTMLDivElement>(null);
    useEffect(() => {
        // Newer browsers return a promise, which is nothing that an effect may return.
        void place.current?.scrollIntoView({ block: "nearest" });
    }, [failure]);
    return (
        <div role="alert" ref={place}>
            <Alert isInline variant={NO_FAULT.has(failure.code) ? "info" : "danger"} title={message} component="p" actionLinks={actions}>
                {advice.map((text) => (
                    <p key={text}>{text}</p>
                ))}
                {failure.wait_seconds !== undefined && <Countdown seconds={failure.wait_seconds} />}
            </Alert>
        </div>
    );
}
