/** What this page uses of ../base1/cockpit.js, which Cockpit itself serves. */

interface CockpitError {
    /** A word such as "not-found", "access-denied" or "disconnected"; null if the program ran. */
    problem?: string | null;
    exit_status?: number | null;
    exit_signal?: string | null;
    message?: string;
}

interface CockpitProcess extends Promise<string> {
    /** Gives the text as standard input, and ends it. */
    input(text: string): CockpitProcess;
    /** Calls back with each piece of standard output; the promise then has none. */
    stream(callback: (text: string) => void): CockpitProcess;
    close(problem?: string): void;
}

interface CockpitFile {
    /** Null if there is no such file. */
    read(): Promise<string | null>;
    close(): void;
}

interface CockpitPermission {
    /** Null while it is not known yet. */
    allowed: boolean | null;
    addEventListener(event: "changed", listener: () => void): void;
    removeEventListener(event: "changed", listener: () => void): void;
    close(): void;
}

interface CockpitLocation {
    path: string[];
    go(path: string[]): void;
}

interface Cockpit {
    language: string;
    language_direction?: string;
    location: CockpitLocation;
    gettext(text: string): string;
    gettext(context: string, text: string): string;
    ngettext(one: string, many: string, count: number): string;
    spawn(
        words: string[],
        options: { superuser?: "require" | "try"; err?: "message" | "out" | "ignore"; environ?: string[] },
    ): CockpitProcess;
    permission(options: { admin: true }): CockpitPermission;
    /** Who is logged in. */
    user(): Promise<{ name: string; groups: string[] }>;
    addEventListener(event: "locationchanged" | "visibilitychange", listener: () => void): void;
    removeEventListener(event: "locationchanged" | "visibilitychange", listener: () => void): void;
    hidden: boolean;
    file(path: string): CockpitFile;
}

declare const cockpit: Cockpit;
