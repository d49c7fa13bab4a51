import { useRef, useState } from "react";
import { Alert, AlertActionCloseButton } from "@patternfly/react-core/dist/esm/components/Alert";
import { EmptyState, EmptyStateBody } from "@patternfly/react-core/dist/esm/components/EmptyState";
import { Stack, StackItem } from "@patternfly/react-core/dist/esm/layouts/Stack";
import { LockIcon } from "@patternfly/react-icons/dist/esm/icons/lock-icon";
import { sentence } from "../parts/words";
import { useAdministrator } from "../permission";
import { _ } from "../translate";
import type { Close, Notice } from "./answer";
import { Events } from "./events";
import { NamesCard } from "./names";
import { Services } from "./services";
import { Users } from "./users";

/** What administrators see and do, for all users of this host. */
export function Administration() {
    return useAdministrator() ? <Everything /> : <Limited />;
}

function Limited() {
    return (
        <EmptyState titleText={_("Turn on administrative access")} headingLevel="h1" icon={LockIcon}>
            <EmptyStateBody>
                {_(
                    "Users, services and the log of this host are for administrators. Choose “Limited access” at the top of the page to turn on administrative access.",
                )}
            </EmptyStateBody>
        </EmptyState>
    );
}

/** What each part is given. */
export interface PartProps {
    /** Another number after each change: what is shown is old then. */
    generation: number;
    /** Called after a dialogue. */
    close: Close;
}

function Everything() {
    const [notice, setNotice] = useState<Notice | null>(null);
    const [generation, setGeneration] = useState(0);
    const top = useRef<HTMLDivElement>(null);
    const close: Close = (come) => {
        setNotice(come ?? null);
        if (come !== undefined) setGeneration((before) => before + 1);
        window.setTimeout(() => {
            // The button that opened the dialogue may be gone.
            if (document.activeElement === document.body) top.current?.focus();
        }, 400);
    };
    const part = { generation, close };
    return (
        <div ref={top} tabIndex={-1} className="otp-administration">
            <h1 className="otp-heading">{_("Two-factor login on this host")}</h1>
            <div role="status">
                {notice !== null && (
                    <Alert
                        isInline
                        variant={notice.isWarning === true ? "warning" : "success"}
                        component="p"
                        title={notice.title}
                        className="otp-notice"
                        actionClose={<AlertActionCloseButton onClose={() => setNotice(null)} />}
                    >
                        {notice.texts?.map((text) => <p key={text}>{sentence(text)}</p>)}
                    </Alert>
                )}
            </div>
            <Stack hasGutter>
                <StackItem>
                    <Users {...part} />
                </StackItem>
                <StackItem>
                    <Services {...part} />
                </StackItem>
                <StackItem>
                    <NamesCard kind="require" {...part} />
                </StackItem>
                <StackItem>
                    <NamesCard kind="exempt" {...part} />
                </StackItem>
                <StackItem>
                    <Events {...part} />
                </StackItem>
            </Stack>
        </div>
    );
}
