import { useRef, useState } from "react";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { EmptyState } from "@patternfly/react-core/dist/esm/components/EmptyState";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import { Stack, StackItem } from "@patternfly/react-core/dist/esm/layouts/Stack";
import { FailureAlert } from "../parts/failure";
import { useSay, type Notice } from "../parts/notices";
import { _ } from "../translate";
import { Devices } from "./devices";
import { OwnDialogue, type Asked } from "./dialogues";
import { PendingAlert } from "./pending";
import { RecoveryCard } from "./recovery-card";
import { State } from "./state";
import { tellOthers, useStatus } from "./status";

/** Two-factor login of who is logged in. */
export function OwnAccount() {
    const [status, read] = useStatus();
    const [asked, ask] = useState<Asked | null>(null);
    const say = useSay();
    const top = useRef<HTMLDivElement>(null);

    const open = (next: Asked): void => {
        say(null);
        ask(next);
    };
    const close = (come?: Notice): void => {
        ask(null);
        if (come !== undefined) tellOthers();
        void read().then(() => {
            // Not beside a state that still says otherwise.
            say(come ?? null);
            // The button that opened the dialogue may be gone; the dialogue returns the
            // focus to it before.
            window.setTimeout(() => {
                if (document.activeElement === document.body) top.current?.focus({ preventScroll: true });
            }, 100);
        });
    };

    return (
        <div ref={top} tabIndex={-1} className="otp-own">
            {status === null && <EmptyState titleText={_("Loading")} icon={Spinner} />}
            {status !== null && !status.ok && (
                <FailureAlert
                    failure={status.failure}
                    actions={
                        <Button variant="link" isInline onClick={() => void read()}>
                            {_("Try again")}
                        </Button>
                    }
                />
            )}
            {status?.ok === true && (
                <Stack hasGutter>
                    {status.answer.pending !== null && asked === null && (
                        <StackItem>
                            <PendingAlert
                                pending={status.answer.pending}
                                first={!status.answer.enrolled}
                                open={open}
                                close={close}
                            />
                        </StackItem>
                    )}
                    <StackItem>
                        <State status={status.answer} open={open} />
                    </StackItem>
                    {status.answer.enrolled && (
                        <>
                            <StackItem>
                                <Devices status={status.answer} open={open} />
                            </StackItem>
                            <StackItem>
                                <RecoveryCard status={status.answer} open={open} />
                            </StackItem>
                        </>
                    )}
                </Stack>
            )}
            {asked !== null && <OwnDialogue asked={asked} close={close} read={read} />}
        </div>
    );
}
