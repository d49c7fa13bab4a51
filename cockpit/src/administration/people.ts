/** Which accounts nobody logs in with. */

import { useEffect, useState } from "react";

/** Programs have user ids below this one; root is a person. */
const FIRST_PERSON = 1000;
/** `nobody`, of 16 bits. */
const NOBODY = [65534, 65535];

/** Accounts of programs, by name, of this host's own file: what is not known from there
 *  counts as a person. */
export function useSystemAccounts(): ReadonlySet<string> {
    const [names, setNames] = useState<ReadonlySet<string>>(new Set());
    useEffect(() => {
        const file = cockpit.file("/etc/passwd");
        file.read().then(
            (text) => setNames(systemAccounts(text ?? "")),
            () => undefined,
        );
        return () => file.close();
    }, []);
    return names;
}

/** Those of a text in the form of passwd(5). */
export function systemAccounts(passwd: string): Set<string> {
    const names = passwd.split("\n").flatMap((line) => {
        const [name, , id] = line.split(":");
        const number = id === undefined || !/^\d+$/.test(id) ? 0 : Number(id);
        const isProgram = (number > 0 && number < FIRST_PERSON) || NOBODY.includes(number);
        return name !== undefined && isProgram ? [name] : [];
    });
    return new Set(names);
}
