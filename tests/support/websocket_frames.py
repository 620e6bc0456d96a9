"""Frames as a client makes them, right ones and wrong ones. RFC 6455 §5.2."""

MASK = bytes((0x37, 0xFA, 0x21, 0x3D))
"""That of RFC 6455 §5.7."""
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(payload: bytes, opcode: int = TEXT, *, is_final: bool = True, rsv: int = 0, mask: bytes = MASK) -> bytes:
    first = (0x80 if is_final else 0) | rsv << 4 | opcode
    length = len(payload)
    if length <= 125:
        head = bytes((first, 0x80 | length))
    elif length < 1 << 16:
        head = bytes((first, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + length.to_bytes(8, "big")
    return head + mask + bytes(octet ^ mask[at % 4] for at, octet in enumerate(payload))


def goodbye(code: int, reason: bytes = b"") -> bytes:
    return frame(code.to_bytes(2, "big") + reason, CLOSE)
