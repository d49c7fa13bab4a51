import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card";
import type { Status } from "../answers";
import { _ } from "../translate";

interface StateProps {
    status: Status;
    /** Reads the state again. */
    changed: () => Promise<void>;
}

export function State({ status }: StateProps) {
    return (
        <Card>
            <CardHeader>
                <CardTitle component="h2">{_("Two-factor login")}</CardTitle>
            </CardHeader>
            <CardBody>{status.enrolled ? _("On") : _("Off")}</CardBody>
        </Card>
    );
}
