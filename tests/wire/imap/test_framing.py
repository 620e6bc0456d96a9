"""Literals at the end of a line."""

import pytest

from mailstack.wire.imap.framing import Announced, announced_literal


@pytest.mark.parametrize(
    ("line", "announced"),
    [
        (b"a LOGIN {5}", Announced(at=8, size_octets=5, is_synchronizing=True, is_binary=False)),
        (b"a LOGIN {5+}", Announced(at=8, size_octets=5, is_synchronizing=False, is_binary=False)),  # RFC 7888
        (b"x ~{10}", Announced(at=2, size_octets=10, is_synchronizing=True, is_binary=True)),  # RFC 3516
        (b"{0}", Announced(at=0, size_octets=0, is_synchronizing=True, is_binary=False)),
        (b"a {5} ", None),
        (b"a {}", None),
        (b"a {-1}", None),
        (b"a {5-}", None),
        (b"a {99999999999999999999}", None),
        (b"a }", None),
        (b"", None),
    ],
)
def test_announced_literal(line: bytes, announced: Announced | None) -> None:
    assert announced_literal(line) == announced
