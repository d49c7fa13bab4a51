import { visible } from "../parts/visible";
import { fill, _ } from "../translate";

/** What would change in a file: a unified difference, as text. */
export function Difference({ path, difference }: { path: string; difference: string }) {
    const lines = difference.replace(/\n$/, "").split("\n");
    return (
        <div role="region" tabIndex={0} className="otp-difference" aria-label={fill(_("Changes of $path"), { path })}>
            <pre>
                {lines.map((line, place) => (
                    <span key={place} className={kind(line)}>
                        {line.split("\t").map(visible).join("\t")}
                        {"\n"}
                    </span>
                ))}
            </pre>
        </div>
    );
}

function kind(line: string): string {
    if (/^(\+\+\+|---) /.test(line)) return "otp-file";
    if (line.startsWith("+")) return "otp-added";
    if (line.startsWith("-")) return "otp-removed";
    return "";
}
