import {
    createContext,
    useContext,
    useEffect,
    useId,
    useMemo,
    useRef,
    useState,
    type FormEvent,
    type ReactNode,
} from "react";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Form } from "@patternfly/react-core/dist/esm/components/Form";
import {
    Modal,
    ModalBody,
    ModalFooter,
    ModalHeader,
} from "@patternfly/react-core/dist/esm/components/Modal";
import { _ } from "../translate";

interface DialogueProps {
    title: string;
    /** What its main button says. */
    action: string;
    isDanger?: boolean;
    /** Whether the command runs: nothing can be pressed then. */
    busy?: boolean;
    /** Whether the main button may not be pressed yet. */
    blocked?: boolean;
    submit: () => void;
    /** Without it, the dialogue cannot be left but by its main button. */
    cancel?: () => void;
    children: ReactNode;
}

/** A dialogue with one form. */
export function Dialogue(props: DialogueProps) {
    return (
        <DialogueFrame>
            <DialogueStep {...props} />
        </DialogueFrame>
    );
}

/** What the frame is told by the step in it. */
interface FrameContext {
    titleId: string;
    /** How the dialogue is left by Escape and its cross; null while it cannot be. */
    tell: (closable: boolean, leave: (() => void) | null) => void;
}

const Frame = createContext<FrameContext>({ titleId: "", tell: () => undefined });

/** Holds one DialogueStep after the other. It stays, and keeps the focus inside. */
export function DialogueFrame({ children }: { children: ReactNode }) {
    const titleId = useId();
    const leave = useRef<(() => void) | null>(null);
    const [closable, setClosable] = useState(false);
    useEffect(() => {
        // Escape would end the trap that keeps the focus inside, and leave the dialogue open.
        const held = (event: KeyboardEvent): void => {
            if (event.key === "Escape" && leave.current === null) event.stopImmediatePropagation();
        };
        window.addEventListener("keydown", held, { capture: true });
        return () => window.removeEventListener("keydown", held, { capture: true });
    }, []);
    const frame = useMemo(() => {
        const tell: FrameContext["tell"] = (now, how) => {
            leave.current = how;
            setClosable(now);
        };
        return { titleId, tell };
    }, [titleId]);
    return (
        <Modal
            isOpen
            variant="medium"
            position="top"
            aria-labelledby={titleId}
            {...(closable ? { onClose: () => leave.current?.() } : {})}
        >
            <Frame.Provider value={frame}>{children}</Frame.Provider>
        </Modal>
    );
}

/** One step of a dialogue. Focus goes to the field that was refused, or to what has the
 *  class otp-first, or to the first field. */
export function DialogueStep(props: DialogueProps) {
    const { title, action, isDanger = false, busy = false, blocked = false, submit, cancel, children } = props;
    const id = useId();
    const { titleId, tell } = useContext(Frame);
    const body = useRef<HTMLDivElement>(null);
    const leave = cancel !== undefined && !busy ? cancel : null;
    useEffect(() => {
        tell(cancel !== undefined, leave);
    });
    useEffect(() => {
        if (busy) return undefined;
        // After the dialogue's own trap, which takes the focus first.
        const timer = window.setTimeout(() => {
            const place = body.current;
            const field = place?.querySelector<HTMLElement>('[aria-invalid="true"]');
            const first = place?.querySelector<HTMLElement>(".otp-first, input");
            (field ?? first)?.focus({ preventScroll: true });
            // Where there is little room: the field to be filled again, and what was wrong.
            void field?.closest(".pf-v6-c-form__group")?.scrollIntoView({ block: "nearest" });
            void place?.querySelector('[role="alert"]')?.scrollIntoView({ block: "nearest" });
        }, 50);
        return () => window.clearTimeout(timer);
    }, [busy]);
    const submitted = (event: FormEvent): void => {
        event.preventDefault();
        if (!busy && !blocked) submit();
    };
    return (
        <>
            <ModalHeader title={title} labelId={titleId} />
            <ModalBody tabIndex={0} aria-label={title}>
                <div ref={body}>
                    <Form id={`${id}-form`} onSubmit={submitted} noValidate>
                        {children}
                    </Form>
                </div>
            </ModalBody>
            <ModalFooter>
                <Button
                    type="submit"
                    form={`${id}-form`}
                    variant={isDanger ? "danger" : "primary"}
                    isLoading={busy}
                    isDisabled={busy || blocked}
                >
                    {action}
                </Button>
                {cancel !== undefined && (
                    <Button variant="link" onClick={() => leave?.()}>
                        {_("Cancel")}
                    </Button>
                )}
            </ModalFooter>
        </>
    );
}
