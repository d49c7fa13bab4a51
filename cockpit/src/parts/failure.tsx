import { useEffect, useRef, type ReactNode } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import type { Failure } from "../answers";
import { Countdown } from "./countdown";
import { visible } from "./visible";
import { inWords, NO_FAULT } from "./words";

/** What went wrong, and what to do; read out and in sight as soon as it is there. */
export function FailureAlert({ failure, actions }: { failure: Failure; actions?: ReactNode }) {
    const { message, advice, details } = inWords(failure);
    const place = useRef<HTMLDivElement>(null);
    useEffect(() => {
        // Newer browsers give a promise, which React would take for what ends an effect.
        void place.current?.scrollIntoView({ block: "nearest" });
    }, [failure]);
    return (
        <div role="alert" ref={place}>
            <Alert
                isInline
                variant={NO_FAULT.has(failure.code) ? "info" : "danger"}
                title={message}
                component="p"
                actionLinks={actions}
            >
                {advice.map((text) => (
                    <p key={text}>{text}</p>
                ))}
                {failure.wait_seconds !== undefined && <Countdown seconds={failure.wait_seconds} />}
                {details?.map((text) => (
                    <p key={text} className="otp-small otp-name">
                        {visible(text)}
                    </p>
                ))}
            </Alert>
        </div>
    );
}
