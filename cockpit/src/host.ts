import { useEffect, useState } from "react";

/** What this host calls itself; by what it is reached until that is known. */
export function useHostName(): string {
    const [name, setName] = useState(window.location.hostname);
    useEffect(() => {
        const file = cockpit.file("/proc/sys/kernel/hostname");
        file.read().then(
            (text) => {
                if (text !== null && text.trim() !== "") setName(text.trim());
            },
            () => undefined,
        );
        return () => file.close();
    }, []);
    return name;
}
