"""How large a script may be, and what one run of it may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """script_octets, depth, faults: at compiling. depth: of blocks and of tests in each other; RFC 5228 §5.2, §3.1 ask
    for 15 at least. The others: of a run. steps: a command, or 256 characters that are compared with a key. actions:
    of all kinds together. variable_characters: RFC 5229 §6 asks for 4,000 at least. facts: looked up in the store.
    part_octets: of a part, as far as tests look at it. loops: in each other. field_octets: of a header field that is
    added; RFC 5293 §4 asks for 998 at least. written_octets: put into the message by all edits together.
    """

    script_octets: int = 1024 * 1024
    depth: int = 32
    faults: int = 20
    steps: int = 500_000
    actions: int = 64
    redirects: int = 8
    notifications: int = 8
    variables: int = 256
    variable_characters: int = 16_384
    includes: int = 64
    facts: int = 64
    part_octets: int = 4 * 1024 * 1024
    loops: int = 4
    field_octets: int = 4096
    enclosures: int = 8
    written_octets: int = 4 * 1024 * 1024


LIMITS = Limits()
