import { useEffect, useState } from "react";

/** Whether Cockpit's administrative access is on. False until that is known. */
export function useAdministrator(): boolean {
    const [allowed, setAllowed] = useState(false);
    useEffect(() => {
        const permission = cockpit.permission({ admin: true });
        const changed = (): void => setAllowed(permission.allowed === true);
        permission.addEventListener("changed", changed);
        changed();
        return () => {
            permission.removeEventListener("changed", changed);
            permission.close();
        };
    }, []);
    return allowed;
}
