import { forwardRef } from "react";
import { _ } from "../translate";
import { Field } from "./field";

interface CodeFieldProps {
    id: string;
    value: string;
    onChange: (value: string) => void;
    /** Below the field: which code is meant. */
    help: string;
    /** Whether a recovery code, which has letters, may be typed as well. */
    recovery?: boolean;
    invalid?: boolean;
}

/** The field for a code; what it is called is "Code". */
export const CodeField = forwardRef<HTMLInputElement, CodeFieldProps>(function CodeField(
    { id, value, onChange, help, recovery = false, invalid = false },
    ref,
) {
    return (
        <Field
            ref={ref}
            id={id}
            label={_("Code")}
            className="otp-code"
            value={value}
            onChange={onChange}
            help={help}
            inputMode={recovery ? "text" : "numeric"}
            autoComplete="one-time-code"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={64}
            validated={invalid ? "error" : "default"}
        />
    );
});

/** The field by which somebody who is enrolled proves it before a change. */
export function ProofField(field: { value: string; onChange: (value: string) => void; invalid: boolean }) {
    return (
        <CodeField
            id="proof"
            recovery
            help={_("The code that one of your devices shows, or a recovery code.")}
            {...field}
        />
    );
}
