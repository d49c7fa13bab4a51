import {
    DescriptionList,
    DescriptionListDescription,
    DescriptionListGroup,
    DescriptionListTerm,
} from "@patternfly/react-core/dist/esm/components/DescriptionList";
import type { TokenWithKey } from "../answers";
import { CopyButton } from "./copy";
import { inGroups } from "./groups";
import { fill, _ } from "../translate";

/** What an app is to know: a QR code, and the same for typing. */
export function Key({ token }: { token: TokenWithKey }) {
    return (
        <div className="otp-key">
            <QrCode token={token} />
            <DescriptionList isCompact>
                <DescriptionListGroup>
                    <DescriptionListTerm>{_("Account")}</DescriptionListTerm>
                    <DescriptionListDescription>{token.account}</DescriptionListDescription>
                </DescriptionListGroup>
                <DescriptionListGroup>
                    <DescriptionListTerm>{_("Issuer")}</DescriptionListTerm>
                    <DescriptionListDescription>{token.issuer}</DescriptionListDescription>
                </DescriptionListGroup>
                <DescriptionListGroup>
                    <DescriptionListTerm>{_("Key")}</DescriptionListTerm>
                    <DescriptionListDescription>
                        <code className="otp-secret">{inGroups(token.key)}</code>
                        <CopyButton text={token.key}>{_("Copy key")}</CopyButton>
                    </DescriptionListDescription>
                </DescriptionListGroup>
            </DescriptionList>
        </div>
    );
}

/** As a picture and never as markup: a picture runs no script, whatever stands in it. */
function QrCode({ token }: { token: TokenWithKey }) {
    return (
        <img
            className="otp-qr"
            src={`data:image/svg+xml,${encodeURIComponent(token.qr_svg)}`}
            alt={fill(_("QR code for the account $account"), { account: token.account })}
        />
    );
}
