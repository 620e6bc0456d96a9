"""A reader for what IMAP writes in parentheses, to check what we wrote: strict where the grammar is. RFC 9051 §9."""

import re

Value = bytes | int | None | list["Value"]

_TOKEN = re.compile(rb'"((?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*)"|\{(\d+)\}\r\n|(NIL)|(\d+)')


def read_list(text: bytes) -> list[Value]:
    value, end = _value(text, 0)
    assert end == len(text), f"octets to spare: {text[end:]!r}"
    assert isinstance(value, list)
    return value


def _value(text: bytes, at: int) -> tuple[Value, int]:
    if text[at : at + 1] == b"(":
        return _list(text, at + 1)
    found = _TOKEN.match(text, at)
    assert found is not None, f"no token at {at}: {text[at : at + 40]!r}"
    quoted, size, nil, number = found.groups()
    if quoted is not None:
        return re.sub(rb"\\(.)", rb"\1", quoted), found.end()
    if size is not None:
        end = found.end() + int(size)
        literal = text[found.end() : end]
        assert len(literal) == int(size)
        assert b"\x00" not in literal
        return literal, end
    return (None if nil else int(number)), found.end()


def _list(text: bytes, at: int) -> tuple[list[Value], int]:
    values: list[Value] = []
    while text[at : at + 1] != b")":
        # Addresses and parts follow each other without a space, all else is parted by exactly one.
        if values and text[at : at + 1] == b" ":
            at += 1
        elif values:
            assert text[at : at + 1] == b"("
            assert isinstance(values[-1], list)
        value, at = _value(text, at)
        values.append(value)
    return values, at + 1
