"""What may be changed from a browser, and what is made of what a person types there."""

from datetime import timedelta

import pytest

from mailstack.model.errors import Invalid
from mailstack.spec.editable import (
    ACCOUNTS,
    ALIASES,
    DOMAINS,
    LISTS,
    OF_NEW,
    TARGETS,
    Form,
    default_of,
    entry_of,
    keys_of,
    words_of,
)
from mailstack.spec.insertion import Entry
from mailstack.spec.sections.accounts import Forward
from mailstack.spec.yaml_values import Value


@pytest.mark.parametrize("section", [ACCOUNTS, ALIASES, LISTS, DOMAINS])
def test_every_key_is_one_of_the_spec_and_says_what_it_is_for(section: str) -> None:
    keys = keys_of(section)
    assert {*OF_NEW[section]} <= {*keys}
    for key in keys.values():
        assert key.hint.endswith(".")
        assert bool(key.choices) == (key.form in (Form.CHOICE, Form.CHOICES, Form.SWITCH))


@pytest.mark.parametrize("section", ["dns", "server", "relays", "routes", "storage", "reconcile", "sieve", "tls"])
def test_nothing_else_is_changed_from_there(section: str) -> None:
    with pytest.raises(Invalid):
        keys_of(section)


def test_no_key_names_a_secret_or_a_file() -> None:
    names = {name for section in (ACCOUNTS, ALIASES, LISTS, DOMAINS) for name in keys_of(section)}
    assert not names & {"password", "sieve", "rules", "dkim.keys"}


@pytest.mark.parametrize(
    ("section", "name", "text", "former", "entry"),
    [
        (ACCOUNTS, "name", " Alice: B ", None, "Alice: B"),
        (ACCOUNTS, "name", "null", None, "null"),
        (ACCOUNTS, "quota", "2GiB", None, "2GiB"),
        (ACCOUNTS, "quota", "null", None, None),
        (ACCOUNTS, "roles", "admin", None, ["admin"]),
        (
            ACCOUNTS,
            "addresses",
            "a@a.example, b@a.example\r\nc@a.example",
            None,
            ["a@a.example", "b@a.example", "c@a.example"],
        ),
        (ACCOUNTS, "forward", "a@a.example", None, "a@a.example"),
        (ACCOUNTS, "forward", "a@a.example", ("b@a.example",), ["a@a.example"]),
        (ACCOUNTS, "limits.recipients_per_hour", "50", None, 50),
        (ACCOUNTS, "limits.recipients_per_hour", "many", None, "many"),
        (ACCOUNTS, "spam.junk_at", "4.5", None, 4.5),
        (ACCOUNTS, "spam.scoring", "off", None, "off"),
        (ALIASES, TARGETS, "a@a.example b@a.example", "a@a.example", ["a@a.example", "b@a.example"]),
        (LISTS, "post", "members", None, "members"),
        (LISTS, "members", "a@a.example", None, ["a@a.example"]),
        (LISTS, "unsubscribe", "false", None, False),
        (LISTS, "unsubscribe", "maybe", None, "maybe"),
        (DOMAINS, "dmarc.subdomains", "null", None, None),
        (DOMAINS, "spf.all", "-all", None, "-all"),
    ],
)
def test_what_is_made_of_a_text(section: str, name: str, text: str, former: Value, entry: Entry) -> None:
    assert entry_of(keys_of(section)[name], text, former) == entry


@pytest.mark.parametrize("text", ["a\nb", "a\x00", "a\x1b[2J", "\u202eb"])
def test_what_could_break_out_of_its_line_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        entry_of(keys_of(ACCOUNTS)["name"], text, None)


@pytest.mark.parametrize(
    ("section", "name", "value", "words"),
    [
        (ACCOUNTS, "quota", 5 << 30, ["5GiB"]),
        (ACCOUNTS, "quota", 1025, ["1025B"]),
        (ACCOUNTS, "forward", Forward(to=("a@a.example",)), ["a@a.example"]),
        (ACCOUNTS, "forward", {"to": "a@a.example", "keep": False}, ["a@a.example"]),
        (ACCOUNTS, "spam.junk_at", 5.0, ["5"]),
        (ACCOUNTS, "name", "", []),
        (DOMAINS, "autoconfig", True, ["true"]),
        (DOMAINS, "mta_sts.max_age", timedelta(days=7), ["1w"]),
        (DOMAINS, "dkim.rotate_every", timedelta(seconds=90), ["90s"]),
        (DOMAINS, "dkim.rotate_every", None, []),
    ],
)
def test_values_in_words(section: str, name: str, value: object, words: list[str]) -> None:
    assert words_of(keys_of(section)[name], value) == words


def test_what_no_entry_is_without() -> None:
    keys = [key for section in (ACCOUNTS, ALIASES, LISTS, DOMAINS) for key in keys_of(section).values()]
    assert [(key.section, key.name) for key in keys if key.is_required] == [(ALIASES, TARGETS), (LISTS, "members")]


def test_what_an_entry_has_that_says_nothing() -> None:
    found = {
        (section, name): words_of(key, default_of(key))
        for section in (ACCOUNTS, ALIASES, LISTS, DOMAINS)
        for name, key in keys_of(section).items()
    }
    assert found[ACCOUNTS, "can"] == ["receive", "read", "submit"]
    assert found[ACCOUNTS, "limits.recipients_per_day"] == ["2000"]
    assert found[ALIASES, TARGETS] == []
    assert found[LISTS, "members"] == []
    assert found[LISTS, "post"] == ["members"]
    assert found[DOMAINS, "spf.all"] == ["-all"]
    assert found[DOMAINS, "dmarc.policy"] == ["none"]
    assert found[DOMAINS, "mta_sts.mode"] == []
