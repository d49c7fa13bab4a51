/** What becomes of those who are required and have no two-factor login. */

import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import type { Unenrolled } from "../answers";
import { fill, _ } from "../translate";
import { Name } from "./name";
import { elsewhere, type Rules } from "./policy";

/** Before a list is changed: whether anybody is refused by it is seen. */
export function UnenrolledAlert(rules: Rules) {
    const { unenrolled, by } = rules;
    if (unenrolled === null) return null;
    const refuses = (rule: Unenrolled): boolean => rule !== "enroll";
    const some = [unenrolled, ...elsewhere(rules).map((at) => at.unenrolled)].some(refuses);
    return (
        <Alert isInline variant={some ? "warning" : "info"} component="p" title={inWords(unenrolled, by)}>
            <Others {...rules} />
            {some && (
                <p>
                    {_("Where they are refused, the policy lets nobody enable it at the login: they must have enabled it before.")}
                </p>
            )}
        </Alert>
    );
}

/** Below a list. */
export function UnenrolledText(rules: Rules) {
    const { unenrolled, by } = rules;
    if (unenrolled === null) return null;
    return (
        <>
            <p>{inWords(unenrolled, by)}</p>
            <Others {...rules} />
        </>
    );
}

/** Services where it is another thing. */
function Others(rules: Rules) {
    return elsewhere(rules).map(({ service, unenrolled, by }) => (
        <p key={service}>
            <strong>
                <Name>{service}</Name>
            </strong>
            {": "}
            {inWords(unenrolled, by)}
        </p>
    ));
}

function inWords(unenrolled: Unenrolled, by: string | null): string {
    if (unenrolled !== "enroll") {
        return by === null
            ? _("Who of them has no two-factor login is refused from now on.")
            : _("Who of them has no two-factor login is refused from now on: the day puts nothing off.");
    }
    if (by === null) return _("Who of them has no two-factor login enables it as part of the next login.");
    return fill(
        _("Who of them has no two-factor login is asked at the login to enable it. Before $day they may put it off."),
        { day: by },
    );
}
