"""When a message came, by its topmost Received field."""

import pytest

from mailstack.formats.headers import scan_fields
from mailstack.formats.received import last_hop
from mailstack.model.instant import iso

_NEWEST = b"Received: from a.example\r\n by b.example with ESMTP; Mon,\r\n 13 Oct 2013 16:12:00 +0200\r\n"
_OLDER = b"Received: by a.example; Mon, 13 Oct 2013 10:00:00 +0000\r\n"


@pytest.mark.parametrize("header", [_NEWEST + _OLDER, b"Subject: x; y\r\n" + _NEWEST])
def test_the_newest_says_it(header: bytes) -> None:
    found = last_hop(scan_fields(header + b"\r\n"))
    assert found is not None
    assert iso(found) == "2013-10-13T14:12:00Z"


@pytest.mark.parametrize(
    "header", [b"", b"Subject: x\r\n", b"Received: by b.example\r\n", b"Received: x; soon\r\n" + _OLDER]
)
def test_or_nobody(header: bytes) -> None:
    assert last_hop(scan_fields(header + b"\r\n")) is None
