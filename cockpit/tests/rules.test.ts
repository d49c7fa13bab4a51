import assert from "node:assert/strict";
import test from "node:test";

// What the source finds as Cockpit's own script in a browser.
(globalThis as { cockpit?: unknown }).cockpit = {
    language: "en",
    gettext: (text: string) => text,
    ngettext: (one: string, many: string, count: number) => (count === 1 ? one : many),
};

import { parse } from "../src/answers";
import { inGroups } from "../src/parts/groups";
import { clockOff, date, duration, when } from "../src/parts/times";
import { inWords, sentence } from "../src/parts/words";
import { fill } from "../src/translate";
import { visible } from "../src/parts/visible";
import { asArguments, elsewhere, reaching, sections, typed, withDay } from "../src/administration/policy";
import type { Rules, Section } from "../src/administration/policy";

test("a duration is told in its two largest units", () => {
    for (const [seconds, words] of [
        [0, "0 seconds"],
        [1, "1 second"],
        [59.4, "59 seconds"],
        [60, "1 minute"],
        [90, "1 minute 30 seconds"],
        [3600, "1 hour"],
        [3605, "1 hour"],
        [86400 + 7200 + 60, "1 day 2 hours"],
        [-5, "0 seconds"],
    ] as const) {
        assert.equal(duration(seconds), words);
    }
});

test("a clock that is apart is told with its direction", () => {
    assert.match(clockOff(-120), /2 minutes behind/);
    assert.match(clockOff(45), /45 seconds ahead/);
});

test("a time that no clock shows ends no page", () => {
    for (const seconds of [253_402_300_800, 9_000_000_000_000_000, 2 ** 64, -1, NaN, Infinity]) {
        assert.equal(when(seconds), "Not known");
        assert.equal(date(seconds), "Not known");
    }
    for (const seconds of [0, 1_795_329_647, 253_402_000_000]) {
        assert.match(when(seconds), /\d{4}/);
        assert.match(date(seconds), /\d{4}/);
    }
});

test("a key is shown in groups of four", () => {
    assert.equal(inGroups("ABCDEFGHIJ"), "ABCD EFGH IJ");
    assert.equal(inGroups(""), "");
});

test("what is filled in is not looked at again", () => {
    assert.equal(fill("$name on $host", { name: "$host", host: "web1" }), "$host on web1");
    assert.equal(fill("$name costs $5", { name: "<b>" }), "<b> costs $5");
});

test("an answer that was done is taken with all its fields", () => {
    const outcome = parse('{"version":1,"ok":true,"user":"alice","warnings":[],"token":"phone"}');
    assert.equal(outcome?.ok, true);
});

test("a refusal keeps its code, its figures and what was said beside it", () => {
    const text =
        '{"version":1,"ok":false,"command":"verify","findings":[],"error":{"code":"throttled","message":"wait","hint":null,"wait_seconds":30}}';
    const outcome = parse(text);
    assert.ok(outcome !== null && !outcome.ok);
    assert.equal(outcome.failure.code, "throttled");
    assert.equal(outcome.failure.wait_seconds, 30);
    assert.deepEqual(outcome.failure.answer?.["findings"], []);
});

test("what is no answer of version 1 is none", () => {
    for (const text of [
        "",
        "pam-otp: error",
        "null",
        "[]",
        '{"version":2,"ok":true,"user":"a","warnings":[]}',
        '{"version":1,"ok":"true","user":"a","warnings":[]}',
        '{"version":1,"ok":true}',
        '{"version":1,"ok":false}',
        '{"version":1,"ok":false,"error":{"code":1,"message":"x"}}',
        '{"version":1,"ok":true,"user":"a","warnings":[]}{"version":1}',
    ]) {
        assert.equal(parse(text), null, text);
    }
});

test("a refusal that the page knows has its own words, another one those of the command", () => {
    const known = inWords({ code: "used_code", message: "m", hint: "h" });
    assert.equal(known.message, "The code was used before.");
    const unknown = inWords({ code: "new_code", message: "the disk is <full>", hint: "make room" });
    assert.deepEqual(unknown, { message: "The disk is <full>.", advice: ["Make room."] });
});

test("a record that cannot be read is told in the page's words, with the command's below", () => {
    const { message, advice, details } = inWords({
        code: "bad_token_file",
        message: "/home/a/.pam-otp/token.toml: line 2: not TOML",
        hint: "mend the file",
    });
    assert.equal(message, "This two-factor login cannot be read.");
    assert.match(advice[0] ?? "", /administrator/);
    assert.deepEqual(details, ["/home/a/.pam-otp/token.toml: line 2: not TOML.", "Mend the file."]);
});

test("a message becomes a sentence", () => {
    assert.equal(sentence("is it"), "Is it.");
    assert.equal(sentence("such a user"), "Such a user.");
    assert.equal(sentence("Done."), "Done.");
    assert.equal(sentence(""), "");
    assert.equal(sentence("élan"), "Élan.");
    for (const named of [
        "pam_otp.so: is not there",
        "su-l: has the lines of su",
        "/etc/pam.d/su: x",
        "sshd refuses root",
    ]) {
        assert.equal(sentence(named), `${named}.`);
    }
});

test("what hides or reorders letters is seen", () => {
    assert.equal(visible("a\u202eb\n\u200bc\u0007"), "a\\u{202e}b\\u{a}\\u{200b}c\\u{7}");
    assert.equal(visible("Jürgen 電話 किताब <b>"), "Jürgen 電話 किताब <b>");
});

test("typed names are parted at commas, and none is taken for an option", () => {
    assert.deepEqual(typed("user", " alice, bob,,alice\n-x "), [
        { kind: "user", name: "alice" },
        { kind: "user", name: "bob" },
        { kind: "user", name: "-x" },
    ]);
    const names = [...typed("user", "-x"), ...typed("group", "--remove"), ...typed("network", "192.0.2.0/24")];
    assert.deepEqual(asArguments(names), ["--group=--remove", "--network=192.0.2.0/24", "--", "-x"]);
});

test("a policy has a list of all services, and those of single ones", () => {
    const lists = { users: ["alice"], groups: ["staff"], by: "2027-01-31", unenrolled: "deny" } as const;
    const own = { ...lists, users: [], groups: [], by: null, service: "sshd" };
    const unenrolled_at = [
        { service: "su", unenrolled: "enroll", by: null, shared: ["groups", "by"] },
        { service: "login", unenrolled: "enroll", by: "2027-02-28", shared: ["users"] },
        { service: "door", unenrolled: "allow", by: null, shared: ["users", "groups", "by"] },
    ];
    const answer = {
        user: "root",
        warnings: [],
        policy: "/etc/security/pam_otp.toml",
        service: null,
        changed: false,
        ...lists,
        unenrolled_at,
        sections: [own],
    };
    const [all, sshd] = sections(answer as unknown as Parameters<typeof sections>[0]);
    assert.deepEqual(all?.names, [
        { kind: "user", name: "alice" },
        { kind: "group", name: "staff" },
    ]);
    assert.equal(all?.by, "2027-01-31");
    assert.deepEqual([all?.unenrolledAt, sshd?.unenrolledAt], [unenrolled_at, []]);
    assert.deepEqual([sshd?.service, sshd?.names, sshd?.by], ["sshd", [], null]);

    assert.ok(all !== undefined);
    const at = (section: Rules): string[] => elsewhere(section).map(({ service, by }) => `${service} ${by}`);
    // Both refuse, so door is not worth a word.
    assert.deepEqual(at(all), ["su null", "login 2027-02-28"]);
    assert.deepEqual(at(reaching(all, ["users"])), ["login 2027-02-28"]);
    assert.deepEqual(at(reaching(all, ["by"])), ["su null"]);
    assert.deepEqual(at(withDay(all, "2027-03-31")), ["su 2027-03-31", "login 2027-02-28"]);
    // Where all enrol, the day tells them apart.
    const enrols: Section = { ...all, unenrolled: "enroll", by: "2027-02-28" };
    assert.deepEqual(at(enrols), ["su null", "door null"]);
});
