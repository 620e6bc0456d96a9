"""A set of our own on top of a chain: what we saw, signed, for those after us. RFC 8617 §5.1.

dkimpy writes the fields as it does DKIM's (mailauth.dkim.sign).
"""

import base64
import re

from mailstack.formats.headers import unfold
from mailstack.mailauth.arc.chain import MOST_SETS, ArcSet, broken_instances, highest_instance, read_chain
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.mailauth.dkim.sign import SEALED_FIELDS, SIGNED_FIELDS, algorithm, signed_field
from mailstack.mailauth.dkim.signature import Form
from mailstack.mailauth.dkim.signed import SignedMessage
from mailstack.mailauth.dkim.unverifiable import Unverifiable
from mailstack.model.instant import SECOND_MS, Instant
from mailstack.model.message import RawMessage
from mailstack.model.verdict import ArcResult, ArcVerdict

# RFC 8617 §4.1.2: DKIM-Signature should be covered; ARC's own fields and Authentication-Results are not.
COVERED_FIELDS = SIGNED_FIELDS | {b"dkim-signature"}

NamedValue = tuple[bytes, bytes]


def seal(raw: RawMessage, key: SigningKey, *, authserv_id: str, results: str, chain: ArcVerdict, now: Instant) -> bytes:
    """Three fields, each ending in CRLF, to be put on top of the message once nothing in it changes any more.

    results: what Authentication-Results has after its authserv-id. chain: what arc.verify found when the message came
    in. b"" where no set can be added: after a seal that says cv=fail, after 50 sets, and to a header too large for
    anybody to verify.
    """
    message = SignedMessage(raw)
    if not message.is_whole:
        return b""
    highest = highest_instance(message)
    # RFC 8617 §5.1 step 2: a chain that was sealed as broken is left as it is.
    if highest >= MOST_SETS or highest in broken_instances(message):
        return b""
    instance = highest + 1
    state, earlier = _earlier(message, chain)
    tags = [
        (b"i", b"%d" % instance),
        (b"a", algorithm(key)),
        (b"\r\n d", key.domain.encode("ascii")),
        (b"s", key.selector.encode("ascii")),
        (b"t", b"%d" % (now // SECOND_MS)),
    ]
    seen = (b"ARC-Authentication-Results", _results(instance, authserv_id, results))
    signed = _split(_message_signature(message, tags, key))
    # RFC 8617 §5.1.1: the oldest set first; dkimpy takes fields of a name from the last to the first.
    covered = [*earlier, seen, signed]
    names = [name.lower() for name, _ in covered]
    top = signed_field(b"ARC-Seal", [*tags, (b"\r\n cv", state)], covered[::-1], names, key)
    return top + b"".join(name + b":" + value for name, value in (signed, seen))


def _earlier(message: SignedMessage, chain: ArcVerdict) -> tuple[bytes, list[NamedValue]]:
    """cv=, and the fields of earlier sets that the new seal covers."""
    if chain.result is ArcResult.NONE:
        return b"none", []
    try:
        sets = read_chain(message) if chain.result is ArcResult.PASS else ()
    except Unverifiable:
        sets = ()
    # RFC 8617 §5.1.2: the seal of a broken chain covers its own set alone.
    return (b"pass" if sets else b"fail"), [pair for arc_set in sets for pair in _fields(arc_set)]


def _fields(arc_set: ArcSet) -> list[NamedValue]:
    return [(field.name, field.value) for field in (arc_set.results, arc_set.message.field, arc_set.seal.field)]


def _results(instance: int, authserv_id: str, results: str) -> bytes:
    folded = re.sub(rb"; +(?=[^ ;])", b";\r\n ", unfold(results.encode()) or b"none")
    return b" i=%d; %b;\r\n %b\r\n" % (instance, authserv_id.encode(), folded)


def _message_signature(message: SignedMessage, tags: list[NamedValue], key: SigningKey) -> bytes:
    headers = [(field.name, field.value) for field in message.header if field.name in COVERED_FIELDS]
    names = [*(name for name, _ in headers), *SEALED_FIELDS]
    coverage = [
        (b"c", b"relaxed/relaxed"),
        (b"\r\n h", b": ".join(names)),
        (b"bh", base64.b64encode(message.body_hash(Form.RELAXED).digest)),
    ]
    return signed_field(b"ARC-Message-Signature", [*tags, *coverage], headers, names, key)


def _split(field: bytes) -> NamedValue:
    name, _, value = field.partition(b":")
    return name, value
