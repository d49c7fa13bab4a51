import { createPortal } from "react-dom";
import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { DownloadIcon } from "@patternfly/react-icons/dist/esm/icons/download-icon";
import { PrintIcon } from "@patternfly/react-icons/dist/esm/icons/print-icon";
import { useHostName } from "../host";
import { CopyButton } from "./copy";
import { day } from "./times";
import { fill, _ } from "../translate";

interface RecoveryCodesProps {
    codes: string[];
    /** Whose they are. */
    user: string;
}

/** Recovery codes, to be taken along: on a screen, in a file, on paper. */
export function RecoveryCodes({ codes, user }: RecoveryCodesProps) {
    const host = useHostName();
    const heading = fill(_("Recovery codes of $user on $host"), { user, host });
    const made = fill(_("Made on $day. Each code works once."), { day: day() });
    const text = [heading, made, "", ...codes, ""].join("\n");
    return (
        <>
            <ul className="otp-recovery-codes" aria-label={_("Recovery codes")}>
                {codes.map((code) => (
                    <li key={code}>
                        <code className="otp-secret">{code}</code>
                    </li>
                ))}
            </ul>
            <div className="otp-buttons">
                <CopyButton text={codes.join("\n")}>{_("Copy codes")}</CopyButton>
                <Button variant="secondary" icon={<DownloadIcon />} onClick={() => download(text, host)}>
                    {_("Download")}
                </Button>
                <Button variant="secondary" icon={<PrintIcon />} onClick={() => window.print()}>
                    {_("Print")}
                </Button>
            </div>
            {createPortal(
                <section className="otp-sheet" aria-hidden="true">
                    <h1>{heading}</h1>
                    <p>{made}</p>
                    <ul>
                        {codes.map((code) => (
                            <li key={code}>{code}</li>
                        ))}
                    </ul>
                </section>,
                document.body,
            )}
        </>
    );
}

function download(text: string, host: string): void {
    const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `recovery-codes-${host.replace(/[^A-Za-z0-9.-]/g, "_")}.txt`;
    link.click();
    // Once the browser has taken it.
    window.setTimeout(() => URL.revokeObjectURL(address), 1000);
}
