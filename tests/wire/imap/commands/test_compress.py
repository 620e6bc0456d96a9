"""COMPRESS. RFC 4978 §5."""

import pytest

from mailstack.wire.imap.commands.compress import Compress
from tests.support.imap_events import fault_of, request_of


def test_compress() -> None:
    assert request_of(b"compress deflate") == Compress()


@pytest.mark.parametrize("command", [b"COMPRESS", b"COMPRESS GZIP", b"COMPRESS DEFLATE x"])
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
