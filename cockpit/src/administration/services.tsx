import { useState } from "react";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Label } from "@patternfly/react-core/dist/esm/components/Label";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table";
import { when } from "../parts/times";
import { inWords, sentence } from "../parts/words";
import { fill, _ } from "../translate";
import type { PartProps } from ".";
import { Name } from "./name";
import { Part } from "./part";
import { KeepDialogue, SwitchOffDialogue } from "./service-end";
import { useServices, type Service } from "./service-list";
import { SwitchOnDialogue } from "./service-on";

type Deed = "on" | "off" | "keep";

/** Which services ask for a code, with a switch for each. */
export function Services(part: PartProps) {
    const { generation, close } = part;
    const reading = useServices(generation);
    const [asked, ask] = useState<{ deed: Deed; service: Service } | null>(null);
    const leave: typeof close = (notice) => {
        ask(null);
        close(notice);
    };
    return (
        <Part
            part={part}
            title={_("Services")}
            explained={_("A service that is on asks users with two-factor login for a code. It refuses users without, unless the policy lets them in.")}
            reading={reading}
        >
            {({ services, enrolled }) => (
                <>
                    <Table role="table" variant="compact" aria-label={_("Services")} gridBreakPoint="grid-md">
                        <Thead>
                            <Tr>
                                <Th>{_("Service")}</Th>
                                <Th>{_("Asks for a code")}</Th>
                                <Th screenReaderText={_("Actions")} />
                            </Tr>
                        </Thead>
                        <Tbody>
                            {services.map((service) => (
                                <Row
                                    key={service.name}
                                    service={service}
                                    ask={(deed) => ask({ deed, service })}
                                />
                            ))}
                        </Tbody>
                    </Table>
                    {asked?.deed === "on" && (
                        <SwitchOnDialogue service={asked.service} enrolled={enrolled} close={leave} />
                    )}
                    {asked?.deed === "off" && <SwitchOffDialogue service={asked.service} close={leave} />}
                    {asked?.deed === "keep" && <KeepDialogue service={asked.service} close={leave} />}
                </>
            )}
        </Part>
    );
}

function Row({ service, ask }: { service: Service; ask: (deed: Deed) => void }) {
    return (
        <Tr>
            <Td dataLabel={_("Service")} className="otp-name">
                <strong>
                    <Name>{service.name}</Name>
                </strong>
                <p className="otp-small">{about(service.name)}</p>
            </Td>
            <Td dataLabel={_("Asks for a code")}>
                <span className="otp-title">
                    <StateLabel service={service} />
                </span>
                {explained(service).map((text) => (
                    <p key={text} className="otp-small otp-name">
                        {text}
                    </p>
                ))}
            </Td>
            <Td className="otp-actions">
                <span className="otp-row-buttons">
                    {service.state === "off" && (
                        <Deed label={_("Switch on")} name={fill(_("Switch on $service"), { service: service.name })} act={() => ask("on")} />
                    )}
                    {service.state === "trial" && (
                        <Deed label={_("Keep")} name={fill(_("Keep $service"), { service: service.name })} act={() => ask("keep")} />
                    )}
                    {(service.state === "on" || service.state === "trial") && (
                        <Deed
                            label={_("Switch off")}
                            name={fill(_("Switch off $service"), { service: service.name })}
                            isDanger
                            act={() => ask("off")}
                        />
                    )}
                </span>
            </Td>
        </Tr>
    );
}

interface DeedProps {
    label: string;
    name: string;
    isDanger?: boolean;
    act: () => void;
}

function Deed({ label, name, isDanger = false, act }: DeedProps) {
    return (
        <Button variant="secondary" size="sm" isDanger={isDanger} aria-label={name} onClick={act}>
            {label}
        </Button>
    );
}

function StateLabel({ service }: { service: Service }) {
    switch (service.state) {
        case "on":
            return <Label status="success">{_("On")}</Label>;
        case "by_hand":
            return <Label status="success">{_("On, set up by hand")}</Label>;
        case "trial":
            return <Label status="warning">{_("On trial")}</Label>;
        case "off":
            return <Label>{_("Off")}</Label>;
        case "unfit":
            return <Label status="danger">{_("Cannot be switched here")}</Label>;
    }
}

function explained({ state, trialUntil, failure, verdict }: Service): string[] {
    const texts: string[] = [];
    if (state === "trial" && trialUntil !== null) {
        texts.push(
            fill(_("Undone on $time, unless somebody logs in with a code and you choose “Keep”."), {
                time: when(trialUntil),
            }),
        );
    }
    if (failure !== null) {
        const { message, advice } = inWords(failure);
        texts.push(message, ...advice);
    }
    if (verdict !== null && state !== "off") texts.push(sentence(verdict));
    return texts;
}

function about(service: string): string {
    switch (service) {
        case "sshd":
            return _("Logins by SSH");
        case "sudo":
            return _("Commands as another user, with sudo");
        case "su":
            return _("Becoming another user, with su");
        case "login":
            return _("Logins at the console");
        case "cockpit":
            return _("Logins to this web console");
        default:
            return "";
    }
}
