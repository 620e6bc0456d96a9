"""How large a script may be, and what one run of it may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """script_octets, depth, faults: at compiling. depth: of blocks and of tests in each other; RFC 5228 §5.2, §3.1 ask
    for 15 at least. The others: of a run. steps: a command, or 256 characters that are compared with a key. actions:
    of all kinds together. notifications: 0 refuses `notify` altogether. variables: of a script, and with those that it
    includes; RFC 5229 §6 asks for 128 at least, for names of 32 characters, and for values of 4,000.
    expanded_octets: of a string with its variables put in. match_variables: the largest number that may be asked for.
    include_depth: RFC 6609 §3 asks for 3 at least. facts: looked up in the store. part_octets: of a part, as far as
    tests look at it. loops: in each other. field_octets: of a header field that is added; RFC 5293 §4 asks for 998 at
    least. written_octets: put into the message by all edits together. kept_fields, unadded_fields: lower-case names of
    those that no script takes out, or puts in.
    """

    script_octets: int = 1024 * 1024
    depth: int = 32
    faults: int = 20
    steps: int = 500_000
    actions: int = 64
    redirects: int = 8
    notifications: int = 8
    variables: int = 256
    variable_name_characters: int = 64
    variable_octets: int = 16_384
    expanded_octets: int = 65_536
    match_variables: int = 99
    includes: int = 64
    include_depth: int = 10
    facts: int = 64
    logged_characters: int = 16_384
    part_octets: int = 4 * 1024 * 1024
    loops: int = 4
    field_octets: int = 4096
    enclosures: int = 8
    written_octets: int = 4 * 1024 * 1024
    # RFC 5293 §6: what tells where mail came from, and that a program sent it.
    kept_fields: frozenset[str] = frozenset({"received", "auto-submitted"})
    unadded_fields: frozenset[str] = frozenset()


LIMITS = Limits()
