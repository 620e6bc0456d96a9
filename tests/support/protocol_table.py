"""docs/protocols.md, made from rfcs.tsv: `make docs` writes it, a house rule holds it to the table."""

import csv
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TABLE = ROOT / "src" / "mailstack" / "rfcs.tsv"
PAGE = ROOT / "docs" / "protocols.md"

HEADINGS = {
    "yes": ("Followed", "Everything in them that applies to a server of this kind."),
    "partial": ("Followed in part", "The note says what is used, or what is missing."),
    "planned": ("Planned", "Read and left room for; nothing of it is offered yet."),
    "no": ("Known, not followed", "Cited where something else refers to them, or obsolete."),
}


def protocols_page() -> str:
    with TABLE.open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    parts = [
        "# Protocols\n\nMade from `src/mailstack/rfcs.tsv` by `make docs`. A test holds that table to the code"
        "'s own RFC references, in both directions.\n"
    ]
    for support, (heading, meaning) in HEADINGS.items():
        chosen = [row for row in rows if row[1] == support]
        lines_ = [f"| {number} | {title} | {note} |" for number, _, title, note in chosen]
        parts.append(f"## {heading} ({len(chosen)})\n\n{meaning}\n\n| RFC | title | note |\n|---|---|---|")
        parts.append("\n".join(lines_) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(protocols_page(), encoding="utf-8")
