// usage: node build.mjs DIRECTORY
//
// Makes the page: what a package puts into cockpit/pam-otp. The same source gives the
// same bytes.

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { translations } from "./scripts/translations.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../target/page"));

// PatternFly's style brings fonts and pictures of a megabyte. Cockpit has the fonts;
// the pictures are backgrounds that Cockpit's pages do not have.
const withoutAssets = {
    name: "without-assets",
    setup(build) {
        build.onLoad({ filter: /react-core[/\\]dist[/\\]styles[/\\]base\.css$/ }, ({ path }) => ({
            contents: readFileSync(path, "utf8")
                .replace(/@font-face \{[^}]*\}/g, "")
                .replace(/url\("\.\/assets\/[^"]*"\)/g, "none"),
            loader: "css",
        }));
    },
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const built = await esbuild.build({
    absWorkingDir: here,
    entryPoints: { page: "src/index.tsx" },
    outdir: out,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["es2020", "chrome88", "firefox85", "safari15"],
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    external: ["../../static/*"],
    legalComments: "none",
    plugins: [withoutAssets],
    charset: "utf8",
    metafile: true,
    logLevel: "warning",
});
copyFileSync(join(here, "src/index.html"), join(out, "index.html"));
copyFileSync(join(here, "src/manifest.json"), join(out, "manifest.json"));
for (const [name, text] of translations(join(here, "po"))) writeFileSync(join(out, name), text);
writeFileSync(join(out, "LICENSES.txt"), licences(built.metafile));

/** The licences of all packages that have a part in what was bundled. */
function licences(metafile) {
    const packages = new Set();
    for (const output of Object.values(metafile.outputs)) {
        for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
            const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
            if (name !== undefined && bytesInOutput > 0) packages.add(name);
        }
    }
    const texts = [...packages].sort().map((name) => {
        const from = join(here, "node_modules", name);
        const { version, license } = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
        return `${name} ${version} (${license})\n\n${licenceText(from).trim()}\n`;
    });
    return `This page contains parts of the following packages.\n\n${texts.join(`\n${"-".repeat(72)}\n\n`)}`;
}

function licenceText(from) {
    for (const name of ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "license"]) {
        try {
            return readFileSync(join(from, name), "utf8");
        } catch {
            // The next name.
        }
    }
    throw new Error(`${from} has no licence file`);
}
