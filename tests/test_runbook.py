"""The runbook in docs/operations.md: what it says the log says is what the code says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OPERATIONS = ROOT / "docs" / "operations.md"
SOURCES = ROOT / "src" / "mailstack"


@pytest.mark.parametrize(
    ("heading", "at_least"),
    [
        ("At three in the morning", 20),
        ("Bans and failed logins", 5),
        ("Behind a balancer (PROXY)", 3),
        ("Greylisting, blocklists and engines", 8),
        ("My mail does not arrive", 15),
    ],
)
def test_what_the_runbook_quotes_from_the_log_is_in_the_code(heading: str, at_least: int) -> None:
    section = OPERATIONS.read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    columns = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")][1:]
    quotes = [quote for column in columns for quote in re.findall(r"`([^`]+)`", column)]
    # Figures and names are filled in.
    pieces = [piece.strip() for quote in quotes for piece in re.split(r"…|\d+|\(|\)", quote) if piece.strip()]
    source = "\n".join(path.read_text() for path in sorted(SOURCES.rglob("*.py")))
    assert len(pieces) > at_least
    assert [piece for piece in pieces if piece not in source] == []
