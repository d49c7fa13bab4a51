import { useState } from "react";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { FormSelect, FormSelectOption } from "@patternfly/react-core/dist/esm/components/FormSelect";
import { Label } from "@patternfly/react-core/dist/esm/components/Label";
import { SearchInput } from "@patternfly/react-core/dist/esm/components/SearchInput";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table";
import type { ListedUser } from "../answers";
import { date, when } from "../parts/times";
import { visible } from "../parts/visible";
import { sentence } from "../parts/words";
import { fill, plural, _ } from "../translate";
import type { PartProps } from ".";
import { useAnswer } from "./answer";
import { Name } from "./name";
import { Part } from "./part";
import { UserDialogue, type UserAction } from "./user-dialogue";

/** So many rows at first: what is below is not far, and a host may have thousands. */
const ROWS = 20;
/** And so many more. */
const MORE = 500;

const ALL = ["--all"];

/** Everybody, whether two-factor login is on or off. */
export function Users(part: PartProps) {
    const reading = useAnswer("list", ALL, part.generation);
    const [asked, ask] = useState<{ action: UserAction; user: ListedUser } | null>(null);
    return (
        <Part part={part} title={_("Users")} reading={reading}>
            {({ users }) => (
                <>
                    <Found users={users} ask={(action, user) => ask({ action, user })} />
                    {asked !== null && (
                        <UserDialogue
                            {...asked}
                            close={(notice) => {
                                ask(null);
                                part.close(notice);
                            }}
                        />
                    )}
                </>
            )}
        </Part>
    );
}

/** `people`: without accounts of the system's own that have no record. */
type Filter = "people" | "all" | ListedUser["state"] | "waiting";

interface FoundProps {
    users: ListedUser[];
    ask: (action: UserAction, user: ListedUser) => void;
}

function Found({ users, ask }: FoundProps) {
    const [text, setText] = useState("");
    const [filter, setFilter] = useState<Filter>("people");
    const [rows, setRows] = useState(ROWS);
    const found = users.filter((user) => has(user, text.trim(), filter)).sort(byNeed);
    const shown = found.slice(0, rows);
    return (
        <>
            <div className="otp-toolbar" role="search" aria-label={_("Users")}>
                <SearchInput
                    aria-label={_("Search")}
                    placeholder={_("Search by name")}
                    value={text}
                    onChange={(_event, value) => setText(value)}
                    onClear={() => setText("")}
                    resetButtonLabel={_("Clear the search")}
                />
                <FormSelect
                    aria-label={_("State")}
                    value={filter}
                    onChange={(_event, value) => setFilter(value as Filter)}
                >
                    {filters().map(([value, label]) => (
                        <FormSelectOption key={value} value={value} label={label} />
                    ))}
                </FormSelect>
                <span role="status" className="otp-said">
                    {fill(_("$found of $all users"), { found: found.length, all: users.length })}
                </span>
            </div>
            <Table role="table" variant="compact" aria-label={_("Users")} gridBreakPoint="grid-lg">
                <Thead>
                    <Tr>
                        <Th>{_("Name")}</Th>
                        <Th>{_("State")}</Th>
                        <Th>{_("On since")}</Th>
                        <Th modifier="fitContent">{_("Devices")}</Th>
                        <Th modifier="wrap" width={10}>
                            {_("Recovery codes left")}
                        </Th>
                        <Th>{_("Last use")}</Th>
                        <Th screenReaderText={_("Actions")} />
                    </Tr>
                </Thead>
                <Tbody>
                    {shown.map((user) => (
                        <Row key={user.name} user={user} ask={ask} />
                    ))}
                </Tbody>
            </Table>
            {found.length === 0 && <p className="otp-said">{_("Nobody is found.")}</p>}
            {found.length > shown.length && (
                <Button variant="link" onClick={() => setRows(rows + MORE)}>
                    {plural("Show $count more", "Show $count more", Math.min(MORE, found.length - shown.length))}
                </Button>
            )}
        </>
    );
}

function Row({ user, ask }: { user: ListedUser; ask: FoundProps["ask"] }) {
    const on = user.state === "on";
    const actions = actionsFor(user);
    return (
        <Tr>
            <Td dataLabel={_("Name")} className="otp-name">
                <Name>{user.name}</Name>
            </Td>
            <Td dataLabel={_("State")}>
                <State user={user} />
            </Td>
            <Cell label={_("On since")}>{on ? (user.since == null ? _("Not known") : date(user.since)) : null}</Cell>
            <Cell label={_("Devices")}>{on ? String(user.tokens) : null}</Cell>
            <Cell label={_("Recovery codes left")}>{on ? String(user.recovery_codes_left) : null}</Cell>
            <Cell label={_("Last use")}>
                {on ? (user.last_right_code === null ? _("Never") : when(user.last_right_code)) : null}
            </Cell>
            <Td className={actions.length === 0 ? "otp-nothing" : "otp-actions"}>
                <span className="otp-row-buttons">
                    {actions.map(({ action, label, name, isDanger }) => (
                        <Button
                            key={action}
                            variant="secondary"
                            size="sm"
                            isDanger={isDanger}
                            aria-label={fill(name, { user: user.name })}
                            onClick={() => ask(action, user)}
                        >
                            {label}
                        </Button>
                    ))}
                </span>
            </Td>
        </Tr>
    );
}

/** One that has nothing to say takes no room on narrow screens. */
function Cell({ label, children }: { label: string; children: string | null }) {
    return (
        <Td dataLabel={label} className={children === null ? "otp-nothing" : ""}>
            {children ?? "–"}
        </Td>
    );
}

function State({ user }: { user: ListedUser }) {
    return (
        <>
            <span className="otp-title">
                <StateLabel state={user.state} />
                {user.state === "on" && user.pending && <Label status="info">{_("Device not confirmed")}</Label>}
                {isWaiting(user) && <Label status="warning">{_("Throttled")}</Label>}
            </span>
            {user.message !== null && <p className="otp-small otp-name">{sentence(visible(user.message))}</p>}
            {isWaiting(user) && (
                <p className="otp-small">
                    {fill(_("Too many wrong codes: whoever has guessed waits until $time."), {
                        time: when(user.throttled_until ?? 0),
                    })}
                </p>
            )}
        </>
    );
}

function StateLabel({ state }: { state: ListedUser["state"] }) {
    switch (state) {
        case "on":
            return <Label status="success">{_("On")}</Label>;
        case "off":
            return <Label>{_("Off")}</Label>;
        case "pending":
            return <Label status="info">{_("Begun")}</Label>;
        case "broken":
            return <Label status="danger">{_("Broken")}</Label>;
    }
}

function filters(): [Filter, string][] {
    return [
        ["people", _("Without system accounts")],
        ["all", _("All states")],
        ["on", _("On")],
        ["off", _("Off")],
        ["pending", _("Begun")],
        ["broken", _("Broken")],
        ["waiting", _("Throttled")],
    ];
}

function has(user: ListedUser, text: string, filter: Filter): boolean {
    const named = user.name.toLowerCase().includes(text.toLowerCase());
    if (filter === "waiting") return named && isWaiting(user);
    if (filter === "people") return named && (user.state !== "off" || isWaiting(user) || user.system_account !== true);
    return named && (filter === "all" || user.state === filter);
}

/** By the server's clock, when it answered. */
function isWaiting({ throttled_until }: ListedUser): boolean {
    return throttled_until !== null;
}

const NEED = ["broken", "on", "pending", "off"];

/** Those first of whom there is something to be seen. */
function byNeed(one: ListedUser, other: ListedUser): number {
    const need = NEED.indexOf(one.state) - NEED.indexOf(other.state);
    return need !== 0 ? need : one.name.localeCompare(other.name);
}

interface Offered {
    action: UserAction;
    label: string;
    /** For who does not see the row; `$user` in it is replaced. */
    name: string;
    isDanger: boolean;
}

function actionsFor(user: ListedUser): Offered[] {
    const offered: Offered[] = [];
    if (isWaiting(user)) {
        offered.push({ action: "unlock", label: _("Unlock"), name: _("Unlock $user"), isDanger: false });
    }
    if (user.state !== "off") {
        offered.push({ action: "reset", label: _("Reset"), name: _("Reset $user"), isDanger: true });
    }
    return offered;
}
