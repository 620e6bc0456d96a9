"""What strangers send to the SMTP server: arguments of commands (mailstack.servers.smtp.paths), message data
(mailstack.servers.smtp.framing, mailstack.servers.smtp.chunks), what MAIL and RCPT ask
(mailstack.servers.delivery_parameters, mailstack.wire.smtp.future_release), xtext (mailstack.formats.xtext), names in
Received (mailstack.services.inbound.trace)."""

from contextlib import suppress

from mailstack.formats.headers import scan_fields
from mailstack.formats.xtext import decode_xtext, encode_xtext
from mailstack.model.errors import Invalid
from mailstack.model.handling import Handling
from mailstack.model.instant import SECOND_MS, Instant
from mailstack.net.spool import Spool
from mailstack.servers.delivery_parameters import parse_envelope_id, parse_notification, parse_returned
from mailstack.servers.smtp.chunks import Chunks
from mailstack.servers.smtp.framing import DataFraming
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.paths import parse_forward_path, parse_reverse_path
from mailstack.servers.smtp.replies import Refused
from mailstack.services.inbound.trace import Hop, received_field
from mailstack.wire.smtp.future_release import MAX_HOLD_S, parse_hold
from mailstack.wire.smtp.notifications import mail_parameters, rcpt_parameters
from tests.fuzz.target import Target

LIMITS = Limits(message_bytes=10_000, text_line_bytes=1_000, surplus_bytes=10_000)


def paths(data: bytes) -> None:
    """A path or Invalid; a path that is written again in brackets is the same."""
    text = data.decode("utf-8", "surrogateescape")
    for parse in (parse_forward_path, parse_reverse_path):
        try:
            found = parse(text, limit=512)
        except Invalid:
            continue
        again = parse(f"<{found.text}>", limit=512)
        assert (again.text, again.address) == (found.text, found.address)


def framing(data: bytes) -> None:
    """Cut anywhere, the same is understood; what is taken ends lines in CRLF only."""
    sent = data + b"\r\n.\r\n"
    whole = _receive([sent])
    assert whole == _receive([sent[at : at + 1] for at in range(len(sent))])
    assert whole == _receive([sent[at : at + 7] for at in range(0, len(sent), 7)])
    if whole is not None:
        assert whole[0].count(b"\r\n") == whole[0].count(b"\r") == whole[0].count(b"\n")


def chunks(data: bytes) -> None:
    """Cut anywhere, the same is understood, and it is what was sent; text ends lines in CRLF only."""
    for is_binary in (False, True):
        whole = _in_chunks([data], is_binary=is_binary)
        assert whole == _in_chunks([data[at : at + 1] for at in range(len(data))], is_binary=is_binary)
        assert whole == _in_chunks([data[at : at + 7] for at in range(0, len(data), 7)], is_binary=is_binary)
        assert whole in (None, data)
        if whole is not None and not is_binary:
            assert whole.count(b"\r\n") == whole.count(b"\r") == whole.count(b"\n")


def xtext(data: bytes) -> None:
    """Printable ASCII or Invalid."""
    try:
        plain = decode_xtext(data.decode("utf-8", "surrogateescape"))
    except Invalid:
        return
    assert plain.isascii()
    assert plain.isprintable()
    assert decode_xtext(encode_xtext(plain)) == plain


def received(data: bytes) -> None:
    """One field, whatever the peer calls itself."""
    hop = Hop(
        hostname="mail.example.com",
        ehlo_domain=data.decode("utf-8", "surrogateescape"),
        peer_host="192.0.2.1",
        protocol="ESMTP",
        trace_id="0",
        received_at=Instant(0),
    )
    assert len(scan_fields(received_field(hop, recipient=None) + b"\r\n")) == 1


def _receive(pieces: list[bytes]) -> tuple[bytes, bytes] | None:
    with Spool() as spool:
        reader = DataFraming(LIMITS, spool)
        source = iter(pieces)
        try:
            while (rest := reader.feed(next(source))) is None:
                pass
            return bytes(reader.content().raw), rest + b"".join(source)
        except Refused:
            return None


def _in_chunks(pieces: list[bytes], *, is_binary: bool) -> bytes | None:
    chunks = Chunks(LIMITS, is_binary=is_binary)
    try:
        for piece in pieces:
            chunks.feed(piece)
        return bytes(chunks.content().raw)
    except Refused:
        return None
    finally:
        chunks.close()


def parameters(data: bytes) -> None:
    """What is read of notifications is written as it was read, and nothing is held for longer than is offered."""
    words = dict(word.partition("=")[::2] for word in data.decode("utf-8", "replace").split())
    with suppress(Invalid):
        handling = Handling(returned=parse_returned(words), envelope_id=parse_envelope_id(words))
        written = dict(word.partition(b"=")[::2] for word in mail_parameters(handling).split())
        assert parse_envelope_id({name.decode(): value.decode() for name, value in written.items()}) == (
            handling.envelope_id
        )
    with suppress(Invalid):
        asked: dict[str, str | None] = {name: words[name] for name in ("NOTIFY", "ORCPT") if name in words}
        found = parse_notification(asked, smtp_utf8=True)
        again = dict(word.partition("=")[::2] for word in rcpt_parameters(found, smtp_utf8=True).decode().split())
        assert parse_notification(again, smtp_utf8=True) == found
    with suppress(Invalid):
        until = parse_hold(words, now=Instant(0))
        assert until is None or 0 <= until <= MAX_HOLD_S * SECOND_MS


TARGETS: tuple[Target, ...] = (
    Target(
        "smtp.paths",
        paths,
        (b"<a@b.example> SIZE=1", b"<>", b"<Postmaster>", b'<"a\\"b"@[IPv6:::1]>', "<ä@ö.example> SMTPUTF8".encode()),
    ),
    Target(
        "smtp.parameters",
        parameters,
        (
            b"RET=FULL ENVID=a+2Bb",
            b"NOTIFY=NEVER ORCPT=rfc822;bob+2Bx@example.com",
            "NOTIFY=SUCCESS,DELAY ORCPT=utf-8;\\x{E4}ü@x".encode(),
            b"HOLDFOR=60",
            b"HOLDUNTIL=1970-01-02T00:00:00.5+01:00",
        ),
    ),
    Target("smtp.framing", framing, (b"", b"..\r\n.a", b"a\r\n.\nb", b"a\n.\r\n", b"a\r.\r", b"x" * 2_000)),
    Target("smtp.chunks", chunks, (b"", b"A: b\r\n\r\nx\r\n", b"\r\n.\r\n", b"a\r", b"A: b\n\r\n\r\n", b"x" * 2_000)),
    Target("smtp.xtext", xtext, (b"", b"rfc822", b"a+2Bb", b"+0A", b"+2b", b"a=b", b"+")),
    Target("smtp.received", received, (b"client.example", b"a\r\nb: c", b"\xff(", b"")),
)
