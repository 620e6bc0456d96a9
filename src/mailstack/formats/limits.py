"""How much of a document anybody looks at. A message past a limit is stored and read whole; only what is derived from
it stops there. The limits answer cyclic and nesting bombs, huge address fields and endless headers.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Octets unless the name says otherwise.

    header: of one header section, as far as it is split into fields. delimiter_candidates: lines of a whole message
    that begin as a boundary does.
    """

    header: int = 256 * 1024
    header_fields: int = 2_000
    parts: int = 1_000
    depth: int = 64
    delimiter_candidates: int = 100_000
    boundary: int = 512
    parameters: int = 100
    addresses: int = 2_000
    references: int = 100
    subject: int = 4_096
    # RFC 8970 §3.2: a preview has at most 256 characters.
    preview_characters: int = 256
    preview_source: int = 16 * 1024
    searched_part: int = 16 * 1024 * 1024


LIMITS = Limits()
