import { forwardRef } from "react";
import { _ } from "../translate";
import { Field } from "./field";

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
        <Field
            ref={ref}
            id={id}
            label={_("Device name")}
            value={value}
            onChange={onChange}
            help={_("To tell your devices apart, e.g. phone or tablet.")}
            maxLength={64}
        />
    );
});
