"""COMPRESS. RFC 4978 §3."""

from dataclasses import dataclass

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Compress:
    """With DEFLATE, the only algorithm there is."""


def parse(cursor: Cursor) -> Compress:
    """compress = "COMPRESS" SP algorithm; algorithm = "DEFLATE" """
    cursor.space()
    if not cursor.skip_word(b"DEFLATE"):
        raise SyntaxProblem("expected DEFLATE")
    cursor.end()
    return Compress()
