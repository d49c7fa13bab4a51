import { useRef, useState, type ReactNode } from "react";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { CopyIcon } from "@patternfly/react-icons/dist/esm/icons/copy-icon";
import { _ } from "../translate";

interface CopyButtonProps {
    text: string;
    /** What the button is called. */
    children: ReactNode;
    variant?: "secondary" | "link";
}

/** Copies a text, and says whether that was done. */
export function CopyButton({ text, children, variant = "secondary" }: CopyButtonProps) {
    const [said, say] = useState("");
    const place = useRef<HTMLSpanElement>(null);
    const copy = async (): Promise<void> => {
        const done = await copied(text, place.current);
        say(done ? _("Copied.") : _("The browser did not let this be copied: select it, and copy it by hand."));
    };
    return (
        <span ref={place} className="otp-copy">
            <Button variant={variant} icon={<CopyIcon />} onClick={() => void copy()}>
                {children}
            </Button>
            <span role="status" className="otp-said">
                {said}
            </span>
        </span>
    );
}

async function copied(text: string, place: HTMLElement | null): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        return place !== null && copiedBySelection(text, place);
    }
}

/** For pages without TLS, to which browsers give no clipboard. */
function copiedBySelection(text: string, place: HTMLElement): boolean {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "otp-off-screen";
    // Inside the dialogue, which keeps the focus to itself.
    place.append(area);
    const focused = document.activeElement;
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
}
