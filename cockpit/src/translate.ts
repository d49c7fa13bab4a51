/**
 * The words of the page, in the language that Cockpit was told.
 *
 * The first argument is always a literal: scripts/strings.mjs collects those.
 */

export const _ = (text: string): string => cockpit.gettext(text);

/** One form for one, another for many; `$count` in them is replaced. */
export function plural(one: string, many: string, count: number): string {
    return fill(cockpit.ngettext(one, many, count), { count });
}

/** Puts values in the place of `$name`. What a value holds is not looked at again. */
export function fill(text: string, values: Record<string, string | number>): string {
    return text.replace(/\$(\w+)/g, (whole, name: string) =>
        name in values ? String(values[name]) : whole,
    );
}
