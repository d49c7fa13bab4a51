import { useEffect, useId, useRef, type FormEvent, type ReactNode } from "react";
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
    /** Is another one with each step of a dialogue, and has the focus moved. */
    step?: string;
}

/** A dialogue with one form. Focus goes to the field that was refused, or to what has the
 *  class otp-first, or to the first field. */
export function Dialogue(props: DialogueProps) {
    const { title, action, isDanger = false, busy = false, blocked = false, submit, cancel, children } = props;
    const id = useId();
    const body = useRef<HTMLDivElement>(null);
    const { step = "" } = props;
    useEffect(() => {
        // After the dialogue's own trap, which takes the focus first.
        const timer = window.setTimeout(() => {
            const place = body.current;
            const field = place?.querySelector<HTMLElement>('[aria-invalid="true"]');
            const first = place?.querySelector<HTMLElement>(".otp-first, input");
            (field ?? first)?.focus({ preventScroll: true });
        }, 50);
        return () => window.clearTimeout(timer);
    }, [step, busy]);
    const submitted = (event: FormEvent): void => {
        event.preventDefault();
        if (!busy && !blocked) submit();
    };
    const leave = cancel !== undefined && !busy ? cancel : undefined;
    return (
        <Modal
            isOpen
            variant="medium"
            position="top"
            aria-labelledby={`${id}-title`}
            {...(cancel === undefined ? {} : { onClose: () => leave?.() })}
            {...(leave === undefined ? { onEscapePress: () => undefined } : {})}
        >
            <ModalHeader title={title} labelId={`${id}-title`} />
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
        </Modal>
    );
}
