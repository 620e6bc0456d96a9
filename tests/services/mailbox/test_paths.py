"""Which paths may become mailboxes."""

import pytest

from mailstack.model.errors import Invalid, TooLarge
from mailstack.services.mailbox.paths import MAX_DEPTH, above_all, ancestors, split_path


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("a", ("a",)),
        ("a/b c", ("a", "b c")),
        ("a/b/", ("a", "b")),  # RFC 9051 §6.3.4
        ("inbox", ("INBOX",)),
        ("iNbOx/sub", ("INBOX", "sub")),
        ("a/inbox", ("a", "inbox")),
        ("Entwu\u0308rfe", ("Entwürfe",)),
        ("日本語", ("日本語",)),
    ],
)
def test_names(path: str, names: tuple[str, ...]) -> None:
    assert split_path(path) == names


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a",
        "a//b",
        " a",
        "a ",
        "a\x00b",
        "a\x7fb",
        "a\u2028b",
        "a*",
        "a%",
    ],
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(Invalid):
        split_path(path)


@pytest.mark.parametrize(
    "path",
    ["x" * 256, "é" * 128, "/".join("a" * (MAX_DEPTH + 1)), "/".join(["a" * 200] * 6)],
)
def test_what_is_too_much(path: str) -> None:
    with pytest.raises(TooLarge):
        split_path(path)


def test_what_stands_above() -> None:
    assert ancestors("a/b/c") == ["a", "a/b"]
    assert ancestors("a") == []
    assert above_all(["a/b/c", "a/d", "x"]) == {"a", "a/b"}
