"""What axe-core finds in a page: violations of WCAG 2.2, levels A and AA."""

from axe_playwright_python.sync_playwright import Axe

OPTIONS = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
    },
    "resultTypes": ["violations"],
}


def violations(frame):
    """A text for each rule that the document in a frame breaks, and where."""
    found = Axe().run(frame, options=OPTIONS).response["violations"]
    return [
        f"{one['id']} ({one['help']}): " + "; ".join(node["html"][:200] for node in one["nodes"])
        for one in found
    ]
