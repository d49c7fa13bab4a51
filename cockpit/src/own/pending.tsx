import { useState } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import type { Failure, Pending } from "../answers";
import { run } from "../command";
import { FailureAlert } from "../parts/failure";
import type { Notice } from "../parts/notices";
import { fill, _ } from "../translate";
import type { Asked } from "./dialogues";
import { isSame } from "./status";

interface PendingAlertProps {
    pending: Pending;
    /** Whether it is the user's first one. */
    first: boolean;
    open: (asked: Asked) => void;
    close: (notice?: Notice) => void;
}

/** A device whose first code is awaited. Its key cannot be shown again. */
export function PendingAlert({ pending, first, open, close }: PendingAlertProps) {
    const [failure, setFailure] = useState<Failure | null>(null);
    const discard = async (): Promise<void> => {
        const status = await run("status");
        if (!status.ok) return setFailure(status.failure);
        const there = status.answer.pending;
        if (there !== null && !isSame(there, pending)) {
            // What another window has begun is not what was to go.
            setFailure({ code: "pending_replaced", message: "", hint: null });
            return close();
        }
        const outcome = await run("cancel");
        // What was to go is gone, whoever did it.
        if (outcome.ok || outcome.failure.code === "no_pending") close({ title: _("The device was discarded.") });
        else setFailure(outcome.failure);
    };
    return (
        <>
            <Alert
                isInline
                variant="info"
                component="p"
                title={fill(_("The device “$name” waits for its first code."), { name: pending.name })}
                actionLinks={
                    <>
                        <Button
                            variant="link"
                            isInline
                            onClick={() => open({ dialogue: "activate", pending, first })}
                        >
                            {_("Enter its code")}
                        </Button>
                        <Button variant="link" isInline onClick={() => void discard()}>
                            {_("Discard")}
                        </Button>
                    </>
                }
            >
                {_(
                    "It was begun in another window or at another time, and has no effect yet. If the app has the key already, enter its code; the QR code cannot be shown again.",
                )}
            </Alert>
            {failure !== null && <FailureAlert failure={failure} />}
        </>
    );
}
