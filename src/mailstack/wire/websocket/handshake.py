"""How a WebSocket is asked for and agreed to, in the fields of an HTTP request. RFC 6455 §4, RFC 7692 §5, §7.1."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailstack.wire.websocket.deflate import SMALLEST_WINDOW_BITS, WINDOW_BITS, Deflating

VERSION = "13"
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455 §1.3"""
_KEY_OCTETS = 16
_DEFLATE = "permessage-deflate"
_NUMBER = re.compile(r'"?([0-9]{1,2})"?')

Fields = Mapping[str, Sequence[str]]
"""Values by name in lower case."""


class BadHandshake(Exception):
    """str() is why, for whoever writes the client. is_upgrade: a WebSocket was asked for, in a way that is not known
    here."""

    def __init__(self, detail: str, *, is_upgrade: bool = True) -> None:
        super().__init__(detail)
        self.is_upgrade = is_upgrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """protocols: that the client speaks. deflating: None where nothing is compressed; agreed: what is answered then."""

    accept: str
    protocols: tuple[str, ...]
    deflating: Deflating | None
    agreed: str


def read_handshake(fields: Fields) -> Handshake:
    """Raises BadHandshake."""
    if "websocket" not in _tokens(fields, "upgrade") or "upgrade" not in _tokens(fields, "connection"):
        raise BadHandshake("ask for an upgrade to websocket", is_upgrade=False)
    # RFC 6455 §4.4
    if list(fields.get("sec-websocket-version", ())) != [VERSION]:
        raise BadHandshake(f"Sec-WebSocket-Version is {VERSION}", is_upgrade=False)
    keys = fields.get("sec-websocket-key", ())
    if len(keys) != 1 or not _is_key(keys[0].strip()):
        raise BadHandshake("Sec-WebSocket-Key is not 16 octets in base64")
    deflating, agreed = _deflating(fields.get("sec-websocket-extensions", ()))
    return Handshake(
        accept=base64.b64encode(_sha1(keys[0].strip().encode("ascii") + _MAGIC)).decode("ascii"),
        protocols=tuple(
            name.strip() for value in fields.get("sec-websocket-protocol", ()) for name in value.split(",")
        ),
        deflating=deflating,
        agreed=agreed,
    )


def _tokens(fields: Fields, name: str) -> set[str]:
    return {token.strip().lower() for value in fields.get(name, ()) for token in value.split(",")}


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.encode("ascii"), validate=True)) == _KEY_OCTETS
    except (binascii.Error, ValueError):
        return False


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _deflating(values: Iterable[str]) -> tuple[Deflating | None, str]:
    """RFC 7692 §5.1: the first of the client's offers that can be taken."""
    for value in values:
        for offer in value.split(","):
            name, *parameters = (part.strip() for part in offer.split(";"))
            window = _server_window(parameters) if name.lower() == _DEFLATE else None
            if window is not None:
                # RFC 7692 §7.1.1: without, each socket would keep two windows for good.
                agreed = f"{_DEFLATE}; server_no_context_takeover; client_no_context_takeover"
                narrower = f"; server_max_window_bits={window}" if window < WINDOW_BITS else ""
                return Deflating(window_bits=window), agreed + narrower
    return None, ""


def _server_window(parameters: Sequence[str]) -> int | None:
    """None: an offer with what is not known or not possible, or twice the same, is not taken. RFC 7692 §7.1."""
    window, seen = WINDOW_BITS, set[str]()
    for parameter in parameters:
        name, has_value, value = parameter.partition("=")
        name = name.strip().lower()
        number = _NUMBER.fullmatch(value.strip())
        bits = int(number[1]) if number else 0
        is_window = SMALLEST_WINDOW_BITS <= bits <= WINDOW_BITS
        match name:
            case "server_no_context_takeover" | "client_no_context_takeover" if not has_value:
                pass
            case "client_max_window_bits" if not has_value or 8 <= bits <= WINDOW_BITS:
                pass
            case "server_max_window_bits" if is_window:
                window = bits
            case _:
                return None
        if name in seen:
            return None
        seen.add(name)
    return window
