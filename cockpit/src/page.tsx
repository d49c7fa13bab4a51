import { useEffect, useRef, useState } from "react";
import { Page as Frame, PageSection } from "@patternfly/react-core/dist/esm/components/Page";
import { Tab, Tabs, TabTitleText } from "@patternfly/react-core/dist/esm/components/Tabs";
import { Administration } from "./administration";
import { Broken } from "./broken";
import { OwnAccount } from "./own";
import { useAdministrator, useMayAdminister } from "./permission";
import { _ } from "./translate";

const OWN = "own";
const ADMINISTRATION = "administration";

export function Page() {
    // Who could switch administrative access on is told so, and others see no tabs.
    const may = useMayAdminister();
    const administrator = useAdministrator() || may;
    const [chosen, choose] = useTabOfAddress();
    const own = useRef<HTMLDivElement>(null);
    const administration = useRef<HTMLDivElement>(null);

    // Own account stays the same part of the page with tabs and without: a dialogue
    // that is open outlives a change of administrative access.
    const shown = administrator ? chosen : OWN;
    return (
        <Frame className="pf-m-no-sidebar">
            <PageSection key="tabs" hasBodyWrapper={false} type="tabs" hidden={!administrator}>
                <Tabs
                    activeKey={shown}
                    onSelect={(_event, key) => choose(String(key))}
                    aria-label={_("Two-factor login")}
                    usePageInsets
                    id="view"
                >
                    <Tab
                        eventKey={OWN}
                        title={<TabTitleText>{_("My account")}</TabTitleText>}
                        tabContentId="own"
                        tabContentRef={own}
                    />
                    <Tab
                        eventKey={ADMINISTRATION}
                        title={<TabTitleText>{_("Administration")}</TabTitleText>}
                        tabContentId="administration"
                        tabContentRef={administration}
                    />
                </Tabs>
            </PageSection>
            <PageSection
                hasBodyWrapper={false}
                id="own"
                ref={own}
                {...(administrator ? { role: "tabpanel", "aria-labelledby": "pf-tab-own-view" } : {})}
                hidden={shown !== OWN}
            >
                <Broken>
                    <OwnAccount />
                </Broken>
            </PageSection>
            <PageSection
                hasBodyWrapper={false}
                id="administration"
                ref={administration}
                role="tabpanel"
                aria-labelledby="pf-tab-administration-view"
                hidden={shown !== ADMINISTRATION}
            >
                {shown === ADMINISTRATION && (
                    <Broken>
                        <Administration />
                    </Broken>
                )}
            </PageSection>
        </Frame>
    );
}

/** The tab that the address names, so that the browser's way back leads to it. */
function useTabOfAddress(): [string, (tab: string) => void] {
    const named = (): string =>
        cockpit.location.path[0] === ADMINISTRATION ? ADMINISTRATION : OWN;
    const [tab, setTab] = useState(named);
    useEffect(() => {
        const changed = (): void => setTab(named());
        cockpit.addEventListener("locationchanged", changed);
        return () => cockpit.removeEventListener("locationchanged", changed);
    }, []);
    return [tab, (next) => cockpit.location.go(next === OWN ? [] : [next])];
}
