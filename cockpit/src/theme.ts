/** Light or dark, as Cockpit's shell says, or as the desktop does where it says nothing. */

const KEY = "shell:style";
const CLASS = "pf-v6-theme-dark";

export function followShell(): void {
    const desktop = window.matchMedia("(prefers-color-scheme: dark)");
    const apply = (said?: string): void => {
        const style = said ?? window.localStorage.getItem(KEY) ?? "auto";
        const dark = style === "dark" || (style === "auto" && desktop.matches);
        document.documentElement.classList.toggle(CLASS, dark);
    };
    window.addEventListener("storage", (event) => {
        if (event.key === KEY) apply();
    });
    // The shell's own frame is told by an event: storage events go to other windows only.
    window.addEventListener("cockpit-style", (event) => {
        if (event instanceof CustomEvent) apply((event.detail as { style?: string }).style);
    });
    desktop.addEventListener("change", () => apply());
    apply();
}
