import { Component, type ReactNode } from "react";
import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { _ } from "./translate";

/** Stands in for a page, or a tab of it, that has failed: nobody is left with an empty
 *  one, and the other tab goes on. */
export class Broken extends Component<{ children: ReactNode }, { failed: boolean }> {
    override state = { failed: false };

    static getDerivedStateFromError(): { failed: boolean } {
        return { failed: true };
    }

    override render(): ReactNode {
        if (!this.state.failed) return this.props.children;
        return (
            <div role="alert">
                <Alert
                    isInline
                    variant="danger"
                    component="p"
                    title={_("This page has failed.")}
                    actionLinks={
                        <Button variant="link" isInline onClick={() => window.location.reload()}>
                            {_("Reload")}
                        </Button>
                    }
                >
                    {_("What was asked for last may have been done, or not. Reload the page to see what is on.")}
                </Alert>
            </div>
        );
    }
}
