import { useCallback, useEffect, useState } from "react";
import { EmptyState, EmptyStateBody } from "@patternfly/react-core/dist/esm/components/EmptyState";
import { Stack, StackItem } from "@patternfly/react-core/dist/esm/layouts/Stack";
import { LockIcon } from "@patternfly/react-icons/dist/esm/icons/lock-icon";
import { useSay, type Notice } from "../parts/notices";
import { useAdministrator } from "../permission";
import { _ } from "../translate";
import type { Close } from "./answer";
import { Events } from "./events";
import { NamesCard } from "./names";
import { focusPart } from "./part";
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

/** A notice that waits until it is true of what is seen. */
interface Done {
    notice: Notice;
    name: PartName;
    generation: number;
}

function Everything() {
    const [done, setDone] = useState<Done | null>(null);
    const [generation, setGeneration] = useState(0);
    const [shown, setShown] = useState<Partial<Record<PartName, number>>>({});
    const say = useSay();
    const arrived = useCallback<PartProps["arrived"]>((name, of) => {
        setShown((before) => ({ ...before, [name]: of }));
    }, []);
    const close = (name: PartName, notice?: Notice): void => {
        if (notice === undefined) {
            // What was done before is still to be said, or to be read.
            keepFocus(name);
            return;
        }
        const next = generation + 1;
        say(null);
        setDone({ notice, name, generation: next });
        setGeneration(next);
    };
    // Not beside a table that still says otherwise.
    const seen = done !== null && (shown[done.name] ?? 0) >= done.generation ? done : null;
    useEffect(() => {
        if (seen === null) return;
        say(seen.notice);
        setDone(null);
        keepFocus(seen.name);
    }, [seen, say]);
    const part = (name: PartName): PartProps => ({
        name,
        generation,
        arrived,
        close: (notice) => close(name, notice),
    });
    return (
        <div className="otp-administration">
            <h1 className="otp-heading">{_("Two-factor login on this host")}</h1>
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

/** The button that opened a dialogue may be gone, and its row: the focus stays with the
 *  part that they were in. */
function keepFocus(name: PartName): void {
    // After the dialogue, which gives the focus back.
    window.setTimeout(() => {
        if (document.activeElement === document.body) focusPart(name);
    }, 400);
}
