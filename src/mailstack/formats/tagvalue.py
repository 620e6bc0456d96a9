"""Lists of tags with values, as DKIM, DMARC, ARC and MTA-STS write them. RFC 6376 §3.2.

Not what any tag means. Time is linear in the length, whatever the number of tags.
"""

import re
from typing import NamedTuple

from mailstack.model.errors import Invalid

# RFC 6376 §3.2: tag-name = ALPHA *ALNUMPUNC, ALNUMPUNC = ALPHA / DIGIT / "_"
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_WHITE_SPACE = b" \t\r\n"


class Tag(NamedTuple):
    """value: without the white space around it, that within kept. start, end: all between `=` and `;` in the list."""

    value: bytes
    start: int
    end: int


def parse_tags(text: bytes) -> dict[bytes, Tag]:
    """By name, in order; names are case-sensitive. Raises Invalid for what is no such list."""
    tags: dict[bytes, Tag] = {}
    at = 0
    specs = text.split(b";")
    if not specs[-1].strip(_WHITE_SPACE):
        specs.pop()  # RFC 6376 §3.2: tag-list = tag-spec *( ";" tag-spec ) [ ";" ]
    for spec in specs:
        equals = spec.find(b"=")
        name = spec[: max(equals, 0)].strip(_WHITE_SPACE)
        if not _NAME.fullmatch(name):
            raise Invalid("it is no list of tags with values")
        # RFC 6376 §3.2: tags with duplicate names MUST NOT occur within a single tag-list.
        if name in tags:
            raise Invalid("a tag is there twice")
        end = at + len(spec)
        tags[name] = Tag(spec[equals + 1 :].strip(_WHITE_SPACE), at + equals + 1, end)
        at = end + 1
    return tags


def without_white_space(value: bytes) -> bytes:
    """RFC 6376 §2.10: base64 and lists may be folded anywhere."""
    return value.translate(None, _WHITE_SPACE)
