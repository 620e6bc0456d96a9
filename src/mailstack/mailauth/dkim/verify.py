"""DKIM signatures of received mail, checked: one verdict each. RFC 6376 §6, RFC 8301, RFC 8463, RFC 8601 §2.7.1.

What is taken otherwise than dkimpy and most verifiers do: a signature that leaves octets of the body uncovered (l=)
never passes, and neither does one that leaves a From field uncovered. Time is linear in the size of the message: at
most eight signatures are looked at, from the top, each of which reads the header once; a body is hashed at most twice.
"""

from collections.abc import Coroutine, Sequence
from dataclasses import replace

from mailstack.formats.headers import Field
from mailstack.mailauth.dkim.key_record import PublicKey, find_keys
from mailstack.mailauth.dkim.signature import (
    Signature,
    Tags,
    algorithm,
    identity,
    read_signature,
    read_tags,
    shown,
    signature_start,
)
from mailstack.mailauth.dkim.signed import SignedMessage
from mailstack.mailauth.dkim.unverifiable import Unverifiable
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.verdict import DkimResult, DkimVerdict
from mailstack.ports.resolver import Resolver

MOST_SIGNATURES = 8  # RFC 6376 §8.4: a verifier may stop after so many
GOOD_RSA_BITS = 2048  # RFC 8301 §3.2: what signers should use

_FIELD = b"dkim-signature"


async def verify(resolver: Resolver, raw: RawMessage, *, now: Instant) -> tuple[DkimVerdict, ...]:
    """One verdict for each signature that was looked at, in the order of the fields; none for unsigned mail."""
    return tuple([await verdict for verdict in verdicts(resolver, SignedMessage(raw), now=now)])


def verdicts(
    resolver: Resolver, message: SignedMessage, *, now: Instant
) -> Sequence[Coroutine[None, None, DkimVerdict]]:
    """One for each signature that is looked at, each to be awaited once: side by side, or a key that nobody gives out
    would take the others' time. For those who check a message for ARC as well, or hash its body beforehand, elsewhere.
    """
    fields = message.fields(_FIELD)
    # Beyond the bounds of the header, one verdict stands for all.
    looked_at = fields[:MOST_SIGNATURES] if message.is_whole else fields[:1]
    return [_verdict(resolver, message, field, now) for field in looked_at]


def hash_bodies(message: SignedMessage, *, now: Instant) -> None:
    """All that takes long of a large message, without a question to DNS: for a thread of its own."""
    for field in message.fields(_FIELD)[:MOST_SIGNATURES]:
        try:
            message.body_hash(read_signature(field.value, read_tags(field.value), now=now).body_form)
        except Unverifiable:
            continue


async def _verdict(resolver: Resolver, message: SignedMessage, field: Field, now: Instant) -> DkimVerdict:
    if not message.is_whole:
        return DkimVerdict(result=DkimResult.PERMERROR, reason="the header is too large to be checked")
    found = DkimVerdict(result=DkimResult.NEUTRAL)
    try:
        tags = read_tags(field.value)
        found = _described(tags)
        signature = read_signature(field.value, tags, now=now)
        signer = signature.signer
        if (signer.domain, signer.selector) != (found.domain, found.selector):
            found = replace(found, domain=signer.domain, selector=signer.selector)
        # Before any question to DNS: of what lists have changed, nobody needs to know the key.
        message.check_coverage(signature)
        keys = await find_keys(resolver, signer)
    except Unverifiable as end:
        return replace(found, result=end.result, reason=end.reason)
    digest = message.header_digest(signature, field)
    right = next((key for key in keys if key.verifies(signer.signature, digest)), None)
    result, reason = _judged(right, signature)
    key = right or keys[0]
    return replace(found, result=result, reason=reason, key_bits=key.rsa_bits, is_testing=key.is_testing)


def _judged(key: PublicKey | None, signature: Signature) -> tuple[DkimResult, str]:
    """key: that verifies the signature."""
    if key is None:
        return DkimResult.FAIL, "the header was changed after it was signed"
    # RFC 6376 §3.6.1: t=s: the domain of i= must be d= itself.
    if key.is_strict and signature.is_subdomain:
        return DkimResult.PERMERROR, "the key is not for subdomains"
    return DkimResult.PASS, _note(key)


def _note(key: PublicKey) -> str:
    # RFC 8301 §3.2: from 1024 bits on a key counts, though signers should use at least 2048.
    return f"a key of only {key.rsa_bits} bits" if 0 < key.rsa_bits < GOOD_RSA_BITS else ""


def _described(tags: Tags) -> DkimVerdict:
    """As far as the field can be read at all."""
    return DkimVerdict(
        result=DkimResult.NEUTRAL,
        domain=shown(tags[b"d"].value).lower() if b"d" in tags else "",
        selector=shown(tags[b"s"].value).lower() if b"s" in tags else "",
        identity=identity(tags),
        algorithm=algorithm(tags),
        signature_start=signature_start(tags),
    )
