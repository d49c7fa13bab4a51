import { useEffect, type ReactNode } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import type { Done } from "../answers";
import { FailureAlert } from "../parts/failure";
import type { Reading } from "../parts/reading";
import { sentence } from "../parts/words";
import { _ } from "../translate";
import type { PartProps } from ".";

interface CardProps<T> {
    part: PartProps;
    title: string;
    /** Below the title: what it is about. */
    explained?: string;
    actions?: ReactNode;
    reading: Reading<T>;
    children: (answer: T) => ReactNode;
}

/** A card that shows what a command answers, or why there is no answer. */
export function Part<T extends Done>({ part, title, explained, actions, reading, children }: CardProps<T>) {
    const { name, generation, arrived } = part;
    const { outcome, generation: shown, read } = reading;
    useEffect(() => {
        if (shown !== null) arrived(name, shown);
    }, [arrived, name, shown]);
    return (
        <Card>
            <CardHeader {...(actions === undefined ? {} : { actions: { hasNoOffset: true, actions } })}>
                <CardTitle component="h2">
                    <span id={idOf(name)} tabIndex={-1} className="otp-title otp-part">
                        {title}
                        {shown !== null && shown !== generation && (
                            <Spinner size="md" aria-label={_("Loading")} />
                        )}
                    </span>
                </CardTitle>
            </CardHeader>
            <CardBody>
                {explained !== undefined && <p className="otp-explained">{explained}</p>}
                {outcome === null && <Spinner size="lg" aria-label={_("Loading")} />}
                {outcome !== null && !outcome.ok && (
                    <FailureAlert
                        still
                        failure={outcome.failure}
                        actions={
                            <Button variant="link" isInline onClick={() => void read()}>
                                {_("Try again")}
                            </Button>
                        }
                    />
                )}
                {outcome?.ok === true && (
                    <>
                        {outcome.answer.warnings.length > 0 && (
                            <div className="otp-notice">
                                <Warnings texts={outcome.answer.warnings} />
                            </div>
                        )}
                        {children(outcome.answer)}
                    </>
                )}
            </CardBody>
        </Card>
    );
}

/** Puts the focus on a part; what is seen stays in its place. */
export function focusPart(name: PartProps["name"]): void {
    document.getElementById(idOf(name))?.focus({ preventScroll: true });
}

function idOf(name: PartProps["name"]): string {
    return `part-${name}`;
}

/** What pam-otp warns of. */
export function Warnings({ texts }: { texts: readonly string[] }) {
    if (texts.length === 0) return null;
    return (
        <div className="otp-warnings">
            {texts.map((text) => (
                <Alert key={text} isInline isPlain variant="warning" component="p" title={sentence(text)} />
            ))}
        </div>
    );
}
