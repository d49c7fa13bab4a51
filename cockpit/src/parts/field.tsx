import { forwardRef } from "react";
import { FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText";
import { TextInput, type TextInputProps } from "@patternfly/react-core/dist/esm/components/TextInput";

interface FieldProps extends Omit<TextInputProps, "ref" | "onChange"> {
    id: string;
    label: string;
    value: string;
    onChange: (value: string) => void;
    /** Below the field, and read out with it: what is meant. */
    help: string;
}

/** A field with its name above and a sentence below. */
export const Field = forwardRef<HTMLInputElement, FieldProps>(function Field(
    { id, label, onChange, help, ...rest },
    ref,
) {
    return (
        <FormGroup label={label} fieldId={id}>
            <TextInput
                ref={ref}
                id={id}
                onChange={(_event, text) => onChange(text)}
                autoComplete="off"
                aria-describedby={`${id}-help`}
                {...rest}
            />
            <FormHelperText>
                <HelperText id={`${id}-help`}>
                    <HelperTextItem>{help}</HelperTextItem>
                </HelperText>
            </FormHelperText>
        </FormGroup>
    );
});
