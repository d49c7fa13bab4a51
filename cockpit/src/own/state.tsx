import type { ReactNode } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Card, CardBody, CardFooter, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card";
import {
    DescriptionList,
    DescriptionListDescription,
    DescriptionListGroup,
    DescriptionListTerm,
} from "@patternfly/react-core/dist/esm/components/DescriptionList";
import { Label } from "@patternfly/react-core/dist/esm/components/Label";
import type { Clock, Status, StatusOn } from "../answers";
import { Countdown } from "../parts/countdown";
import { now, when } from "../parts/times";
import { sentence, tooManyWrongCodes } from "../parts/words";
import { fill, plural, _ } from "../translate";
import type { Asked } from "./dialogues";

interface StateProps {
    status: Status;
    open: (asked: Asked) => void;
}

/** Whether it is on, and what is to be known of it. */
export function State({ status, open }: StateProps) {
    return (
        <Card>
            <CardHeader
                actions={{
                    hasNoOffset: true,
                    actions: status.enrolled ? (
                        <Button variant="secondary" isDanger onClick={() => open({ dialogue: "disable" })}>
                            {_("Disable two-factor login")}
                        </Button>
                    ) : (
                        <Button onClick={() => open({ dialogue: "enable" })}>
                            {_("Enable two-factor login")}
                        </Button>
                    ),
                }}
            >
                <CardTitle component="h1">
                    <span className="otp-title">
                        {_("Two-factor login")}
                        {status.enrolled ? (
                            <Label status="success">{_("On")}</Label>
                        ) : (
                            <Label>{_("Off")}</Label>
                        )}
                    </span>
                </CardTitle>
            </CardHeader>
            <CardBody>
                {!status.enrolled && (
                    <p className="otp-explained">
                        {_(
                            "With two-factor login, logging in as you takes your password and a code from an app on your phone. A stolen password alone is of no use then.",
                        )}
                    </p>
                )}
                <DescriptionList isHorizontal isCompact>
                    <Item term={_("User")}>{status.user}</Item>
                    {status.enrolled && <ItemsOfOn status={status} />}
                    <Item term={_("Server clock")}>{clockInWords(status.clock)}</Item>
                </DescriptionList>
            </CardBody>
            <Warnings status={status} />
        </Card>
    );
}

function ItemsOfOn({ status }: { status: StatusOn }) {
    const since = onSince(status);
    return (
        <>
            {since !== null && <Item term={_("On since")}>{when(since)}</Item>}
            <Item term={_("Last use")}>
                {status.last_right_code === null ? _("Never") : when(status.last_right_code)}
            </Item>
            {status.wrong_codes_since > 0 && (
                <Item term={_("Wrong codes since then")}>
                    {status.last_wrong_code === null
                        ? String(status.wrong_codes_since)
                        : fill(_("$count, the last one on $time"), {
                              count: status.wrong_codes_since,
                              time: when(status.last_wrong_code),
                          })}
                </Item>
            )}
        </>
    );
}

/** Since when it is on: since its oldest device came; null if that is not known. */
function onSince({ tokens }: StatusOn): number | null {
    const times = tokens.map(({ added }) => added ?? null);
    const known = times.filter((time) => time !== null);
    return known.length === times.length ? Math.min(...known) : null;
}

function clockInWords({ synchronised, daemon }: Clock): string {
    if (synchronised === false) return _("Not synchronised");
    const text = synchronised === null ? _("Not known") : _("Synchronised");
    return daemon === null ? text : `${text} (${daemon})`;
}

function Warnings({ status }: { status: Status }) {
    const shown: ReactNode[] = status.warnings.map((text) => (
        <Alert key={text} isInline variant="warning" component="p" title={sentence(text)} />
    ));
    if (status.clock.synchronised === false) {
        shown.push(
            <Alert
                key="clock"
                isInline
                variant="warning"
                component="p"
                title={_("The clock of this server is not synchronised.")}
            >
                {_("Codes depend on the time: when it is wrong, right codes are refused. Tell an administrator.")}
            </Alert>,
        );
    }
    if (status.enrolled) {
        const wait = status.throttled_until === null ? 0 : status.throttled_until - (status.clock.time ?? now());
        if (wait > 0) {
            const { message, advice } = tooManyWrongCodes();
            shown.push(
                <Alert key="throttled" isInline variant="warning" component="p" title={message}>
                    {advice.map((text) => (
                        <p key={text}>{text}</p>
                    ))}
                    <Countdown seconds={wait} />
                </Alert>,
            );
        }
        if (status.recovery_codes_left <= FEW) shown.push(<FewCodes key="few" left={status.recovery_codes_left} />);
    }
    return shown.length === 0 ? null : <CardFooter className="otp-warnings">{shown}</CardFooter>;
}

/** So few recovery codes are worth a warning. */
const FEW = 3;

function FewCodes({ left }: { left: number }) {
    const title =
        left === 0
            ? _("No recovery codes are left.")
            : plural("Only $count recovery code is left.", "Only $count recovery codes are left.", left);
    return (
        <Alert isInline variant="warning" component="p" title={title}>
            {_("Without them nobody but an administrator can let you in when your device is lost. Make new ones.")}
        </Alert>
    );
}

function Item({ term, children }: { term: string; children: ReactNode }) {
    return (
        <DescriptionListGroup>
            <DescriptionListTerm>{term}</DescriptionListTerm>
            <DescriptionListDescription>{children}</DescriptionListDescription>
        </DescriptionListGroup>
    );
}
