/** Text of strangers, with what would hide or reorder letters made visible: control and
 *  format characters, and other ends of lines. */
export function visible(text: string): string {
    return text.replace(
        /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu,
        (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
    );
}
