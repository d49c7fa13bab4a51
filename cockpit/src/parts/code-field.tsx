import { forwardRef } from "react";
import { FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput";
import { _ } from "../translate";

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
        <FormGroup label={_("Code")} fieldId={id}>
            <TextInput
                ref={ref}
                id={id}
                className="otp-code"
                value={value}
                onChange={(_event, text) => onChange(text)}
                inputMode={recovery ? "text" : "numeric"}
                autoComplete="one-time-code"
                autoCapitalize="none"
                spellCheck={false}
                maxLength={64}
                validated={invalid ? "error" : "default"}
                aria-describedby={`${id}-help`}
            />
            <FormHelperText>
                <HelperText id={`${id}-help`}>
                    <HelperTextItem>{help}</HelperTextItem>
                </HelperText>
            </FormHelperText>
        </FormGroup>
    );
});
