"""Did you mean …?"""

import pytest

from mailstack.spec.nearest import Vocabulary, did_you_mean

KEYS = Vocabulary(("hostname", "addresses", "listeners", "workers", "limits", "role", "reports_to"))


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("hostname", "hostname"),
        ("hostnme", "hostname"),  # one left out
        ("hosstname", "hostname"),  # one too many
        ("hpstname", "hostname"),  # one replaced
        ("hotsname", "hostname"),  # neighbours swapped
        ("hotsnmae", "hostname"),  # two swaps
        ("HostName", "hostname"),  # case
        ("host_name", "hostname"),
        ("host", "hostname"),  # the start of only one
        ("reports", "reports_to"),
        ("rol", "role"),
        ("colour", None),
        ("l", None),  # two start so
        ("", None),
        ("x" * 1_000, None),
    ],
)
def test_nearest(word: str, nearest: str | None) -> None:
    assert KEYS.nearest(word) == nearest


def test_among_ten_thousand_addresses() -> None:
    addresses = Vocabulary(f"user{number}@example.com" for number in range(10_000))
    assert addresses.nearest("usre1234@example.com") == "user1234@example.com"
    assert addresses.nearest("nobody@example.org") is None


def test_the_closing_half_of_a_message() -> None:
    assert did_you_mean(KEYS, "hostnme") == "; did you mean hostname?"
    assert did_you_mean(KEYS, "colour") == ""
    assert did_you_mean(KEYS, 25) == ""
    assert did_you_mean(Vocabulary(()), "x") == ""


def test_long_vocabularies_are_not_listed_whole() -> None:
    assert Vocabulary("abc").listed() == "a, b, c"
    assert Vocabulary(f"word{number}" for number in range(2_000)).listed().endswith("word18, word19, and 1,980 more")
