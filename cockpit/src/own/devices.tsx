import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table";
import type { StatusOn, Token } from "../answers";
import { when } from "../parts/times";
import { fill, _ } from "../translate";
import type { Asked } from "./dialogues";

interface DevicesProps {
    status: StatusOn;
    open: (asked: Asked) => void;
}

/** The devices that show codes. */
export function Devices({ status, open }: DevicesProps) {
    const dated = status.tokens.some(({ added }) => added != null);
    const only = status.tokens.length === 1;
    return (
        <Card>
            <CardHeader
                actions={{
                    hasNoOffset: true,
                    actions: (
                        <Button variant="secondary" onClick={() => open({ dialogue: "add" })}>
                            {_("Add device")}
                        </Button>
                    ),
                }}
            >
                <CardTitle component="h2">{_("Devices")}</CardTitle>
            </CardHeader>
            <CardBody>
                <Table variant="compact" aria-label={_("Devices")} gridBreakPoint="grid-md">
                    <Thead>
                        <Tr>
                            <Th>{_("Name")}</Th>
                            <Th>{_("Kind")}</Th>
                            {dated && <Th>{_("Added")}</Th>}
                            <Th screenReaderText={_("Actions")} />
                        </Tr>
                    </Thead>
                    <Tbody>
                        {status.tokens.map((token) => (
                            <Tr key={token.name}>
                                <Td dataLabel={_("Name")} className="otp-name">
                                    {token.name}
                                </Td>
                                <Td dataLabel={_("Kind")}>{kind(token)}</Td>
                                {dated && (
                                    <Td dataLabel={_("Added")}>
                                        {token.added == null ? _("Not known") : when(token.added)}
                                    </Td>
                                )}
                                <Td className="otp-actions">
                                    <span className="otp-buttons">
                                        <Button
                                            variant="secondary"
                                            size="sm"
                                            aria-label={fill(_("Rename $name"), { name: token.name })}
                                            onClick={() => open({ dialogue: "rename", name: token.name })}
                                        >
                                            {_("Rename")}
                                        </Button>
                                        <Button
                                            variant="secondary"
                                            size="sm"
                                            aria-label={fill(_("Replace $name"), { name: token.name })}
                                            onClick={() => open({ dialogue: "replace", name: token.name })}
                                        >
                                            {_("Replace")}
                                        </Button>
                                        <Button
                                            variant="secondary"
                                            isDanger
                                            size="sm"
                                            aria-label={fill(_("Remove $name"), { name: token.name })}
                                            isAriaDisabled={only}
                                            onClick={() => {
                                                if (!only) open({ dialogue: "remove", name: token.name });
                                            }}
                                        >
                                            {_("Remove")}
                                        </Button>
                                    </span>
                                </Td>
                            </Tr>
                        ))}
                    </Tbody>
                </Table>
                {only && <p className="otp-small">{_("The only device can be replaced, but not removed.")}</p>}
                <p className="otp-small">
                    {_(
                        "If a device is lost, or you have a new one, replace it. Where no device shows a code any more, a recovery code will do.",
                    )}
                </p>
            </CardBody>
        </Card>
    );
}

function kind({ type, digits, period, algorithm }: Token): string {
    const words =
        type === "totp"
            ? fill(_("Time-based, $digits digits every $period seconds"), { digits, period: period ?? 30 })
            : fill(_("Counter-based, $digits digits"), { digits });
    return algorithm === "SHA1" ? words : `${words} (${algorithm})`;
}
