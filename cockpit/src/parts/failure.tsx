import { useEffect, useRef, type ReactNode } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import type { Failure } from "../answers";
import { Countdown } from "./countdown";
import { visible } from "./visible";
import { inWords, NO_FAULT } from "./words";

interface FailureAlertProps {
    failure: Failure;
    actions?: ReactNode;
    /** Whether the page stays where it is: nobody has just asked for what has failed. */
    still?: boolean;
}

/** What went wrong, and what to do; read out and in sight as soon as it is there. */
export function FailureAlert({ failure, actions, still = false }: FailureAlertProps) {
    const { message, advice, details } = inWords(failure);
    const place = useRef<HTMLDivElement>(null);
    useEffect(() => {
        // Newer browsers give a promise, which React would take for what ends an effect.
        if (!still) void place.current?.scrollIntoView({ block: "nearest" });
    }, [failure, still]);
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
