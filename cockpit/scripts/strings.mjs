// usage: node scripts/strings.mjs [--write]
//
// Holds po/pam-otp.pot against the strings that the source has translated: the literals
// given to `_` and `plural`, and the labels of the manifest. With --write, makes it anew,
// and gives each translation the strings that it lacks.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { po } from "gettext-parser";
import ts from "typescript";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const template = join(here, "po/pam-otp.pot");
const found = new Map();

for (const path of sources(join(here, "src"))) collect(path);
const manifest = JSON.parse(readFileSync(join(here, "src/manifest.json"), "utf8"));
for (const { label } of Object.values(manifest.menu)) add(label, undefined, "src/manifest.json");

if (process.argv.includes("--write")) {
    write(template, asTemplate());
    for (const file of readdirSync(join(here, "po")).filter((file) => file.endsWith(".po"))) {
        merge(join(here, "po", file));
    }
} else {
    compare();
}

function* sources(directory) {
    const entries = readdirSync(directory, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) yield* sources(path);
        else if (/(?<!\.d)\.tsx?$/.test(entry.name) && entry.name !== "translate.ts") yield path;
    }
}

function collect(path) {
    const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
    const visit = (node) => {
        if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
            const count = { _: 1, plural: 2 }[node.expression.text];
            if (count !== undefined) {
                const texts = node.arguments.slice(0, count);
                if (texts.length < count || !texts.every(ts.isStringLiteralLike)) {
                    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
                    fail(`${name(path)}:${line + 1}: only literals can be translated`);
                }
                add(texts[0].text, texts[1]?.text, name(path));
            }
        }
        ts.forEachChild(node, visit);
    };
    visit(source);
}

function name(path) {
    return relative(here, path).split(sep).join("/");
}

function add(text, many, path) {
    const before = found.get(text) ?? { many, paths: new Set() };
    before.paths.add(path);
    before.many ??= many;
    found.set(text, before);
}

function asTemplate() {
    const translations = { "": {} };
    for (const [text, { many, paths }] of found) {
        translations[""][text] = {
            msgid: text,
            ...(many === undefined ? {} : { msgid_plural: many }),
            msgstr: many === undefined ? [""] : ["", ""],
            comments: { reference: [...paths].sort().join("\n") },
        };
    }
    const headers = {
        "Project-Id-Version": "pam-otp",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=n != 1;",
    };
    return { charset: "utf-8", headers, translations };
}

function merge(path) {
    const old = po.parse(readFileSync(path));
    const merged = asTemplate();
    merged.headers = old.headers;
    for (const [text, entry] of Object.entries(merged.translations[""])) {
        const before = old.translations[""]?.[text];
        if (before !== undefined && before.msgid_plural === entry.msgid_plural) entry.msgstr = before.msgstr;
    }
    write(path, merged);
}

function write(path, parsed) {
    writeFileSync(path, Buffer.concat([po.compile(parsed, { foldLength: 0, sort: true }), Buffer.from("\n")]));
}

function compare() {
    const written = po.parse(readFileSync(template)).translations[""] ?? {};
    const lacking = [...found.keys()].filter((text) => written[text] === undefined);
    const unused = Object.keys(written).filter((text) => text !== "" && !found.has(text));
    if (lacking.length + unused.length > 0) {
        for (const text of lacking) console.error(`po/pam-otp.pot lacks: ${text}`);
        for (const text of unused) console.error(`po/pam-otp.pot has, and nothing uses: ${text}`);
        fail("run `make page-strings`");
    }
}

function fail(text) {
    console.error(`strings: error: ${text}`);
    process.exit(1);
}
