import { useCallback, useRef, useState } from "react";
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

type PartName = "users" | "services" | "require" | "exempt" | "events";

/** What each part is given. */
export interface PartProps {
    name: PartName;
    /** Another number after each change: what is shown is old then. */
    generation: number;
    /** Called when the part shows what was read for a generation. */
    arrived: (name: PartName, generation: number) => void;
    /** Called after a dialogue. */
    close: Close;
}

/** A notice, and when it is true of what is seen. */
interface Told {
    notice: Notice;
    name: PartName;
    generation: number;
}

function Everything() {
    const [told, setTold] = useState<Told | null>(null);
    const [generation, setGeneration] = useState(0);
    const [shown, setShown] = useState<Partial<Record<PartName, number>>>({});
    const top = useRef<HTMLDivElement>(null);
    const arrived = useCallback<PartProps["arrived"]>((name, of) => {
        setShown((before) => ({ ...before, [name]: of }));
    }, []);
    const close = (name: PartName, notice?: Notice): void => {
        const next = generation + 1;
        setTold(notice === undefined ? null : { notice, name, generation: next });
        if (notice !== undefined) setGeneration(next);
        window.setTimeout(() => {
            // The button that opened the dialogue may be gone.
            if (document.activeElement === document.body) top.current?.focus();
        }, 400);
    };
    const part = (name: PartName): PartProps => ({
        name,
        generation,
        arrived,
        close: (notice) => close(name, notice),
    });
    // Not beside a table that still says otherwise.
    const notice = told !== null && (shown[told.name] ?? 0) >= told.generation ? told.notice : null;
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
                        actionClose={<AlertActionCloseButton onClose={() => setTold(null)} />}
                    >
                        {notice.texts?.map((text) => <p key={text}>{sentence(text)}</p>)}
                    </Alert>
                )}
            </div>
            <Stack hasGutter>
                <StackItem>
                    <Users {...part("users")} />
                </StackItem>
                <StackItem>
                    <Services {...part("services")} />
                </StackItem>
                <StackItem>
                    <NamesCard kind="require" {...part("require")} />
                </StackItem>
                <StackItem>
                    <NamesCard kind="exempt" {...part("exempt")} />
                </StackItem>
                <StackItem>
                    <Events {...part("events")} />
                </StackItem>
            </Stack>
        </div>
    );
}
