import { forwardRef } from "react";
import { FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput";
import { _ } from "../translate";

interface NameFieldProps {
    id: string;
    value: string;
    onChange: (value: string) => void;
}

/** The field for what a device is called. */
export const NameField = forwardRef<HTMLInputElement, NameFieldProps>(function NameField(
    { id, value, onChange },
    ref,
) {
    return (
        <FormGroup label={_("Device name")} fieldId={id}>
            <TextInput
                ref={ref}
                id={id}
                value={value}
                onChange={(_event, text) => onChange(text)}
                autoComplete="off"
                maxLength={64}
                aria-describedby={`${id}-help`}
            />
            <FormHelperText>
                <HelperText id={`${id}-help`}>
                    <HelperTextItem>{_("To tell your devices apart, e.g. phone or tablet.")}</HelperTextItem>
                </HelperText>
            </FormHelperText>
        </FormGroup>
    );
});
