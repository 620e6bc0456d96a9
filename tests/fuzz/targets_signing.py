"""What account holders may submit: refused, or signed so that a verifier of its own making says pass.

Covers mailstack.services.lists.tokens, mailstack.mailauth.dkim.broken, mailstack.mailauth.dkim.sign,
mailstack.mailauth.dkim.canonical, mailstack.services.outbound.complete, mailstack.services.outbound.sender and
mailstack.model.line_ends.
"""

from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.broken import signatures_after
from mailstack.mailauth.dkim.sign import sign
from mailstack.mailauth.dkim.verify import MOST_SIGNATURES
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.services.lists.tokens import read_token, unsubscribe_token
from mailstack.services.outbound.complete import complete, normalize, require_sound_header
from mailstack.services.outbound.sender import written_addresses
from mailstack.wire.smtp.content import write_content
from tests.fuzz.target import Target
from tests.support.dkim_check import check

NOW = Instant(1_700_000_000_000)
PAIR = keys.generate("ed25519")
KEY = keys.load(domain="example.com", selector="s", private_pem=PAIR.private_pem)
SECRET = b"s" * 32
RECORDS = {"s": keys.record("ed25519", PAIR.public_key).encode()}


def run_submitted(data: bytes) -> None:
    raw = normalize(data)
    try:
        require_sound_header(raw)
    except Invalid:
        return
    whole = complete(raw, now=NOW, domain="example.com", token=bytes)
    require_sound_header(whole)
    try:
        signed = sign(whole, [KEY], now=NOW) + whole[:]
    except Invalid:
        return
    sent = b"".join(write_content(signed))
    assert sent.find(b"\r\n.\r\n") == len(sent) - 5
    received = sent[:-3].replace(b"\r\n..", b"\r\n.")
    assert check(received, RECORDS)[0] == "pass"


def run_written_addresses(data: bytes) -> None:
    found = written_addresses(data.replace(b"\r", b" ").replace(b"\n", b" "))
    assert len(found) == len(set(found))


def run_broken(data: bytes) -> None:
    found = signatures_after(data, frozenset({b"subject"}))
    assert len(found.broken) + len(found.whole) <= MOST_SIGNATURES
    assert signatures_after(data, frozenset()).whole >= found.whole


def run_token(data: bytes) -> None:
    found = read_token(SECRET, data.decode("utf-8", "replace"))
    assert found is None, "made up without the secret"


TARGETS: tuple[Target, ...] = (
    Target(
        "mailauth.dkim.sign",
        run_submitted,
        (
            b"From: a@example.com\r\nSubject: x\r\n y\r\n\r\nbody \t\r\n.\r\n\r\n",
            b"Bcc: x@them.test\r\nFrom: a@example.com\r\nsubject: 1\r\nSubject: 2\r\nDate: x\r\n\r\n.\r\n",
            b"From:a@example.com\r\n\r\n",
            b"From: a@example.com",
        ),
    ),
    Target(
        "mailauth.dkim.broken",
        run_broken,
        (b"DKIM-Signature: v=1; h=from:subject; d=a.example; s=s; b=eA==\r\n\r\n", b"DKIM-Signature: h\r\n"),
    ),
    Target(
        "services.lists.tokens",
        run_token,
        (b"", unsubscribe_token(b"another", "l@example.com", "m@example.com").encode()),
    ),
    Target(
        "services.outbound.sender",
        run_written_addresses,
        (b'"x" <a@example.com>, b@example.com (c@d)', b"g: a@b, <@r:c@d>;", b'<a@b> <c@d> "e@f"@g'),
    ),
)
