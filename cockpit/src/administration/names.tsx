import { useState } from "react";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table";
import type { Exempt, Required } from "../answers";
import { fill, _ } from "../translate";
import type { PartProps } from ".";
import { useAnswer } from "./answer";
import { Name } from "./name";
import { AddDialogue, DayDialogue, RemoveDialogue } from "./names-dialogues";
import { reaching, sections, type Kind, type Listed, type Section } from "./policy";
import { Part } from "./part";
import { UnenrolledText } from "./unenrolled";

const NOTHING: string[] = [];

type Asked =
    | { dialogue: "add" }
    | { dialogue: "day"; section: Section }
    | { dialogue: "remove"; section: Section; name: Listed };

/** Whom the policy requires to have two-factor login, or exempts from it. */
export function NamesCard({ kind, ...part }: PartProps & { kind: Kind }) {
    const { generation, close } = part;
    const reading = useAnswer<"require" | "exempt">(kind, NOTHING, generation);
    const [asked, ask] = useState<Asked | null>(null);
    const { title, explained, add } = words(kind);
    const leave: typeof close = (notice) => {
        ask(null);
        close(notice);
    };
    return (
        <Part<Required | Exempt>
            part={part}
            title={title}
            explained={explained}
            reading={reading}
            actions={
                <Button variant="secondary" onClick={() => ask({ dialogue: "add" })}>
                    {add}
                </Button>
            }
        >
            {(answer) => (
                <>
                    {sections(answer).map((section) => (
                        <SectionTable
                            key={section.service ?? ""}
                            kind={kind}
                            section={section}
                            ask={ask}
                        />
                    ))}
                    {asked?.dialogue === "add" && <AddDialogue kind={kind} close={leave} />}
                    {asked?.dialogue === "day" && <DayDialogue section={asked.section} close={leave} />}
                    {asked?.dialogue === "remove" && (
                        <RemoveDialogue kind={kind} section={asked.section} name={asked.name} close={leave} />
                    )}
                </>
            )}
        </Part>
    );
}

interface SectionTableProps {
    kind: Kind;
    section: Section;
    ask: (asked: Asked) => void;
}

/** One list: of all services, or of one that has a list of its own. */
function SectionTable({ kind, section, ask }: SectionTableProps) {
    const title =
        section.service === null
            ? words(kind).title
            : fill(_("Only for the service $service"), { service: section.service });
    return (
        <>
            {section.service !== null && <h3 className="otp-heading">{title}</h3>}
            {section.names.length === 0 ? (
                <p className="otp-said">{words(kind).nobody}</p>
            ) : (
                <Table role="table" variant="compact" aria-label={title} gridBreakPoint="grid-md">
                    <Thead>
                        <Tr>
                            <Th>{_("Name")}</Th>
                            <Th>{_("Kind")}</Th>
                            <Th screenReaderText={_("Actions")} />
                        </Tr>
                    </Thead>
                    <Tbody>
                        {section.names.map((name) => (
                            <Tr key={`${name.kind} ${name.name}`}>
                                <Td dataLabel={_("Name")} className="otp-name">
                                    <Name>{name.name}</Name>
                                </Td>
                                <Td dataLabel={_("Kind")}>{kindOf(name)}</Td>
                                <Td className="otp-actions">
                                    <Button
                                        variant="secondary"
                                        size="sm"
                                        isDanger
                                        aria-label={fill(words(kind).removeName, { name: name.name })}
                                        onClick={() => ask({ dialogue: "remove", section, name })}
                                    >
                                        {_("Remove")}
                                    </Button>
                                </Td>
                            </Tr>
                        ))}
                    </Tbody>
                </Table>
            )}
            {kind === "require" && section.names.length > 0 && (
                <div className="otp-day">
                    <p>
                        {section.by !== null && section.unenrolled === "enroll"
                            ? fill(_("They need two-factor login from $day on."), { day: section.by })
                            : _("They need two-factor login at once.")}{" "}
                        <Button variant="link" isInline onClick={() => ask({ dialogue: "day", section })}>
                            {_("Change the day")}
                        </Button>
                    </p>
                    <UnenrolledText {...reaching(section, ["users", "groups"])} />
                </div>
            )}
        </>
    );
}

function kindOf({ kind }: Listed): string {
    switch (kind) {
        case "user":
            return _("User");
        case "group":
            return _("Group");
        case "network":
            return _("Network");
    }
}

function words(kind: Kind) {
    return kind === "require"
        ? {
              title: _("Required"),
              explained: _("These users, and the members of these groups, must have two-factor login."),
              add: _("Require two-factor login"),
              nobody: _("Nobody is required by name."),
              removeName: _("Do not require $name"),
          }
        : {
              title: _("Exempt"),
              explained: _("These users, members of these groups, and clients of these networks are asked for no code."),
              add: _("Add exemption"),
              nobody: _("Nobody is exempt."),
              removeName: _("Do not exempt $name"),
          };
}
