import { useState } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import { Checkbox } from "@patternfly/react-core/dist/esm/components/Checkbox";
import { FormGroup } from "@patternfly/react-core/dist/esm/components/Form";
import { Radio } from "@patternfly/react-core/dist/esm/components/Radio";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import type { Setup } from "../answers";
import { run } from "../command";
import { Dialogue } from "../parts/dialogue";
import { FailureAlert } from "../parts/failure";
import { when } from "../parts/times";
import { fill, _ } from "../translate";
import { useAnswer, useChange, type Close } from "./answer";
import { Difference } from "./difference";
import { Name } from "./name";
import { Warnings } from "./part";
import type { Service } from "./service-list";

/** How long a trial runs. */
const TRIAL = "5m";

type Method = "password+code" | "key+code";

interface SwitchOnProps {
    service: Service;
    /** Whether the administrator has two-factor login. */
    enrolled: boolean | null;
    close: Close;
}

/** Shows what `setup` would change and whom it would lock out, and then does it. */
export function SwitchOnDialogue({ service, enrolled, close }: SwitchOnProps) {
    const { busy, failure, make } = useChange();
    const [method, setMethod] = useState<Method>("password+code");
    const [tried, setTried] = useState(true);
    const { name } = service;
    const isSshd = name === "sshd";
    const how = isSshd ? [`--method=${method}`] : [];
    const { outcome: preview } = useAnswer("setup", [...how, "--", name]);

    const submit = async (): Promise<void> => {
        const words = [...how, ...(isSshd ? ["--reload"] : []), ...(tried ? [`--try=${TRIAL}`] : []), "--yes", "--", name];
        const done = await make(() => run("setup", { words, asRoot: true }));
        if (done !== null) close(notice(name, done));
    };

    return (
        <Dialogue
            title={fill(_("Switch on two-factor login for $service"), { service: name })}
            action={_("Apply")}
            isDanger={preview?.ok === true && preview.answer.locked_out.length > 0}
            busy={busy}
            blocked={preview?.ok !== true}
            submit={() => void submit()}
            cancel={() => close()}
        >
            {failure !== null && <FailureAlert failure={failure} />}
            {name === "cockpit" && (
                <Alert isInline variant="warning" component="p" title={_("You are using this service.")}>
                    {_("Keep this window open, and log in again in a private window before you end this session.")}
                </Alert>
            )}
            {enrolled === false && (
                <Alert
                    isInline
                    variant="warning"
                    component="p"
                    title={_("You do not have two-factor login yourself.")}
                >
                    {_("Enable it first, on the tab “My account”: without a code of your own you cannot try this.")}
                </Alert>
            )}
            {isSshd && <Methods method={method} setMethod={setMethod} />}
            {preview === null && <Spinner size="lg" aria-label={_("Loading")} />}
            {preview !== null && !preview.ok && <FailureAlert failure={preview.failure} />}
            {preview?.ok === true && <Preview service={name} answer={preview.answer} />}
            <Checkbox
                id="service-trial"
                label={_("Try it for 5 minutes")}
                description={_(
                    "It is undone by itself, unless somebody logs in with a code meanwhile and you choose “Keep”.",
                )}
                isChecked={tried}
                onChange={(_event, checked) => setTried(checked)}
            />
        </Dialogue>
    );
}

function Methods({ method, setMethod }: { method: Method; setMethod: (method: Method) => void }) {
    const methods: [Method, string][] = [
        ["password+code", _("Password and code")],
        ["key+code", _("SSH key and code")],
    ];
    return (
        <FormGroup role="radiogroup" isStack label={_("What is asked for")} fieldId="service-method">
            {methods.map(([value, label]) => (
                <Radio
                    key={value}
                    id={`service-method-${value}`}
                    name="service-method"
                    label={label}
                    isChecked={method === value}
                    onChange={() => setMethod(value)}
                />
            ))}
        </FormGroup>
    );
}

function Preview({ service, answer }: { service: string; answer: Setup }) {
    if (answer.state === "already") {
        return <p>{fill(_("$service asks for a code already."), { service })}</p>;
    }
    return (
        <>
            {answer.locked_out.length > 0 && (
                <Alert
                    isInline
                    variant="danger"
                    component="p"
                    title={_("These administrators would be refused, since they have no two-factor login:")}
                >
                    <ul aria-label={_("Would be refused")}>
                        {answer.locked_out.map((name) => (
                            <li key={name} className="otp-name">
                                <Name>{name}</Name>
                            </li>
                        ))}
                    </ul>
                </Alert>
            )}
            <Warnings texts={answer.warnings} />
            {answer.files.map((file) => (
                <Difference key={file.path} {...file} />
            ))}
        </>
    );
}

function notice(service: string, { state, trial_until, warnings, reload }: Setup): Parameters<Close>[0] {
    const texts = [...warnings];
    if (reload !== null) texts.push(fill(_("A running sshd goes by it after: $command"), { command: reload }));
    if (state === "trial" && trial_until !== null) {
        return {
            title: fill(_("$service is on trial until $time."), { service, time: when(trial_until) }),
            texts: [_("Now log in with a code in another window, and then choose “Keep” here."), ...texts],
            isWarning: true,
        };
    }
    return { title: fill(_("$service asks for a code from now on."), { service }), texts };
}
