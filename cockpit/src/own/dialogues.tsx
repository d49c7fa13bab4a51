import type { Pending } from "../answers";
import { DialogueFrame } from "../parts/dialogue";
import type { Notice } from "../parts/notices";
import { ChangeStep } from "./change";
import { EnrolSteps } from "./enrol";
import { RecoverySteps } from "./recovery";

/** What somebody wants to do. */
export type Asked =
    | { dialogue: "enable" }
    | { dialogue: "add" }
    | { dialogue: "replace"; name: string }
    | { dialogue: "activate"; pending: Pending; first: boolean }
    | { dialogue: "rename"; name: string }
    | { dialogue: "remove"; name: string }
    | { dialogue: "recovery"; user: string }
    | { dialogue: "disable" };

export interface DialogueProps {
    close: (notice?: Notice) => void;
    /** Reads the state again. */
    read: () => Promise<void>;
}

/** One dialogue at a time. What it was told is dropped when it closes. */
export function OwnDialogue(props: DialogueProps & { asked: Asked }) {
    return (
        <DialogueFrame>
            <Steps {...props} />
        </DialogueFrame>
    );
}

function Steps({ asked, ...rest }: DialogueProps & { asked: Asked }) {
    switch (asked.dialogue) {
        case "enable":
            return <EnrolSteps first {...rest} />;
        case "add":
            return <EnrolSteps first={false} {...rest} />;
        case "replace":
            return <EnrolSteps first={false} replaces={asked.name} {...rest} />;
        case "activate":
            return (
                <EnrolSteps
                    first={asked.first}
                    replaces={asked.pending.replaces}
                    pending={asked.pending}
                    {...rest}
                />
            );
        case "recovery":
            return <RecoverySteps user={asked.user} {...rest} />;
        case "rename":
        case "remove":
        case "disable":
            return <ChangeStep asked={asked} {...rest} />;
    }
}
