// Translations as Cockpit loads them: po.LANGUAGE.js for the page, po.manifest.LANGUAGE.js
// for its name in the menu of newer versions, which load no page's po.js there.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { po } from "gettext-parser";

/** [name, text] of each file. */
export function translations(directory) {
    const names = readdirSync(directory).filter((name) => name.endsWith(".po"));
    return names.sort().flatMap((name) => {
        const language = name.slice(0, -".po".length);
        const parsed = po.parse(readFileSync(join(directory, name)));
        const entries = Object.values(parsed.translations[""] ?? {}).filter(
            ({ msgid, msgstr, comments }) =>
                msgid !== "" && msgstr.every((text) => text !== "") && !/\bfuzzy\b/.test(comments?.flag ?? ""),
        );
        const ofManifest = entries.filter(({ comments }) => /\bsrc\/manifest\.json\b/.test(comments?.reference ?? ""));
        return [
            [`po.${language}.js`, locale(language, parsed.headers, entries)],
            [`po.manifest.${language}.js`, locale(language, parsed.headers, ofManifest)],
        ];
    });
}

function locale(language, headers, entries) {
    const form = /plural=([n0-9 !=<>%&|?:()]+);?/.exec(headers["Plural-Forms"] ?? "")?.[1];
    if (form === undefined) throw new Error(`${language}.po: Plural-Forms is not understood`);
    const head = `"":{"plural-forms":(n)=>${form.trim()},"language":"${language}","language-direction":"ltr"}`;
    const lines = entries
        .map(({ msgid, msgstr }) => `${JSON.stringify(msgid)}:${JSON.stringify([null, ...msgstr])}`)
        .sort();
    return `cockpit.locale({${[head, ...lines].join(",\n")}});\n`;
}
