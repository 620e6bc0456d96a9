"""Pages of results. RFC 9394 §3.1."""

import pytest

from mailstack.wire.imap.partial import partial_range
from mailstack.wire.imap.tokens import Cursor


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("1:3", "abc"),
        ("3:1", "abc"),
        ("4:9", "de"),
        ("6:9", ""),
        ("-1:-2", "de"),
        ("-2:-1", "de"),
        ("-4:-9", "ab"),
        ("-6:-9", ""),
        ("2:2", "b"),
        ("-2:-2", "d"),
    ],
)
def test_a_page_of_five(text: str, page: str) -> None:
    asked = partial_range(Cursor([text.encode()], nesting=1, items=1))

    assert "abcde"[asked.of(5)] == page
    assert ""[asked.of(0)] == ""
    assert str(asked) == text
