"""What an app password looks like, and what is taken for one."""

import hashlib

import pytest

from mailstack.model.app_password import RANDOM_OCTETS, app_password_text, digest_of, parted_name
from mailstack.model.errors import Invalid

RANDOM = bytes(range(RANDOM_OCTETS))
TEXT = app_password_text(RANDOM)[1]


def test_it_is_groups_of_letters_after_a_word_that_scanners_know() -> None:
    prefix, word, *groups = TEXT.split("_")
    assert (prefix, word, [len(group) for group in groups]) == ("mailstack", "app", [4] * 8)
    assert not set("".join(groups)) & set("ilou")


def test_its_digest_is_of_the_whole_text() -> None:
    assert digest_of(TEXT) == hashlib.sha256(TEXT.encode()).digest()


def test_each_has_an_id_and_a_secret_of_its_own() -> None:
    made = [app_password_text(hashlib.sha256(bytes([number])).digest()) for number in range(100)]
    assert len({app_password_id for app_password_id, _ in made}) == len({text for _, text in made}) == 100
    assert not any(app_password_id in text.replace("_", "") for app_password_id, text in made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "mailstack_app",
        TEXT[:-1],
        TEXT + "0",
        TEXT + "\n",
        TEXT.upper(),
        TEXT.replace("_", "-"),
        f" {TEXT}",
        pytest.param(TEXT[:20] + ("0" if TEXT[20] != "0" else "1") + TEXT[21:], id="a letter that is another"),
        pytest.param(TEXT[:14] + TEXT[19:24] + TEXT[14:19] + TEXT[24:], id="groups in another order"),
        "mailstack_app_" + "_".join(["ⅷⅷⅷⅷ"] * 8),
        "\udc80",
    ],
)
def test_nothing_else_is_taken_for_one(text: str) -> None:
    with pytest.raises(Invalid):
        digest_of(text)


@pytest.mark.parametrize(
    ("username", "name", "named"),
    [
        ("alice@example.com/k3f9x2m7", "alice@example.com", "k3f9x2m7"),
        ("a/b@example.com/k3f9x2m7", "a/b@example.com", "k3f9x2m7"),
        ("Alice@Example.com/k3f9x2m7", "Alice@Example.com", "k3f9x2m7"),
        ("alice@example.com", "alice@example.com", None),
        ("a/k3f9x2m7@example.com", "a/k3f9x2m7@example.com", None),
        ("alice/k3f9x2m7", "alice/k3f9x2m7", None),
        ("alice@example.com/K3F9X2M7", "alice@example.com/K3F9X2M7", None),
        ("alice@example.com/k3f9x2m", "alice@example.com/k3f9x2m", None),
        ("alice@example.com/k3f9x2m7 ", "alice@example.com/k3f9x2m7 ", None),
        ("@/k3f9x2m7", "@/k3f9x2m7", None),
        ("", "", None),
    ],
)
def test_a_name_may_say_by_which_it_is_proved(username: str, name: str, named: str | None) -> None:
    assert parted_name(username) == (name, named)
