import type { Pending } from "../answers";
import type { Notice } from ".";
import { ChangeDialogue } from "./change";
import { EnrolDialogue } from "./enrol";
import { RecoveryDialogue } from "./recovery";

/** What somebody wants to do. */
export type Asked =
    | { dialogue: "enable" }
    | { dialogue: "add" }
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
export function OwnDialogue({ asked, ...rest }: DialogueProps & { asked: Asked }) {
    switch (asked.dialogue) {
        case "enable":
            return <EnrolDialogue first {...rest} />;
        case "add":
            return <EnrolDialogue first={false} {...rest} />;
        case "activate":
            return <EnrolDialogue first={asked.first} pending={asked.pending} {...rest} />;
        case "recovery":
            return <RecoveryDialogue user={asked.user} {...rest} />;
        case "rename":
        case "remove":
        case "disable":
            return <ChangeDialogue asked={asked} {...rest} />;
    }
}
