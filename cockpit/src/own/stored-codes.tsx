import { useEffect, useState } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import { Checkbox } from "@patternfly/react-core/dist/esm/components/Checkbox";
import { DialogueStep } from "../parts/dialogue";
import { RecoveryCodes } from "../parts/recovery-codes";
import { _ } from "../translate";

interface StoredCodesProps {
    title: string;
    codes: string[];
    user: string;
    done: () => void;
}

/** New recovery codes, which are not shown again: it closes when they are stored. */
export function StoredCodes({ title, codes, user, done }: StoredCodesProps) {
    const [stored, setStored] = useState(false);
    useEffect(() => {
        const leaving = (event: BeforeUnloadEvent): void => event.preventDefault();
        window.addEventListener("beforeunload", leaving);
        return () => window.removeEventListener("beforeunload", leaving);
    }, []);
    return (
        <DialogueStep title={title} action={_("Done")} blocked={!stored} submit={done}>
            <div tabIndex={-1} role="group" aria-label={_("Recovery codes")} className="otp-first">
                <Alert
                    isInline
                    variant="warning"
                    component="p"
                    title={_("Store these recovery codes now. They are not shown again.")}
                >
                    {_(
                        "Each of them lets you in once when no device is at hand. Keep them apart from the device, e.g. on paper or in a password manager.",
                    )}
                </Alert>
            </div>
            <RecoveryCodes codes={codes} user={user} />
            <Checkbox
                id="codes-stored"
                label={_("I have stored the recovery codes")}
                isChecked={stored}
                onChange={(_event, checked) => setStored(checked)}
            />
        </DialogueStep>
    );
}
