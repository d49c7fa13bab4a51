import { useState } from "react";
import type { Exempt, Outcome, Required, Shared } from "../answers";
import { run } from "../command";
import { Dialogue } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { Field } from "../parts/field";
import { useSettled } from "../parts/settled";
import { fill, _ } from "../translate";
import { useAnswer, useChange, type Close } from "./answer";
import { asArguments, ofService, reaching, sectionOf, typed, withDay, type Kind, type Listed, type Section } from "./policy";
import { UnenrolledAlert } from "./unenrolled";

function change(kind: Kind, words: string[]): Promise<Outcome<Required | Exempt>> {
    return run<"require" | "exempt">(kind, { words, asRoot: true });
}

/** Users, groups and networks to be put into a list. */
export function AddDialogue({ kind, close }: { kind: Kind; close: Close }) {
    const { busy, failure, make } = useChange();
    const [users, setUsers] = useState("");
    const [groups, setGroups] = useState("");
    const [networks, setNetworks] = useState("");
    const [by, setBy] = useState("");
    const [service, setService] = useState("");
    const names = [...typed("user", users), ...typed("group", groups), ...typed("network", networks)];
    // PAM knows services by small letters.
    const named = service.trim().toLowerCase();
    const requires = kind === "require";
    const title = requires ? _("Require two-factor login") : _("Add exemption");

    const submit = async (): Promise<void> => {
        const day = by === "" ? [] : [`--by=${by}`];
        const words = [...ofService(named), ...day, ...asArguments(names)];
        const done = await make(() => change(kind, words));
        if (done === null) return;
        close({
            title: requires
                ? _("The list of those who are required was changed.")
                : _("The list of exemptions was changed."),
            texts: done.warnings,
            isWarning: done.warnings.length > 0,
        });
    };

    return (
        <Dialogue
            title={title}
            action={requires ? _("Require") : _("Exempt")}
            isDanger={!requires}
            busy={busy}
            blocked={names.length === 0}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            <p>
                {requires
                    ? _("These users, and the members of these groups, must have two-factor login.")
                    : _("These are asked for no code: a password that somebody has found out is enough then.")}
            </p>
            <Field label={_("Users")} id="names-users" value={users} onChange={setUsers} help={_("Names with commas between them.")} />
            <Field label={_("Groups")} id="names-groups" value={groups} onChange={setGroups} help={_("Their members, now and later.")} />
            {requires ? (
                <Field label={_("From this day on")} id="names-day" type="date" value={by} onChange={setBy} help={_("Empty: the day stays as it is. There is one for the whole list.")} />
            ) : (
                <Field label={_("Networks")} id="names-networks" value={networks} onChange={setNetworks} help={_("Addresses, or address/bits, e.g. 192.0.2.0/24.")} />
            )}
            <Field label={_("Only for this service")} id="names-service" value={service} onChange={setService} help={_("Empty: for all services, but those that have the list themselves.")} />
            {requires && <Consequence service={named} by={by} names={names} />}
        </Dialogue>
    );
}

/** What the policy has in store for who is put on this list. */
function Consequence({ service, by, names }: { service: string; by: string; names: Listed[] }) {
    const settled = useSettled(service);
    const { outcome } = useAnswer("require", ofService(settled));
    // Not what is so for another service, while this one is asked about.
    const answer = outcome?.ok === true && (outcome.answer.service ?? "") === service ? outcome.answer : null;
    const now = answer && sectionOf(service === "" ? null : service, answer);
    const rules = now && reaching(by === "" ? now : withDay(now, by), changed(names, by));
    return <div aria-live="polite">{rules !== null && <UnenrolledAlert {...rules} />}</div>;
}

/** What is changed by these; as long as nobody is named, it may be any list. */
function changed(names: Listed[], by: string): Shared[] {
    const has = (kind: Listed["kind"]): boolean => names.length === 0 || names.some((name) => name.kind === kind);
    const all: [Shared, boolean][] = [
        ["users", has("user")],
        ["groups", has("group")],
        ["by", by !== ""],
    ];
    return all.filter(([, is]) => is).map(([shared]) => shared);
}

/** Another day, or none. */
export function DayDialogue({ section, close }: { section: Section; close: Close }) {
    const { busy, failure, make } = useChange();
    const [by, setBy] = useState(section.by ?? "");
    const submit = async (): Promise<void> => {
        const done = await make(() => change("require", [...ofService(section.service), `--by=${by}`]));
        if (done !== null) {
            close({
                title:
                    by === ""
                        ? _("Two-factor login is required at once.")
                        : fill(_("Two-factor login is required from $day on."), { day: by }),
                texts: done.warnings,
                isWarning: done.warnings.length > 0,
            });
        }
    };
    return (
        <Dialogue
            title={_("Change the day")}
            action={_("Change the day")}
            busy={busy}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            <Field label={_("From this day on")} id="names-day" type="date" value={by} onChange={setBy} help={_("Empty: at once.")} />
            <div aria-live="polite">
                <UnenrolledAlert {...withDay(reaching(section, ["by"]), by === "" ? null : by)} />
            </div>
        </Dialogue>
    );
}

interface RemoveDialogueProps {
    kind: Kind;
    section: Section;
    name: Listed;
    close: Close;
}

/** One name out of a list. */
export function RemoveDialogue({ kind, section, name, close }: RemoveDialogueProps) {
    const { busy, failure, make } = useChange();
    const requires = kind === "require";
    const submit = async (): Promise<void> => {
        const words = ["--remove", ...ofService(section.service), ...asArguments([name])];
        const done = await make(() => change(kind, words));
        if (done !== null) {
            close({
                title: requires
                    ? fill(_("$name is no longer required."), { name: name.name })
                    : fill(_("$name is no longer exempt."), { name: name.name }),
                texts: done.warnings,
            });
        }
    };
    return (
        <Dialogue
            title={
                requires
                    ? fill(_("Do not require $name"), { name: name.name })
                    : fill(_("Do not exempt $name"), { name: name.name })
            }
            action={_("Remove")}
            isDanger
            busy={busy}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            <p>
                {requires
                    ? _("They may do without two-factor login then, unless they are required in another way. Who has it keeps it.")
                    : _("They are asked for a code then. Who has no two-factor login may be refused.")}
            </p>
        </Dialogue>
    );
}
