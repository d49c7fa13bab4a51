import { createRoot } from "react-dom/client";
import "@patternfly/react-core/dist/styles/base.css";
import "./page.css";
import { Broken } from "./broken";
import { Page } from "./page";
import { Notices } from "./parts/notices";
import { followShell } from "./theme";
import { _ } from "./translate";

followShell();
document.documentElement.lang = cockpit.language.replace("_", "-");
document.documentElement.dir = cockpit.language_direction ?? "ltr";
document.title = _("Two-factor login");

const place = document.getElementById("app");
if (place !== null) {
    createRoot(place).render(
        <Broken>
            <Notices>
                <Page />
            </Notices>
        </Broken>,
    );
}
