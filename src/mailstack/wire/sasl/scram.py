"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side: the client proves that it knows a password without sending
it, and with -PLUS that it speaks TLS to this very server. RFC 5802, RFC 7677, RFC 5929 §4.
"""

import hashlib
import hmac
from dataclasses import dataclass

from mailstack.model.errors import Invalid
from mailstack.model.scram import DIGEST, DIGEST_OCTETS, ScramVerifier
from mailstack.wire.sasl.plain import MAX_PART_OCTETS
from mailstack.wire.sasl.scram_message import (
    Binding,
    ClientFinal,
    ClientFirst,
    Gs2Header,
    encode_octets,
    parse_client_final,
    parse_client_first,
)
from mailstack.wire.sasl.steps import Broken, Challenge, Disproved, NeedsVerifier, Proved, Step

NAME = "SCRAM-SHA-256"
PLUS_NAME = "SCRAM-SHA-256-PLUS"
END_POINT = "tls-server-end-point"
"""The only channel binding there is here: Python's ssl exports no keying material."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    first: ClientFirst
    verifier: ScramVerifier
    nonce: str
    server_first: bytes


class Scram:
    """nonce: fresh, printable, without a comma. end_point: the hash of the certificate that this connection showed;
    None where -PLUS was not offered on it. is_plus: whether -PLUS is what the client chose."""

    def __init__(self, *, nonce: str, end_point: bytes | None, is_plus: bool) -> None:
        self._own_nonce = nonce
        self._end_point = end_point
        self._is_plus = is_plus
        self._begun: _Begun | None = None

    def begin(self, initial: bytes | None) -> Step:
        # RFC 5802 §5: the client speaks first; without an initial response it is asked to with an empty challenge.
        return Challenge(data=b"") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> Step:
        try:
            return self._first(response) if self._begun is None else self._final(self._begun, response)
        except Invalid as fault:
            return Broken(reason=fault.detail)

    def _first(self, response: bytes) -> Step:
        first = parse_client_first(response)
        if len(first.username.encode()) > MAX_PART_OCTETS:
            return Broken(reason="SCRAM with an overlong name")
        flaw = self._flaw_of(first.header)
        if flaw:
            return Broken(reason=flaw)
        # RFC 5802 §5.1: as with PLAIN, nobody may act for another identity here (CVE-2023-27582).
        if first.header.authzid and first.header.authzid.casefold() != first.username.casefold():
            return Broken(reason="SCRAM for another identity")
        return NeedsVerifier(username=first.username, answer=lambda verifier: self._challenge(first, verifier))

    def _flaw_of(self, header: Gs2Header) -> str:
        """RFC 5802 §6: "" where what the client says of channel binding fits the mechanism that it chose."""
        if self._is_plus:
            is_ours = header.binding is Binding.USED and header.channel == END_POINT
            return "" if is_ours else "SCRAM-PLUS without a channel binding that is known"
        if header.binding is Binding.USED:
            return "SCRAM with a channel binding that was not chosen"
        # The client saw no -PLUS, and it was offered: somebody in between took it away.
        if header.binding is Binding.NOT_OFFERED and self._end_point is not None:
            return "SCRAM whose offer of channel binding was taken away: a downgrade"
        return ""

    def _challenge(self, first: ClientFirst, verifier: ScramVerifier) -> Challenge:
        nonce = first.nonce + self._own_nonce
        server_first = f"r={nonce},s={encode_octets(verifier.salt)},i={verifier.iterations}".encode()
        self._begun = _Begun(first=first, verifier=verifier, nonce=nonce, server_first=server_first)
        return Challenge(data=server_first)

    def _final(self, begun: _Begun, response: bytes) -> Step:
        final = parse_client_final(response)
        # RFC 5802 §5.1: the nonce is the one that was given, to the letter.
        if not hmac.compare_digest(final.nonce.encode(), begun.nonce.encode()):
            return Broken(reason="SCRAM with another nonce")
        if not hmac.compare_digest(final.channel_binding, self._bound(begun.first.header)):
            return Broken(reason="SCRAM with another channel binding")
        auth_message = b",".join((begun.first.bare, begun.server_first, final.without_proof))
        if not _is_proof(final, begun.verifier, auth_message):
            return Disproved(username=begun.first.username)
        signature = hmac.digest(begun.verifier.server_key, auth_message, DIGEST)
        return Proved(username=begun.first.username, final=Challenge(data=f"v={encode_octets(signature)}".encode()))

    def _bound(self, header: Gs2Header) -> bytes:
        # RFC 5802 §7: cbind-input = gs2-header [ cbind-data ], the data only where the client said `p`.
        return header.text + (self._end_point or b"" if header.binding is Binding.USED else b"")


def _is_proof(final: ClientFinal, verifier: ScramVerifier, auth_message: bytes) -> bool:
    """RFC 5802 §3: the proof is ClientKey XOR ClientSignature; H(ClientKey) is what is kept."""
    signature = hmac.digest(verifier.stored_key, auth_message, DIGEST)
    proof = final.proof.ljust(DIGEST_OCTETS, b"\0")
    client_key = bytes(one ^ other for one, other in zip(proof, signature, strict=False))
    is_right = hmac.compare_digest(hashlib.sha256(client_key).digest(), verifier.stored_key)
    return is_right and len(final.proof) == DIGEST_OCTETS
