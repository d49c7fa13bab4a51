import { createContext, useCallback, useContext, useRef, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { Alert, AlertActionCloseButton } from "@patternfly/react-core/dist/esm/components/Alert";
import { sentence } from "./words";

/** What was done. */
export interface Notice {
    title: string;
    /** pam-otp's warnings, and what else is to be known. */
    texts?: string[];
    isWarning?: boolean;
}

/** Says what was done, in the place of what was said before; null for nothing. */
type Say = (notice: Notice | null) => void;

const Saying = createContext<Say>(() => undefined);

export function useSay(): Say {
    return useContext(Saying);
}

/** Milliseconds after which what has nothing to be read beside its title goes by itself. */
const BRIEF = 15_000;

/** The place for what was done: in sight wherever the page is scrolled to, and read out;
 *  the focus stays where it is. */
export function Notices({ children }: { children: ReactNode }) {
    const [said, setSaid] = useState<{ notice: Notice; number: number } | null>(null);
    const count = useRef(0);
    const say = useCallback<Say>((notice) => {
        count.current += 1;
        setSaid(notice && { notice, number: count.current });
    }, []);
    return (
        <Saying.Provider value={say}>
            {children}
            {createPortal(
                <div role="status" className="otp-notices">
                    {said !== null && <NoticeAlert key={said.number} notice={said.notice} end={() => say(null)} />}
                </div>,
                document.body,
            )}
        </Saying.Provider>
    );
}

function NoticeAlert({ notice: { title, texts = [], isWarning = false }, end }: { notice: Notice; end: () => void }) {
    return (
        <Alert
            variant={isWarning ? "warning" : "success"}
            component="p"
            title={title}
            timeout={texts.length === 0 && !isWarning && BRIEF}
            onTimeout={end}
            actionClose={<AlertActionCloseButton onClose={end} />}
        >
            {texts.map((text) => (
                <p key={text}>{sentence(text)}</p>
            ))}
        </Alert>
    );
}
