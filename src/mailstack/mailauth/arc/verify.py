"""Is a chain whole, and what did those in it see whom we trust. RFC 8617 §5.2.

A chain passes when every seal verifies and the newest signature of the message does; what older ones signed may have
been changed since, that is what chains are for. Whoever seals can put any chain on any message, so that a chain is
worth as much as its sealers. Time is linear in the header, for at most 50 sets; seals are hashed in one pass.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence

from mailstack.formats.headers import Field
from mailstack.mailauth.arc.chain import SEAL_FIELD, ArcSet, SealedField, read_chain
from mailstack.mailauth.dkim.canonical import relaxed_header
from mailstack.mailauth.dkim.key_record import find_keys
from mailstack.mailauth.dkim.signature import (
    Signature,
    Signer,
    check_times,
    read_coverage,
    read_signer,
    read_time,
    without_signature,
)
from mailstack.mailauth.dkim.signed import SignedMessage
from mailstack.mailauth.dkim.unverifiable import Unverifiable, failed
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.verdict import ArcResult, ArcVerdict, DkimResult
from mailstack.ports.resolver import Resolver

_STATES = (b"none", b"fail", b"pass")


async def verify(resolver: Resolver, raw: RawMessage, *, now: Instant, trusted: Collection[str]) -> ArcVerdict:
    """trusted: domains of sealers, as A-labels."""
    return await verify_message(resolver, SignedMessage(raw), now=now, trusted=trusted)


async def verify_message(
    resolver: Resolver, message: SignedMessage, *, now: Instant, trusted: Collection[str]
) -> ArcVerdict:
    """For those who check the message for DKIM as well."""
    try:
        chain = read_chain(message)
        if not chain:
            return ArcVerdict(result=ArcResult.NONE)
        if not message.is_whole:
            raise failed("the header is too large to be checked")
        seals = [_read_seal(arc_set.seal, instance) for instance, arc_set in enumerate(chain, 1)]
        newest = await _check_message(resolver, message, chain[-1].message, now)
        await _check_seals(resolver, chain, seals)
    except Unverifiable as end:
        # RFC 8617 §4.4 knows no other words.
        is_temporary = end.result is DkimResult.TEMPERROR
        return ArcVerdict(result=ArcResult.FAIL, is_temporary=is_temporary, reason=end.reason)
    sealers = tuple(seal.domain for seal in reversed(seals))
    # RFC 6376 §5.4 has signatures cover From. A chain without it passes (RFC 8617 §4.1.2 names no fields), but cut from
    # one mail it would vouch for the author of another.
    results = _trusted_results(chain, sealers, trusted) if b"from" in newest.names else ""
    return ArcVerdict(result=ArcResult.PASS, sealers=sealers, trusted_results=results)


def hash_body(message: SignedMessage) -> None:
    """All that takes long of a large message, without a question to DNS: for a thread of its own."""
    try:
        chain = read_chain(message)
        if chain:
            message.body_hash(_read_message(chain[-1].message).body_form)
    except Unverifiable:
        return


def _read_seal(seal: SealedField, instance: int) -> Signer:
    signer = read_signer(seal.tags)
    read_time(seal.tags, b"t")
    # RFC 8617 §4.1.3: h= in a seal makes the chain fail.
    if b"h" in seal.tags:
        raise failed("a seal says h=")
    state = seal.tags[b"cv"].value if b"cv" in seal.tags else b""
    if state not in _STATES:
        raise failed("a seal does not say how the chain was")
    if state == b"fail":
        raise failed("the chain was broken when it was sealed")  # RFC 8617 §5.2 step 2
    # RFC 8617 §5.2 step 3: the first says cv=none, all others cv=pass.
    if (state == b"none") != (instance == 1):
        raise failed("a seal says of the chain before it what cannot be")
    return signer


def _read_message(field: SealedField) -> Signature:
    signer = read_signer(field.tags)
    # Deviates: RFC 6376 §3.5 would have simple/simple; those who leave c= out mean what ARC writes everywhere else.
    signature = read_coverage(field.field.value, field.tags, signer, default_form=b"relaxed/relaxed")
    # RFC 8617 §4.1.2: h= MUST NOT name seals, which are made after it.
    if SEAL_FIELD in signature.names:
        raise failed("a signature in the chain covers seals")
    return signature


async def _check_message(resolver: Resolver, message: SignedMessage, newest: SealedField, now: Instant) -> Signature:
    signature = _read_message(newest)
    check_times(newest.tags, now)
    message.check_coverage(signature)
    digest = message.header_digest(signature, newest.field)
    await _check(resolver, signature.signer, digest, "the header was changed after the chain's newest signature")
    return signature


async def _check_seals(resolver: Resolver, chain: Sequence[ArcSet], seals: Sequence[Signer]) -> None:
    for signer, digest in reversed(list(zip(seals, _seal_digests(chain), strict=True))):
        await _check(resolver, signer, digest, "a seal does not fit the chain")


async def _check(resolver: Resolver, signer: Signer, digest: bytes, otherwise: str) -> None:
    if not any(key.verifies(signer.signature, digest) for key in await find_keys(resolver, signer)):
        raise failed(otherwise)


def _seal_digests(chain: Sequence[ArcSet]) -> Iterator[bytes]:
    """RFC 8617 §5.1.1: a seal covers all sets up to its own, in order, itself last with b= empty."""
    before = hashlib.sha256()
    for arc_set in chain:
        seal = arc_set.seal.field
        before.update(_canonical(arc_set.results) + _canonical(arc_set.message.field))
        own = before.copy()
        own.update(_canonical(seal._replace(value=without_signature(seal.value, arc_set.seal.tags)))[:-2])
        yield own.digest()
        before.update(_canonical(seal))


def _canonical(field: Field) -> bytes:
    # RFC 8617 §4.1.3: seals know the relaxed form alone.
    return b"%b:%b" % relaxed_header(field.name, field.value)


def _trusted_results(chain: Sequence[ArcSet], sealers: Sequence[str], trusted: Collection[str]) -> str:
    """Of the oldest set after which none but trusted sealers came: they, and nobody else, vouch for what it says."""
    seen = ""
    for arc_set, sealer in zip(reversed(chain), sealers, strict=True):
        if sealer not in trusted:
            break
        seen = " ".join(arc_set.results.value[arc_set.results_start :].decode("utf-8", "replace").split())
    return seen
