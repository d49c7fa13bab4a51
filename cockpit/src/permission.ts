import { useEffect, useState } from "react";

/** Groups whose members administer a machine. */
const RULING = ["root", "sudo", "wheel", "admin"];

/** Whether administrative access can probably be switched on. False until that is known. */
export function useMayAdminister(): boolean {
    const [may, setMay] = useState(false);
    useEffect(() => {
        let gone = false;
        cockpit.user().then(
            ({ groups }) => {
                if (!gone) setMay(groups.some((group) => RULING.includes(group)));
            },
            () => undefined,
        );
        return () => {
            gone = true;
        };
    }, []);
    return may;
}

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
