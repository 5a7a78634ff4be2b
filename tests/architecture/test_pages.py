"""What is written leads somewhere: no page that nobody finds, and no link to what is not there."""

import re
from pathlib import Path

from tests.processes import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")


def _pages() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_readme_leads_to_every_page() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text("utf-8")))
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    assert pages <= linked
    assert "docs/decisions" in linked


def test_links_between_pages_lead_to_something() -> None:
    broken = []
    for page in _pages():
        for link in LINK.findall(page.read_text("utf-8")):
            place, _, heading = link.partition("#")
            if "://" in link:
                continue
            target = page.parent / place if place else page
            if not target.exists() or (heading and heading not in _headings(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def test_decisions_are_numbered_without_gaps_and_say_where_they_stand() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    unclear = []
    for number, path in enumerate(decisions, 1):
        title, status = path.read_text("utf-8").splitlines()[:2]
        if not (title.startswith(f"# {number}. ") and status.startswith("**Status:** ")):
            unclear.append(path.name)
    assert unclear == []


def _headings(page: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
