"""What Thunderbird for Android reads in a code."""

import json
from dataclasses import replace

import pytest

from mailstack.formats.mobile_import import write_mobile_import
from mailstack.model.address import parse_address
from mailstack.model.client_settings import ClientSettings

SETTINGS = ClientSettings(
    domain="example.com",
    login_domain="example.com",
    hostname="mail.example.com",
    ports={"submissions": 465, "submission": 587, "imaps": 993, "imap": 143},
)
ALICE = parse_address("alice@example.com")


def test_it_is_as_the_format_is_documented() -> None:
    assert write_mobile_import(SETTINGS, ALICE, "secret", "Alice") == (
        '[1,[1,1],[0,"mail.example.com",993,3,1,"alice@example.com","","secret"],'
        '[[[0,"mail.example.com",465,3,1,"alice@example.com","secret"],["alice@example.com","Alice"]]]]'
    )


def test_names_of_all_scripts_are_ascii_there() -> None:
    text = write_mobile_import(SETTINGS, ALICE, "secret", "Älice \U0001f600")
    assert text is not None
    assert text.isascii()
    assert json.loads(text)[3][0][1] == ["alice@example.com", "Älice \U0001f600"]


def test_who_has_no_name_is_called_by_the_address() -> None:
    text = write_mobile_import(SETTINGS, ALICE, "secret", "")
    assert text is not None
    assert json.loads(text)[3][0][1] == ["alice@example.com", "alice@example.com"]


def test_starttls_and_other_logins_are_said() -> None:
    other = replace(SETTINGS, login_domain="example.org", ports={"imap": 1143, "submission": 1587})
    text = write_mobile_import(other, ALICE, "secret", "")
    assert text is not None
    _, _, incoming, (((*outgoing,), _),) = json.loads(text)
    assert incoming[2:6] == [1143, 2, 1, "alice@example.org"]
    assert outgoing[2:6] == [1587, 2, 1, "alice@example.org"]


@pytest.mark.parametrize(
    ("ports", "address"),
    [
        ({"imaps": 993}, "alice@example.com"),
        ({"submissions": 465}, "alice@example.com"),
        (SETTINGS.ports, "älice@a.de"),
    ],
    ids=["only-reads", "only-sends", "not-ascii"],
)
def test_what_it_has_no_words_for_is_not_written(ports: dict[str, int], address: str) -> None:
    assert write_mobile_import(replace(SETTINGS, ports=ports), parse_address(address), "secret", "") is None
