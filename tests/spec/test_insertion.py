"""New entries in a text that people keep: in their sections, and nothing else is touched."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mailstack.model.errors import Unsupported
from mailstack.spec.alteration import with_entries
from mailstack.spec.insertion import Entry, sections_text
from mailstack.spec.load import load_spec

BOB: Mapping[str, Mapping[str, Entry]] = {"accounts": {"bob@example.com": {"name": "Bob", "quota": "1GiB"}}}
BOBS_LINE = "bob@example.com: {name: Bob, quota: 1GiB}\n"
HEAD = "server: {hostname: mail.example.com}\ndomains: {example.com: }\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("accounts:\n  a@example.com: {}\n", f"accounts:\n  a@example.com: {{}}\n  {BOBS_LINE}"),
        # Comments after the section are the next one's.
        (
            "accounts:\n    a@example.com:   # Alice\n        name: A\n\n# who else\naliases: {}\n",
            "accounts:\n    a@example.com:   # Alice\n        name: A\n    bob@example.com:\n        name: Bob\n"
            "        quota: 1GiB\n\n# who else\naliases: {}\n",
        ),
        (
            "accounts:\n  a@example.com:\n    addresses:\n      - b@example.com\n      - c@example.com # c\n"
            "aliases: {}\n",
            "accounts:\n  a@example.com:\n    addresses:\n      - b@example.com\n      - c@example.com # c\n"
            "  bob@example.com:\n    name: Bob\n    quota: 1GiB\naliases: {}\n",
        ),
        ("accounts:\n  a@example.com:\n", f"accounts:\n  a@example.com:\n  {BOBS_LINE}"),
        ("accounts:\n  a@example.com:", f"accounts:\n  a@example.com:\n  {BOBS_LINE}"),
        ("accounts: {}\n", f"accounts: {{{BOBS_LINE.strip()}}}\n"),
        (
            "accounts: {a@example.com: {name: A}}  # all\n",
            f"accounts: {{a@example.com: {{name: A}}, {BOBS_LINE.strip()}}}  # all\n",
        ),
        ("accounts:  # none yet\naliases: {}\n", f"accounts:  # none yet\n  {BOBS_LINE}aliases: {{}}\n"),
        ("aliases: {}", f"aliases: {{}}\n\naccounts:\n  {BOBS_LINE}"),
        (
            "# Größe\naccounts:\n  ä@example.com: {name: Ä}\n",
            f"# Größe\naccounts:\n  ä@example.com: {{name: Ä}}\n  {BOBS_LINE}",
        ),
    ],
)
def test_entries_come_last_in_their_section(before: str, after: str, tmp_path: Path) -> None:
    text = with_entries(HEAD + before, BOB, "mailstack.yaml")
    assert text == HEAD + after
    (tmp_path / "mailstack.yaml").write_text(text)
    assert load_spec(tmp_path / "mailstack.yaml").spec.accounts["bob@example.com"].quota == 1 << 30


@pytest.mark.parametrize("shared", ["lists: &none {}\naccounts: *none\n", "accounts: &all\n  a@example.com: {}\n"])
def test_a_section_that_others_may_share_is_left_to_people(shared: str) -> None:
    with pytest.raises(Unsupported, match="accounts has a value that other places"):
        with_entries(HEAD + shared, BOB, "mailstack.yaml")


def test_several_entries_come_in_their_order() -> None:
    sections: Mapping[str, Mapping[str, Entry]] = {
        "aliases": {"x@example.com": "bob@example.com", "w@example.com": ["bob@example.com"]},
        **BOB,
    }
    assert with_entries(f"{HEAD}accounts:\n", sections, "mailstack.yaml") == (
        f"{HEAD}accounts:\n  {BOBS_LINE}\naliases:\n"
        "  x@example.com: bob@example.com\n  w@example.com: [bob@example.com]\n"
    )


def test_what_yaml_would_take_for_something_else_is_quoted(tmp_path: Path) -> None:
    entries: Mapping[str, Mapping[str, Entry]] = {
        "accounts": {
            "bob@example.com": {"name": "yes", "addresses": ["1@example.com", "*@example.com"]},
            "o'neil@example.com": {"name": 'a "b": {c}, # d', "quota": None},
        }
    }
    path = tmp_path / "mailstack.yaml"
    path.write_text(HEAD + sections_text(entries))
    accounts = load_spec(path).spec.accounts
    assert accounts["bob@example.com"].name == "yes"
    assert accounts["bob@example.com"].addresses == ("1@example.com", "*@example.com")
    assert accounts["o'neil@example.com"].name == 'a "b": {c}, # d'


def test_an_empty_section_adds_nothing() -> None:
    assert with_entries(HEAD, {"aliases": {}}, "mailstack.yaml") == HEAD
    assert sections_text({"aliases": {}}) == ""
