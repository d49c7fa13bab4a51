import { useState } from "react";
import { Checkbox } from "@patternfly/react-core/dist/esm/components/Checkbox";
import { run } from "../command";
import { Dialogue } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { when } from "../parts/times";
import { fill, _ } from "../translate";
import { useChange, type Close } from "./answer";
import { Difference } from "./difference";
import type { Service } from "./service-list";

interface EndProps {
    service: Service;
    close: Close;
}

/** Puts back what was there before. */
export function SwitchOffDialogue({ service: { name }, close }: EndProps) {
    const { busy, failure, make } = useChange();
    const [forced, setForced] = useState(false);
    const changed = failure?.code === "changed_stack" ? failure : null;

    const submit = async (): Promise<void> => {
        const reload = name === "sshd" ? ["--reload"] : [];
        const words = ["--undo", ...(forced ? ["--force"] : []), ...reload, "--", name];
        const done = await make(() => run("setup", { words, asRoot: true }));
        if (done !== null) {
            close({
                title: fill(_("$service asks for no code any more."), { service: name }),
                texts: done.warnings,
            });
        }
    };

    return (
        <Dialogue
            title={fill(_("Switch off two-factor login for $service"), { service: name })}
            action={_("Switch off")}
            isDanger
            busy={busy}
            blocked={changed !== null && !forced}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            <p>{_("What was there before is put back. A password alone lets in then, for all users of this service.")}</p>
            {changed !== null && (
                <>
                    {changed.path != null && changed.difference !== undefined && (
                        <Difference path={changed.path} difference={changed.difference} />
                    )}
                    <Checkbox
                        id="service-force"
                        label={_("Undo it all the same")}
                        description={_("What was changed since is kept in a copy.")}
                        isChecked={forced}
                        onChange={(_event, checked) => setForced(checked)}
                    />
                </>
            )}
        </Dialogue>
    );
}

/** Ends a trial so that what is tried stays. */
export function KeepDialogue({ service, close }: EndProps) {
    const { busy, failure, make } = useChange();
    const { name, trialUntil } = service;
    const submit = async (): Promise<void> => {
        const done = await make(() => run("setup", { words: ["--confirm", "--", name], asRoot: true }));
        if (done !== null) {
            close({
                title: fill(_("$service asks for a code from now on."), { service: name }),
                texts: [
                    fill(_("During the trial these have logged in with a code: $users"), {
                        users: done.logged_in.join(", "),
                    }),
                    ...done.warnings,
                ],
            });
        }
    };
    return (
        <Dialogue
            title={fill(_("Keep two-factor login for $service"), { service: name })}
            action={_("Keep")}
            busy={busy}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            <p>
                {_("This works once somebody has logged in through the service with a code since the trial began. So it is certain that it lets people in.")}
            </p>
            {trialUntil !== null && (
                <p>{fill(_("Otherwise it is undone on $time."), { time: when(trialUntil) })}</p>
            )}
        </Dialogue>
    );
}
