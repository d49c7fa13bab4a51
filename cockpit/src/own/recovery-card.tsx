import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card";
import type { StatusOn } from "../answers";
import { plural, _ } from "../translate";
import type { Asked } from "./dialogues";

interface RecoveryCardProps {
    status: StatusOn;
    open: (asked: Asked) => void;
}

/** How many recovery codes are left, and new ones. */
export function RecoveryCard({ status, open }: RecoveryCardProps) {
    const left = status.recovery_codes_left;
    return (
        <Card>
            <CardHeader
                actions={{
                    hasNoOffset: true,
                    actions: (
                        <Button variant="secondary" onClick={() => open({ dialogue: "recovery", user: status.user })}>
                            {_("New recovery codes")}
                        </Button>
                    ),
                }}
            >
                <CardTitle component="h2">{_("Recovery codes")}</CardTitle>
            </CardHeader>
            <CardBody>
                <p className="otp-explained">
                    {_("Each of them lets you in once, in the place of a code, when no device is at hand.")}
                </p>
                <p>
                    {left === 0
                        ? _("None is left.")
                        : plural("$count recovery code is left.", "$count recovery codes are left.", left)}
                </p>
            </CardBody>
        </Card>
    );
}
