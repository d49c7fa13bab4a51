import type { ReactNode } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import type { Done, Outcome } from "../answers";
import { FailureAlert } from "../parts/failure";
import { sentence } from "../parts/words";
import { _ } from "../translate";

interface PartProps<T> {
    title: string;
    /** Below the title: what it is about. */
    explained?: string;
    actions?: ReactNode;
    outcome: Outcome<T> | null;
    read: () => Promise<void>;
    children: (answer: T) => ReactNode;
}

/** A card that shows what a command answers, or why there is no answer. */
export function Part<T extends Done>({ title, explained, actions, outcome, read, children }: PartProps<T>) {
    return (
        <Card>
            <CardHeader {...(actions === undefined ? {} : { actions: { hasNoOffset: true, actions } })}>
                <CardTitle component="h2">{title}</CardTitle>
            </CardHeader>
            <CardBody>
                {explained !== undefined && <p className="otp-explained">{explained}</p>}
                {outcome === null && <Spinner size="lg" aria-label={_("Loading")} />}
                {outcome !== null && !outcome.ok && (
                    <FailureAlert
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
