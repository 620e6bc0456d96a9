"""Addresses that a script sends mail to or from. RFC 5228 §2.4.2.3."""

import re

from mailstack.formats.comments import without_comments
from mailstack.model.address import parse_address
from mailstack.model.errors import Invalid

_SPACE = r"[ \t\r\n]*+"
# RFC 5322 §3.2.3, §3.4.1; dots where they are wrong are let through: such addresses are in use.
_QUOTED = r'"(?:[^"\\]++|\\.)*+"'
_ATOMS = r'[^\s()<>\[\]:;@\\,"]++'
_ADDR_SPEC = rf"{_SPACE}({_QUOTED}|{_ATOMS}){_SPACE}@{_SPACE}(\[[^\[\]\\\s]*+\]|{_ATOMS}){_SPACE}"
# sieve-address = addr-spec / phrase "<" addr-spec ">"
_SIEVE_ADDRESS = re.compile(
    rf'{_ADDR_SPEC}|{_SPACE}(?:[^()<>\[\]:;@\\,"]++|{_QUOTED})*+<{_ADDR_SPEC}>{_SPACE}', re.DOTALL
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def outbound_address(text: str) -> str:
    """`local@domain`, of an address that may have a name: `Name <local@domain>`. Raises Invalid."""
    bare = without_comments(text.encode("utf-8", "replace")).decode() if "(" in text else text
    found = _SIEVE_ADDRESS.fullmatch(bare)
    if found is None:
        raise Invalid("no address of one mailbox: local@domain, with or without a name")
    local_part, domain = (found[1], found[2]) if found[1] else (found[3], found[4])
    if local_part.startswith('"'):
        local_part = _QUOTED_PAIR.sub(r"\1", local_part[1:-1])
    return str(parse_address(f"{local_part}@{domain}"))
