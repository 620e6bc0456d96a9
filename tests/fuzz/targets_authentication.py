"""What strangers may write into signatures and key records: verdicts that are fit to be shown, and a chain to go on.

Covers mailstack.formats.tagvalue, mailstack.mailauth.dkim.signature, mailstack.mailauth.dkim.key_record,
mailstack.mailauth.dkim.verify, mailstack.mailauth.arc.verify, mailstack.mailauth.arc.seal, mailstack.formats.authres,
mailstack.mailauth.dmarc.author, mailstack.mailauth.dmarc.record, mailstack.mailauth.srs and mailstack.mailauth.dane.
"""

import asyncio
import unicodedata
from contextlib import suppress

from mailstack.formats.authres import claimed_fields, read_results, results_by
from mailstack.formats.tagvalue import parse_tags
from mailstack.mailauth import dane, srs
from mailstack.mailauth.arc import verify as arc
from mailstack.mailauth.arc.seal import seal
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.key_record import LEAST_RSA_BITS, read_key
from mailstack.mailauth.dkim.unverifiable import Unverifiable
from mailstack.mailauth.dkim.verify import MOST_SIGNATURES, verify
from mailstack.mailauth.dmarc.author import author_of
from mailstack.mailauth.dmarc.record import the_record
from mailstack.model.address import MAX_LOCAL_PART_OCTETS
from mailstack.model.errors import Invalid, NotFound
from mailstack.model.instant import Instant
from mailstack.model.tls_policy import Dane, TlsaRecord
from mailstack.model.verdict import ArcResult
from tests.fuzz.target import Target
from tests.support.certificates import certificate
from tests.support.memory_resolver import MemoryResolver

NOW = Instant(1_700_000_000_000)
PAIR = keys.generate("ed25519")
KEY = keys.load(domain="example.com", selector="s", private_pem=PAIR.private_pem)
RESOLVER = MemoryResolver(txt={"s._domainkey.example.com": [keys.record("ed25519", PAIR.public_key)]})

SIGNED = (
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=simple; d=example.com; s=s; h=from; bh=AAAA; b=AAAA\r\n"
    b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=example.com; s=s; b=AAAA\r\n"
    b"ARC-Message-Signature: i=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=AAAA; b=AAAA\r\n"
    b"ARC-Authentication-Results: i=1; x; none\r\nFrom: a@example.com\r\n\r\ntext\r\n"
)


def run_tags(data: bytes) -> None:
    try:
        tags = parse_tags(data)
    except Invalid:
        return
    for tag in tags.values():
        assert data[tag.start : tag.end].strip(b" \t\r\n") == tag.value


def run_key_record(data: bytes) -> None:
    with suppress(Unverifiable):
        assert read_key(data.decode("ascii", "surrogateescape"), "rsa-sha256").rsa_bits >= LEAST_RSA_BITS


def run_verify(data: bytes) -> None:
    verdicts = asyncio.run(verify(RESOLVER, data, now=NOW))
    assert len(verdicts) <= MOST_SIGNATURES
    for found in verdicts:
        shown = (found.domain, found.selector, found.identity, found.algorithm, found.signature_start, found.reason)
        assert "".join(shown).isprintable()


def run_chain(data: bytes) -> None:
    before = asyncio.run(arc.verify(RESOLVER, data, now=NOW, trusted=()))
    own = seal(data, KEY, authserv_id="example.com", results="none", chain=before, now=NOW)
    after = asyncio.run(arc.verify(RESOLVER, own + data, now=NOW, trusted=()))
    # A stranger's broken chain stays one.
    assert before.result is not ArcResult.FAIL or after.result is ArcResult.FAIL
    assert before.result is not ArcResult.NONE or not data.startswith(b"From:") or after.result is ArcResult.PASS


def run_results(data: bytes) -> None:
    at = 0
    for start, end in claimed_fields(data, "mail.example.com"):
        assert at <= start < end
        assert data[start:end].lower().startswith(b"authentication-results")
        at = end
    results_by(data, ("mail.example.com",))
    for found in read_results(data.decode("ascii", "replace")):
        assert found.method
        assert found.result


def run_author(data: bytes) -> None:
    found = author_of(data)
    assert not (found.domain and found.fault)
    assert found.domain.isascii()
    assert found.fault.isprintable()


def run_policy(data: bytes) -> None:
    record = the_record([data.decode("ascii", "surrogateescape")])
    assert record is None or data.startswith(b"v")


def run_reverse_path(data: bytes) -> None:
    path = data.decode("utf-8", "replace")
    with suppress(NotFound):
        srs.restore(path, key=b"k", now=NOW)
        raise AssertionError("a path that nobody made")
    rewritten = srs.rewrite(path, "example.com", key=b"k", now=NOW)
    if rewritten is not None:
        local_part, _, domain = rewritten.rpartition("@")
        assert (domain, len(local_part.encode()) <= MAX_LOCAL_PART_OCTETS) == ("example.com", True)
        assert srs.is_rewritten(local_part)
        back = srs.restore(local_part.swapcase(), key=b"k", now=NOW)
        assert local_part.startswith("SRS1") or normalized(back) == normalized(path)


def run_certificate(data: bytes) -> None:
    """As the server's own, as its issuer, and as what DNS has."""
    known = dane.usable([TlsaRecord(data[0], data[1], data[2], data[3:])]) if len(data) > 3 else ()
    assert all(record.data for record in known)
    records = (
        *known,
        TlsaRecord(3, 1, 1, bytes(32)),
        TlsaRecord(2, 0, 0, data or b"-"),
        TlsaRecord(2, 1, 0, SERVER[:9]),
    )
    for chain in ([data, SERVER], [SERVER, data]):
        found = dane.verify(chain, Dane(records=records, names=("mx.example.com",)), now=NOW)
        assert (found.record is None) == (found.failure is not None)
        # A server is known by a record of its own, or by an issuer whose key the fuzzer does not have.
        assert found.record is None or (found.record.usage == 3 and found.record in known)


def normalized(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


AUTHORITY = certificate(common_name="Root", is_authority=True, now=NOW)
SERVER = certificate("mx.example.com", issuer=AUTHORITY, now=NOW).der
STRANGER = certificate("mx.example.com", is_authority=True, now=NOW).der

TARGETS: tuple[Target, ...] = (
    Target("formats.tagvalue", run_tags, (b"v=1; a=b=c ;\r\n d = e f;", b"a=;b=", b";", b"")),
    Target("mailauth.dkim.key_record", run_key_record, (b"v=DKIM1; k=rsa; p=AAAA", b"p=; t=y:s; h=sha256; s=*")),
    Target("mailauth.dkim.verify", run_verify, (SIGNED, b"DKIM-Signature:\r\n\r\n")),
    Target(
        "formats.authres",
        run_results,
        (b"Authentication-Results: mail.example.com 1; spf=pass (x) reason=y a.b=c@d\r\n\r\n", b"x; a=b c.d=e"),
    ),
    Target("mailauth.dmarc.author", run_author, (b"From: a <a@b.example>, g: c@b.example;\r\n\r\n", b"From: @\r\n")),
    Target("mailauth.dmarc.record", run_policy, (b"v=DMARC1; p=reject; sp=none; np=x; psd=y; t=y; rua=mailto:a@b",)),
    Target(
        "mailauth.srs", run_reverse_path, (b"a@b.example", b"SRS0=AAAAAAAA=AA=b.example=a@c.example", b"SRS1=x=y==z@c")
    ),
    Target("mailauth.dane", run_certificate, (SERVER, STRANGER, b"\x03\x00\x00" + SERVER, b"\x30\x82", b"")),
    Target("mailauth.arc", run_chain, (SIGNED, b"From: a@example.com\r\n\r\ntext\r\n", b"ARC-Seal:x\r\n")),
)
