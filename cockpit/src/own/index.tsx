import { useRef, useState } from "react";
import { Alert, AlertActionCloseButton } from "@patternfly/react-core/dist/esm/components/Alert";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { EmptyState } from "@patternfly/react-core/dist/esm/components/EmptyState";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import { Stack, StackItem } from "@patternfly/react-core/dist/esm/layouts/Stack";
import { FailureAlert } from "../parts/failure";
import { sentence } from "../parts/words";
import { _ } from "../translate";
import { Devices } from "./devices";
import { OwnDialogue, type Asked } from "./dialogues";
import { PendingAlert } from "./pending";
import { RecoveryCard } from "./recovery-card";
import { State } from "./state";
import { tellOthers, useStatus } from "./status";

/** What came of a dialogue. */
export interface Notice {
    title: string;
    /** pam-otp's warnings. */
    warnings?: string[];
}

/** Two-factor login of who is logged in. */
export function OwnAccount() {
    const [status, read] = useStatus();
    const [asked, ask] = useState<Asked | null>(null);
    const [notice, setNotice] = useState<Notice | null>(null);
    const top = useRef<HTMLDivElement>(null);

    const open = (next: Asked): void => {
        setNotice(null);
        ask(next);
    };
    const close = (come?: Notice): void => {
        ask(null);
        if (come !== undefined) tellOthers();
        void read().then(() => {
            // Not beside a state that still says otherwise.
            setNotice(come ?? null);
            // The button that opened the dialogue may be gone; the dialogue returns the
            // focus to it before.
            window.setTimeout(() => {
                if (document.activeElement === document.body) top.current?.focus();
            }, 100);
        });
    };

    return (
        <div ref={top} tabIndex={-1} className="otp-own">
            <div role="status">
                {notice !== null && (
                    <Alert
                        isInline
                        variant="success"
                        component="p"
                        title={notice.title}
                        className="otp-notice"
                        actionClose={<AlertActionCloseButton onClose={() => setNotice(null)} />}
                    >
                        {notice.warnings?.map((text) => <p key={text}>{sentence(text)}</p>)}
                    </Alert>
                )}
            </div>
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
