"""Octets that a Range field asks for."""

import pytest

from mailstack.servers.http.ranges import Unsatisfiable, range_of


@pytest.mark.parametrize(
    ("field", "found"),
    [
        # RFC 9110 §14.1.2
        ("bytes=0-499", (0, 499 + 1)),
        ("bytes=500-999", (500, 1000)),
        ("bytes=-500", (9500, 10_000)),
        ("bytes=9500-", (9500, 10_000)),
        ("Bytes= 0-0 ", (0, 1)),
        ("bytes=9999-20000", (9999, 10_000)),
        ("bytes=-20000", (0, 10_000)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-0,-1", None),
        ("bytes=a-b", None),
        ("bytes=\u0661-", None),
        ("lines=0-1", None),
        ("bytes=0-9999999999999999999999", None),
    ],
)
def test_ranges(field: str, found: tuple[int, int] | None) -> None:
    assert range_of(field, 10_000) == found


@pytest.mark.parametrize(("field", "size"), [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
def test_what_is_not_there(field: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        range_of(field, size)
