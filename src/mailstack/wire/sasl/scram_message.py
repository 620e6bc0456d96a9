"""SCRAM's messages: attributes between commas, and names within them. Read by server and client alike.

Not what they prove: wire/sasl/scram and scram_client. RFC 5802 §5.1, §7.
"""

import re
from binascii import Error, a2b_base64, b2a_base64
from dataclasses import dataclass
from enum import Enum

from mailstack.model.errors import Invalid

MAX_MESSAGE_OCTETS = 4096
MAX_NONCE = 256

# RFC 5802 §7: printable = %x21-2B / %x2D-7E: ASCII without the comma
_NONCE = re.compile(r"[\x21-\x2b\x2d-\x7e]+")
# RFC 5802 §7: attr-val = ALPHA "=" value
_ATTRIBUTE = re.compile(r"[A-Za-z]=[^\0,]+")
# RFC 5802 §5.1: "=" is only ever followed by "2C" or "3D".
_LONE_EQUALS = re.compile(r"=(?!2C|3D)")


class Binding(Enum):
    """RFC 5802 §7: gs2-cbind-flag."""

    NOT_SUPPORTED = "n"  # by the client
    NOT_OFFERED = "y"  # by the server, as the client understood it
    USED = "p"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gs2Header:
    """channel: the kind of channel binding where it is used, else "". text: as it was sent, with its last comma."""

    binding: Binding
    channel: str
    authzid: str
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFirst:
    """bare: what the proof is over."""

    header: Gs2Header
    username: str
    nonce: str
    bare: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFinal:
    """channel_binding: the header and the binding's data, decoded. without_proof: what the proof is over."""

    channel_binding: bytes
    nonce: str
    proof: bytes
    without_proof: bytes


def parse_client_first(data: bytes) -> ClientFirst:
    """RFC 5802 §7: client-first-message = gs2-header client-first-message-bare. Raises Invalid."""
    text = _text(data)
    flag, *rest = text.split(",", 2)
    if len(rest) != 2:
        raise Invalid("SCRAM without a header")
    authzid, bare = rest
    username, nonce = _values(bare, "nr")
    return ClientFirst(
        header=_header(flag, authzid),
        username=decode_name(username),
        nonce=_nonce(nonce),
        bare=bare.encode(),
    )


def parse_client_final(data: bytes) -> ClientFinal:
    """RFC 5802 §7: client-final-message = client-final-message-without-proof "," proof. Raises Invalid."""
    without_proof, comma, last = _text(data).rpartition(",")
    if not comma or not last.startswith("p="):
        raise Invalid("SCRAM without a proof")
    channel_binding, nonce = _values(without_proof, "cr")
    return ClientFinal(
        channel_binding=decode_octets(channel_binding),
        nonce=_nonce(nonce),
        proof=decode_octets(last[2:]),
        without_proof=without_proof.encode(),
    )


def parse_server_first(data: bytes) -> tuple[str, bytes, int]:
    """nonce, salt and iterations. RFC 5802 §7: server-first-message. Raises Invalid."""
    nonce, salt, iterations = _values(_text(data), "rsi")
    if not re.fullmatch(r"[1-9][0-9]{0,9}", iterations):
        raise Invalid("SCRAM with a count of iterations that is none")
    return _nonce(nonce), decode_octets(salt), int(iterations)


def decode_name(text: str) -> str:
    """RFC 5802 §5.1: a saslname. Raises Invalid."""
    if _LONE_EQUALS.search(text):
        raise Invalid("SCRAM with a name that is not escaped")
    return text.replace("=2C", ",").replace("=3D", "=")


def encode_name(name: str) -> str:
    return name.replace("=", "=3D").replace(",", "=2C")


def decode_octets(text: str) -> bytes:
    """Raises Invalid."""
    try:
        data = a2b_base64(text, strict_mode=True)
    except (Error, ValueError) as fault:
        raise Invalid("SCRAM with a value that is not base64") from fault
    if encode_octets(data) != text:
        raise Invalid("SCRAM with a value that is not canonical base64")
    return data


def encode_octets(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _text(data: bytes) -> str:
    if len(data) > MAX_MESSAGE_OCTETS:
        raise Invalid("SCRAM with an overlong message")
    try:
        return data.decode()
    except UnicodeDecodeError as fault:
        raise Invalid("SCRAM that is not UTF-8") from fault


def _header(flag: str, authzid: str) -> Gs2Header:
    """RFC 5802 §7: gs2-header = gs2-cbind-flag "," [ authzid ] ","."""
    kind, _, channel = flag.partition("=")
    # RFC 5801 §4: gs2-cb-flag = ("p=" cb-name) / "n" / "y"; cb-name = 1*(ALPHA / DIGIT / "." / "-")
    is_used = kind == "p" and re.fullmatch(r"[A-Za-z0-9.-]{1,64}", channel) is not None
    if not is_used and flag not in ("n", "y"):
        raise Invalid("SCRAM with an unknown kind of header")
    if authzid and not authzid.startswith("a="):
        raise Invalid("SCRAM with a header that is no header")
    if authzid == "a=":
        raise Invalid("SCRAM with an empty identity")
    return Gs2Header(
        binding=Binding(kind), channel=channel, authzid=decode_name(authzid[2:]), text=f"{flag},{authzid},".encode()
    )


def _values(text: str, names: str) -> list[str]:
    """Of the attributes that must come first, in this order; others after them are ignored, as RFC 5802 §5.1 asks,
    but for `m`, which stands for what must be understood. Raises Invalid."""
    attributes = text.split(",")
    if any(_ATTRIBUTE.fullmatch(attribute) is None for attribute in attributes):
        raise Invalid("SCRAM with an attribute that is none")
    if any(attribute.startswith("m=") for attribute in attributes):
        raise Invalid("SCRAM with an extension that must be understood")
    if "".join(attribute[0] for attribute in attributes[: len(names)]) != names:
        raise Invalid("SCRAM without an attribute that it needs, or in another order")
    return [attribute[2:] for attribute in attributes[: len(names)]]


def _nonce(text: str) -> str:
    if len(text) > MAX_NONCE or _NONCE.fullmatch(text) is None:
        raise Invalid("SCRAM with a nonce that is none")
    return text
