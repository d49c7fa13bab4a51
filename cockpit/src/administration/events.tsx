import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Label } from "@patternfly/react-core/dist/esm/components/Label";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table";
import type { LoggedEvent } from "../answers";
import { when } from "../parts/times";
import { visible } from "../parts/visible";
import { fill, _ } from "../translate";
import type { PartProps } from ".";
import { useAnswer } from "./answer";
import { Name } from "./name";
import { Part } from "./part";

const LAST = ["--lines", "50"];

/** The last logins and changes, as the system's log has them; the newest first. */
export function Events(part: PartProps) {
    const reading = useAnswer("events", LAST, part.generation);
    return (
        <Part
            part={part}
            title={_("Last events")}
            reading={reading}
            actions={
                <Button variant="secondary" onClick={() => void reading.read()}>
                    {_("Refresh")}
                </Button>
            }
        >
            {({ events, stopped }) =>
                events.length === 0 ? (
                    <p className="otp-said">
                        {stopped
                            ? _("What was looked at of the log has nothing about two-factor login.")
                            : _("The log has nothing about two-factor login.")}
                    </p>
                ) : (
                    <Table role="table" variant="compact" aria-label={_("Last events")} gridBreakPoint="grid-md">
                        <Thead>
                            <Tr>
                                <Th>{_("Time")}</Th>
                                <Th>{_("Event")}</Th>
                                <Th>{_("User")}</Th>
                                <Th>{_("Service")}</Th>
                                <Th>{_("From")}</Th>
                            </Tr>
                        </Thead>
                        <Tbody>
                            {events
                                .map((event, place) => <Row key={place} event={event} />)
                                .reverse()}
                        </Tbody>
                    </Table>
                )
            }
        </Part>
    );
}

function Row({ event }: { event: LoggedEvent }) {
    return (
        <Tr>
            <Td dataLabel={_("Time")}>{when(event.time)}</Td>
            <Td dataLabel={_("Event")}>
                <span className="otp-title">
                    <Outcome event={event} />
                    <span className="otp-name">
                        <Name>{why(event)}</Name>
                    </span>
                    {event.writer !== null && event.writer !== 0 && (
                        <Label status="warning">
                            {fill(_("Written by user id $id, not by root"), { id: event.writer })}
                        </Label>
                    )}
                </span>
            </Td>
            <Td dataLabel={_("User")} className="otp-name">
                <Name>{event.user ?? "–"}</Name>
            </Td>
            <Td dataLabel={_("Service")} className="otp-name">
                <Name>{event.service ?? "–"}</Name>
            </Td>
            <Td dataLabel={_("From")} className="otp-name">
                <Name>{event.source ?? "–"}</Name>
            </Td>
        </Tr>
    );
}

function Outcome({ event }: { event: LoggedEvent }) {
    if (event.action !== null) return <Label status="info">{_("Changed")}</Label>;
    switch (event.outcome) {
        case "granted":
        case "enrolled":
            return <Label status="success">{_("Right code")}</Label>;
        case "denied":
            return <Label status="danger">{_("Refused")}</Label>;
        case "skipped":
            return <Label>{_("No code asked")}</Label>;
        default:
            return <Label>{event.outcome === null ? _("Not known") : visible(event.outcome)}</Label>;
    }
}

/** The log's own word for the reason, which the manual page explains. */
function why({ action, by, reason }: LoggedEvent): string {
    if (action !== null) return by === null ? action : fill(_("$action by $user"), { action, user: by });
    return reason?.replaceAll("_", " ") ?? "";
}
