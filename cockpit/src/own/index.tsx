import { useCallback, useEffect, useState } from "react";
import { EmptyState } from "@patternfly/react-core/dist/esm/components/EmptyState";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import type { Outcome, Status } from "../answers";
import { run } from "../command";
import { FailureAlert } from "../parts/failure";
import { _ } from "../translate";
import { State } from "./state";

/** Two-factor login of who is logged in. */
export function OwnAccount() {
    const [status, read] = useStatus();
    if (status === null) {
        return <EmptyState titleText={_("Loading")} icon={Spinner} />;
    }
    if (!status.ok) return <FailureAlert failure={status.failure} />;
    return <State status={status.answer} changed={read} />;
}

/** The state, read again whenever somebody comes back to this page: another tab may have
 *  changed it. Null until it is known. */
function useStatus(): [Outcome<Status> | null, () => Promise<void>] {
    const [status, setStatus] = useState<Outcome<Status> | null>(null);
    const read = useCallback(async () => setStatus(await run("status")), []);
    useEffect(() => {
        const look = (): void => {
            if (!cockpit.hidden && !document.hidden) void read();
        };
        look();
        window.addEventListener("focus", look);
        document.addEventListener("visibilitychange", look);
        cockpit.addEventListener("visibilitychange", look);
        return () => {
            window.removeEventListener("focus", look);
            document.removeEventListener("visibilitychange", look);
            cockpit.removeEventListener("visibilitychange", look);
        };
    }, [read]);
    return [status, read];
}
