"""docs/spam-rules.md, made from the table of rules: `make docs` writes it, a test holds it to the table."""

from collections.abc import Sequence

from mailstack.spam.rules import contents, files, headers, names, senders
from mailstack.spam.rules.rule import Rule
from tests.support.protocol_table import ROOT

PAGE = ROOT / "docs" / "spam-rules.md"
INTRODUCTION = """# Spam: rules

Made from the tables in `src/mailstack/spam/rules/` by `make docs`. The points of all rules that hold of a mail are
added to its score; points below 0 speak for it. No rule refuses a mail by itself. Of rules with the same word under
*one of*, only the first that holds counts, for they are about the same thing: a forged sender counts for DMARC and not
for SPF as well, and of several files the worst. What else a mail is judged by: [spam.md](spam.md).

Of hosts near by (this machine, and private networks) nothing is asked that rests on their name, address or SPF.

To add one is a line in such a table: a name, points, a reason, and a function that sees all there is to see of a mail
(`Evidence`) and says whether it holds, or what makes it hold.
"""
SECTIONS: Sequence[tuple[str, Sequence[Rule]]] = (
    ("Who brings it, and whether its author's domain stands for it", senders.RULES),
    ("Names that pose as others", names.RULES),
    ("Header", headers.RULES),
    ("Texts and links", contents.RULES),
    ("Files", files.RULES),
)


def rules_page() -> str:
    parts = [INTRODUCTION]
    for heading, rules in SECTIONS:
        lines = [f"| `{rule.name}` | {rule.points:+.1f} | {rule.why} | {rule.about} |" for rule in rules]
        parts.append(
            "\n".join([f"## {heading}\n", "| rule | points | when | one of |", "|---|---|---|---|", *lines, ""])
        )
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(rules_page(), encoding="utf-8")
