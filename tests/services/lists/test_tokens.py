"""The proof in a link to leave a list."""

from hypothesis import given
from hypothesis import strategies as st

from mailstack.services.lists.tokens import read_token, unsubscribe_token

SECRET = b"s" * 32


@given(member=st.text(alphabet="ab\u00e4@.+=-", min_size=1, max_size=254))
def test_a_link_names_its_list_and_member(member: str) -> None:
    token = unsubscribe_token(SECRET, "team@example.com", member)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert read_token(SECRET, token) == ("team@example.com", member)


def test_no_other_octet_and_no_other_secret_will_do() -> None:
    token = unsubscribe_token(SECRET, "team@example.com", "bob@y.example")
    for at in range(len(token) - 1):  # the last character may hold bits that stand for nothing
        other = "A" if token[at] != "A" else "B"
        assert read_token(SECRET, token[:at] + other + token[at + 1 :]) is None
    for found in (token[:-2], token + "AAAA", "", "=", "\u00e4", "A" * 2_000, f"{token}\n"):
        assert read_token(SECRET, found) is None
    assert read_token(b"t" * 32, token) is None
