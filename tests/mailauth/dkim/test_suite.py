"""Messages that others have signed: RFC 6376's, RFC 8463's and real ones."""

import re

import pytest

from mailstack.mailauth.dkim.verify import verify
from mailstack.model.instant import SECOND_MS, Instant
from mailstack.model.verdict import DkimResult
from tests.support.memory_resolver import MemoryResolver
from tests.support.signed_messages import read_signed


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("001", {"football.example.com": [DkimResult.PASS] * 2}),
        ("002", {"example.com": [DkimResult.PASS]}),
        ("003", {"ietf.org": [DkimResult.PASS] * 2}),
        ("004", {"facebookmail.com": [DkimResult.PASS]}),
        ("005", {"topicbox.com": [DkimResult.PASS]}),
        ("006", {"github.com": [DkimResult.PASS]}),
        # The author's own did not survive the list, as ever.
        ("arc/001", {"ietf.org": [DkimResult.PASS] * 2, "stalw.art": [DkimResult.FAIL]}),
        ("arc/002", {"manchego.org": [DkimResult.PASS]}),
    ],
)
async def test_messages_of_the_suite_pass(name: str, expected: dict[str, list[DkimResult]]) -> None:
    records, message = read_signed(f"{name}.txt")
    found: dict[str, list[DkimResult]] = {}
    for verdict in await verify(MemoryResolver(txt=records), message, now=signing_time(message)):
        found.setdefault(verdict.domain, []).append(verdict.result)
    assert expected == found


def signing_time(message: bytes) -> Instant:
    """When the newest was made: some expire, and none may be from the future."""
    return Instant(max(map(int, re.findall(rb"[;\s]t=(\d+)", message)), default=0) * SECOND_MS)
