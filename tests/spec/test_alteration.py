"""One value of a text that people keep: changed, added, taken out, and nothing else is touched."""

from collections.abc import Mapping, Sequence

import pytest

from mailstack.model.errors import Unsupported
from mailstack.spec.alteration import with_value, without
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.insertion import Entry

STAFF = """\
accounts:
  # staff & others
  alice@example.com:  # *the* postmistress
    name: Alice Example  # as she writes it
    addresses:
      - a@example.com
      - b@example.com   # both

  bob@example.com: {}
  carol@example.com:
  dave@example.com: {name: Dåve, quota: 1GiB}  # leaves soon
  eve@example.com: &eve {name: Eve}
  fay@example.com: *eve
"""


@pytest.mark.parametrize(
    ("login", "key", "value", "before", "after"),
    [
        ("alice", "name", "Alice: B", "name: Alice Example  #", 'name: "Alice: B"  #'),
        (
            "alice",
            "addresses",
            ["c@example.com"],
            "addresses:\n      - a@example.com\n      - b@example.com   # both\n",
            "addresses:\n      - c@example.com\n",
        ),
        ("alice", "quota", "20GiB", "# both\n", "# both\n    quota: 20GiB\n"),
        ("bob", "name", "Bob", "{}", "{name: Bob}"),
        ("carol", "quota", None, "carol@example.com:\n", "carol@example.com:\n    quota: null\n"),
        ("dave", "quota", "2GiB", "quota: 1GiB}  #", "quota: 2GiB}  #"),
        ("dave", "roles", ["admin"], "1GiB}", "1GiB, roles: [admin]}"),
    ],
)
def test_one_value_is_changed_and_nothing_else(login: str, key: str, value: Entry, before: str, after: str) -> None:
    changed = with_value(STAFF, ("accounts", f"{login}@example.com", key), value, "spec")
    assert changed == STAFF.replace(before, after)


@pytest.mark.parametrize("login", ["eve", "fay"])
def test_what_others_share_is_left_to_people(login: str) -> None:
    with pytest.raises(Unsupported):
        with_value(STAFF, ("accounts", f"{login}@example.com", "name"), "X", "spec")
    with pytest.raises(Unsupported):
        without(STAFF, ("accounts", f"{login}@example.com"), "spec")


DOMAINS = """\
domains:
  a.example:  # ours
    # forgeries
    dmarc: {policy: none}  # for now
    spf:
      include:
        - one.example   # newsletters
        - two.example
    autoconfig: true
  b.example: {dkim: {rotate_every: 90d}, spam: off}
  c.example:
  d.example: {}

# the rest
lists:
  team@a.example:
    members: [a@a.example, "b@a.example",
      c@a.example]  # three
    description: >-
      All of
      us.
    post: members
"""


@pytest.mark.parametrize(
    ("path", "value", "before", "after"),
    [
        ("a.example dmarc policy", "reject", "{policy: none}", "{policy: reject}"),
        ("a.example dmarc strict", ["spf"], "{policy: none}", "{policy: none, strict: [spf]}"),
        ("a.example mta_sts mode", "enforce", "autoconfig: true\n", "autoconfig: true\n    mta_sts: {mode: enforce}\n"),
        ("a.example autoconfig", False, "autoconfig: true", "autoconfig: false"),
        ("b.example dkim rotate_every", "7d", "90d", "7d"),
        ("b.example dkim expire_after", None, "90d}", "90d, expire_after: null}"),
        ("c.example spam junk_at", 4.5, "c.example:\n", "c.example:\n    spam: {junk_at: 4.5}\n"),
        ("d.example catch_all", "x@d.example", "{}", "{catch_all: x@d.example}"),
        (
            "e.example",
            {"autoconfig": True, "dmarc": {"policy": "none"}},
            "d.example: {}\n",
            "d.example: {}\n  e.example: {autoconfig: true, dmarc: {policy: none}}\n",
        ),
        ("a.example spf include", ["one.example"], "        - two.example\n", ""),
        ("a.example spf include", ["two.example"], "        - one.example   # newsletters\n", ""),
        (
            "a.example spf include",
            ["three.example", "two.example"],
            "        - one.example   # newsletters\n        - two.example\n",
            "        - two.example\n        - three.example\n",
        ),
        (
            "a.example spf include",
            [],
            "include:\n        - one.example   # newsletters\n        - two.example\n",
            "include: []\n",
        ),
    ],
)
def test_values_of_domains(path: str, value: Entry, before: str, after: str) -> None:
    assert with_value(DOMAINS, ("domains", *path.split()), value, "spec") == DOMAINS.replace(before, after)


@pytest.mark.parametrize(
    ("members", "after"),
    [
        (["a@a.example", "b@a.example", "c@a.example"], '[a@a.example, "b@a.example",\n      c@a.example]'),
        (["c@a.example", "a@a.example"], "[a@a.example,\n      c@a.example]"),
        (["c@a.example"], "[c@a.example]"),
        (["b@a.example", "d@a.example"], '["b@a.example", d@a.example]'),
        (["x@a.example"], "[x@a.example]"),
        (
            ["a@a.example", "b@a.example", "c@a.example", "d e@a.example"],
            '[a@a.example, "b@a.example",\n      c@a.example, "d e@a.example"]',
        ),
    ],
)
def test_members_in_brackets(members: Sequence[str], after: str) -> None:
    former = '[a@a.example, "b@a.example",\n      c@a.example]'
    changed = with_value(DOMAINS, ("lists", "team@a.example", "members"), members, "spec")
    assert changed.replace(" [", "[").replace(",\n      c@", ", c@") == DOMAINS.replace(former, after).replace(
        " [", "["
    ).replace(",\n      c@", ", c@")


def test_a_text_of_several_lines_is_replaced_whole() -> None:
    changed = with_value(DOMAINS, ("lists", "team@a.example", "description"), "All", "spec")
    assert changed == DOMAINS.replace(">-\n      All of\n      us.", "All")
    gone = without(DOMAINS, ("lists", "team@a.example", "description"), "spec")
    assert gone == DOMAINS.replace("    description: >-\n      All of\n      us.\n", "")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("domains a.example dmarc policy", "{policy: none}", "{}"),
        ("domains a.example autoconfig", "    autoconfig: true\n", ""),
        ("domains b.example dkim", "{dkim: {rotate_every: 90d}, spam: off}", "{spam: off}"),
        ("domains b.example spam", ", spam: off}", "}"),
        ("domains c.example", "  c.example:\n", ""),
        ("domains d.example", "  d.example: {}\n", ""),
        ("domains nobody.example", "", ""),
        ("domains c.example catch_all", "", ""),
        (
            "domains a.example spf include",
            "    spf:\n      include:\n        - one.example   # newsletters\n        - two.example\n",
            "    spf: {}\n",
        ),
        (
            "lists team@a.example",
            DOMAINS[DOMAINS.index("lists:") :],
            "lists: {}\n",
        ),
    ],
)
def test_what_is_taken_out(path: str, before: str, after: str) -> None:
    assert without(DOMAINS, path.split(), "spec") == (DOMAINS.replace(before, after) if before else DOMAINS)


def test_an_entry_goes_with_the_comments_within_it() -> None:
    text = "accounts:\n  # people\n  a@a.example:\n    name: A\n    # quota: 1GiB\n  # robots\n  b@a.example: {}\n"
    assert (
        without(text, ("accounts", "a@a.example"), "spec") == "accounts:\n  # people\n  # robots\n  b@a.example: {}\n"
    )


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: 1\n", "a: 1\n\naliases:\n  x@a.example: [y@a.example]\n"),
        ("a: 1\naliases:\n", "a: 1\naliases:\n  x@a.example: [y@a.example]\n"),
        ("aliases: {}  # none\na: 1\n", "aliases: {x@a.example: [y@a.example]}  # none\na: 1\n"),
        ("aliases: {w@a.example: }\n", "aliases: {w@a.example: , x@a.example: [y@a.example]}\n"),
    ],
)
def test_a_section_is_made_where_there_is_none(text: str, after: str) -> None:
    assert with_value(text, ("aliases", "x@a.example"), ["y@a.example"], "spec") == after


def test_a_new_entry_is_written_as_its_neighbours_are() -> None:
    new: Mapping[str, Entry] = {"name": "Bob", "quota": "1GiB"}
    block = "accounts:\n    a@a.example:\n        name: A\n"
    changed = with_value(block, ("accounts", "b@a.example"), new, "spec")
    assert changed == f"{block}    b@a.example:\n        name: Bob\n        quota: 1GiB\n"
    line = "accounts:\n  a@a.example: {name: A}\n"
    changed = with_value(line, ("accounts", "b@a.example"), new, "spec")
    assert changed == f"{line}  b@a.example: {{name: Bob, quota: 1GiB}}\n"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("domains: {a.example: {spam: off}}\n", "domains a.example spam junk_at"),
        ("domains: {a.example: ~}\n", "domains a.example catch_all"),
        ("domains: {a.example, b.example: {}}\n", "domains a.example catch_all"),
        ("accounts: {a@a.example: {forward: {to: b@a.example, keep: false}}}\n", "accounts a@a.example forward"),
        ("domains: {a.example: {dmarc: !x {policy: none}}}\n", "domains a.example dmarc policy"),
    ],
)
def test_what_only_a_person_can_change(text: str, path: str) -> None:
    with pytest.raises((Unsupported, SpecInvalid)):
        with_value(text, path.split(), "x@a.example", "spec")


def test_a_broken_alias_is_not_left_behind() -> None:
    text = "accounts:\n  a@a.example:\n    name: &name A\n  b@a.example: {name: *name}\n"
    with pytest.raises(Unsupported):
        without(text, ("accounts", "a@a.example"), "spec")
