"""A section decoded in pieces of any size and order is what decoding it at once gives, and is read about once."""

import base64
import quopri
from random import Random

import pytest

from mailstack.formats.content import decode_transfer
from mailstack.formats.part_table import TransferEncoding
from mailstack.model.ids import MessageId
from mailstack.services.mailbox import decodings
from mailstack.services.mailbox.decodings import Decodings

OCTETS = Random(3516).randbytes(60_000) + b" trailing \n" * 500
QUOTED = quopri.encodestring(OCTETS).replace(b"\n", b"\r\n")
BASE64 = base64.encodebytes(OCTETS).replace(b"\n", b"\r\n")
BROKEN = BASE64[:1000] + b"=*=\r\n" + BASE64[1000:7001] + b"==" + BASE64[7001:-5]


@pytest.mark.parametrize(
    ("encoded", "encoding"),
    [
        (BASE64, TransferEncoding.BASE64),
        (BROKEN, TransferEncoding.BASE64),
        (BASE64.replace(b"\r\n", b""), TransferEncoding.BASE64),
        (QUOTED, TransferEncoding.QUOTED_PRINTABLE),
        (b"x" * 40_000 + b"=\r\n" + b"y" * 40_000, TransferEncoding.QUOTED_PRINTABLE),
        (b"", TransferEncoding.BASE64),
    ],
)
async def test_pieces(monkeypatch: pytest.MonkeyPatch, encoded: bytes, encoding: TransferEncoding) -> None:
    monkeypatch.setattr(decodings, "STEP", 1000)
    message = b"header" + encoded + b"--end"
    key = (MessageId(1), 6, 6 + len(encoded))
    whole = decode_transfer(encoded, encoding)
    taken = 0

    async def octets(start: int, stop: int) -> bytes:
        nonlocal taken
        taken += stop - start
        return message[start:stop]

    reader = Decodings()
    pieces = [
        await reader.read(key, encoding, start, start + 700, octets=octets) for start in range(0, len(whole) + 700, 700)
    ]
    assert b"".join(pieces) == whole
    if b"=\r\n" not in encoded[40_000:40_003]:
        assert taken <= 4 * len(encoded)
    chance = Random(len(whole))
    for _ in range(50):
        start, stop = sorted(chance.randrange(len(whole) + 100) for _ in range(2))
        assert await reader.read(key, encoding, start, stop, octets=octets) == whole[start:stop]


async def test_few_sections_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decodings, "STEP", 4)
    reader = Decodings()

    async def octets(start: int, stop: int) -> bytes:
        return (b"YWJj" * 20)[start:stop]

    for number in range(50):
        assert await reader.read((MessageId(number), 0, 80), TransferEncoding.BASE64, 30, 33, octets=octets) == b"abc"
    assert len(reader._marks) == decodings.MAX_SECTIONS
