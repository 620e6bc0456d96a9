"""What a signature covers, as it came: header fields by name, and hashes of the body. RFC 6376 §3.4, §3.7, §5.4.2.

One of each is made for a message and serves all its signatures, DKIM's and ARC's: a field is found without searching,
a body is walked once for each canonical form. dkimpy looks for each name of h= from the end of the header, and for b=
with an expression that is quadratic in white space: in mail of strangers both would cost seconds.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailstack.formats.headers import Field, header_end, scan_fields
from mailstack.formats.limits import Limits
from mailstack.mailauth.dkim.canonical import relaxed_body, relaxed_header, simple_body
from mailstack.mailauth.dkim.signature import Form, Signature
from mailstack.mailauth.dkim.unverifiable import failed, unacceptable
from mailstack.model.message import RawMessage

# A field beyond these would be one that no signature can cover, yet some reader may show. Such mail is not verified.
LIMITS = Limits(header=1024 * 1024, header_fields=5_000)

_CRLF = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyHash:
    """octets: of the canonical form."""

    digest: bytes
    octets: int


class SignedMessage:
    """header: its fields, from the top. is_whole: all of them, the header is within LIMITS."""

    def __init__(self, raw: RawMessage) -> None:
        self.raw = raw
        self._body = header_end(raw)
        self.header: Sequence[Field] = scan_fields(raw, 0, self._body, limits=LIMITS)
        self.is_whole = self._body <= LIMITS.header and len(self.header) < LIMITS.header_fields
        self._fields = _by_name(self.header)
        self._body_hashes: dict[Form, BodyHash] = {}

    def fields(self, name: bytes) -> Sequence[Field]:
        """From the top. name: lower-case."""
        return self._fields.get(name, ())

    def body_hash(self, form: Form) -> BodyHash:
        """Takes as long as hashing the body does when it is asked for the first time, and nothing afterwards."""
        known = self._body_hashes.get(form)
        if known is None:
            known = self._body_hashes[form] = self._hash_body(form)
        return known

    def check_coverage(self, signature: Signature) -> None:
        """Is the body what was signed, and every From. Raises Unverifiable."""
        # RFC 6376 §8.15: what was added to a signed message must not be taken for signed.
        if 0 < signature.names.count(b"from") < len(self.fields(b"from")):
            raise failed("there are more From fields than were signed")
        body = self.body_hash(signature.body_form)
        if signature.length is not None and signature.length < body.octets:
            # RFC 6376 §8.2: what follows may have been written by anybody.
            raise unacceptable(f"{body.octets - signature.length} octets of the body are not signed")
        # RFC 6376 §3.5: l= MUST NOT be more than there is.
        if signature.length is not None and signature.length > body.octets:
            raise failed("the body is shorter than what was signed")
        if not hmac.compare_digest(body.digest, signature.body_hash):
            raise failed("the body was changed after it was signed")

    def header_digest(self, signature: Signature, field: Field) -> bytes:
        """field: that of the signature itself."""
        canonical = self._selected(signature, field)
        # RFC 6376 §3.7: the signature's own field comes last, with b= empty and without its CRLF.
        own = self._canonical(field._replace(value=signature.unsigned_value), signature.header_form, unsigned=True)
        return hashlib.sha256(b"".join([*canonical, own.removesuffix(_CRLF)])).digest()

    def _selected(self, signature: Signature, field: Field) -> list[bytes]:
        """RFC 6376 §5.4.2: of several fields of a name, from the last to the first; further ones stand for nothing."""
        # RFC 6376 §3.5: h= never means the field that it stands in.
        others = [other for other in self.fields(field.name) if other.start != field.start]
        found = []
        taken: dict[bytes, int] = {}
        for name in signature.names:
            here = others if name == field.name else self._fields.get(name, ())
            nth = taken.get(name, 0)
            if nth < len(here):
                taken[name] = nth + 1
                found.append(self._canonical(here[-1 - nth], signature.header_form))
        return found

    def _canonical(self, field: Field, form: Form, *, unsigned: bool = False) -> bytes:
        if form is Form.RELAXED:
            return b"%b:%b" % relaxed_header(field.name, field.value)
        # RFC 6376 §3.4.1: as it came, the case of the name and the white space before the colon included.
        whole = self.raw[field.start : field.end]
        if unsigned:
            whole = whole[: whole.index(b":") + 1] + field.value.removesuffix(b"\r")
        return whole if whole.endswith(_CRLF) else whole + _CRLF

    def _hash_body(self, form: Form) -> BodyHash:
        digest = hashlib.sha256()
        octets = 0
        for piece in (relaxed_body if form is Form.RELAXED else simple_body)(self.raw, self._body):
            digest.update(piece)
            octets += len(piece)
        return BodyHash(digest=digest.digest(), octets=octets)


def _by_name(fields: Sequence[Field]) -> Mapping[bytes, Sequence[Field]]:
    found: dict[bytes, list[Field]] = {}
    for field in fields:
        found.setdefault(field.name, []).append(field)
    return found
