/** Times and durations in words. */

import { fill, plural, _ } from "../translate";

/** Present time, seconds since 1970. */
export function now(): number {
    return Math.floor(Date.now() / 1000);
}

/** A time as people of this language write it. */
export function when(seconds: number, language: string = cockpit.language): string {
    return written(seconds, language, { dateStyle: "medium", timeStyle: "short" });
}

/** The day of a time, as people of this language write it. */
export function date(seconds: number, language: string = cockpit.language): string {
    return written(seconds, language, { dateStyle: "medium" });
}

/** The end of the year 9999. Users write records of their own: what stands in one must
 *  not be more than the browser can write, which would end the page. */
const END = 253_402_300_799;

function written(seconds: number, language: string, format: Intl.DateTimeFormatOptions): string {
    if (!(seconds >= 0 && seconds <= END)) return _("Not known");
    return new Intl.DateTimeFormat(language.replace("_", "-"), format).format(seconds * 1000);
}

/** Today, as people of this language write it. */
export function day(language: string = cockpit.language): string {
    return new Intl.DateTimeFormat(language.replace("_", "-"), { dateStyle: "long" }).format(new Date());
}

/** Seconds from 0 on, in the largest two units: "1 hour 5 minutes", "40 seconds". */
export function duration(seconds: number): string {
    const parts = [
        [86400, (n: number) => plural("$count day", "$count days", n)],
        [3600, (n: number) => plural("$count hour", "$count hours", n)],
        [60, (n: number) => plural("$count minute", "$count minutes", n)],
        [1, (n: number) => plural("$count second", "$count seconds", n)],
    ] as const;
    let rest = Math.max(0, Math.round(seconds));
    const said: string[] = [];
    for (const [unit, words] of parts) {
        const count = Math.floor(rest / unit);
        rest -= count * unit;
        if (count > 0) said.push(words(count));
        else if (said.length > 0) break;
        if (said.length === 2) break;
    }
    return said.length > 0 ? said.join(" ") : plural("$count second", "$count seconds", 0);
}

/** How far a token's clock is from the server's, for people. Negative: behind. */
export function clockOff(seconds: number): string {
    const text =
        seconds < 0
            ? _("The clock of the device seems to be $time behind this server's.")
            : _("The clock of the device seems to be $time ahead of this server's.");
    return fill(text, { time: duration(Math.abs(seconds)) });
}
