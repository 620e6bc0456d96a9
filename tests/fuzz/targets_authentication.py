"""What strangers may write into signatures and key records: verdicts that are fit to be shown, and a chain to go on.

Covers mailstack.formats.tagvalue, mailstack.mailauth.dkim.signature, mailstack.mailauth.dkim.key_record,
mailstack.mailauth.dkim.verify, mailstack.mailauth.arc.verify and mailstack.mailauth.arc.seal.
"""

import asyncio
from contextlib import suppress

from mailstack.formats.tagvalue import parse_tags
from mailstack.mailauth.arc import verify as arc
from mailstack.mailauth.arc.seal import seal
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.dkim.key_record import LEAST_RSA_BITS, read_key
from mailstack.mailauth.dkim.unverifiable import Unverifiable
from mailstack.mailauth.dkim.verify import MOST_SIGNATURES, verify
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.model.verdict import ArcResult
from tests.fuzz.target import Target
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


TARGETS: tuple[Target, ...] = (
    Target("formats.tagvalue", run_tags, (b"v=1; a=b=c ;\r\n d = e f;", b"a=;b=", b";", b"")),
    Target("mailauth.dkim.key_record", run_key_record, (b"v=DKIM1; k=rsa; p=AAAA", b"p=; t=y:s; h=sha256; s=*")),
    Target("mailauth.dkim.verify", run_verify, (SIGNED, b"DKIM-Signature:\r\n\r\n")),
    Target("mailauth.arc", run_chain, (SIGNED, b"From: a@example.com\r\n\r\ntext\r\n", b"ARC-Seal:x\r\n")),
)
