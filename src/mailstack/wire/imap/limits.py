"""How much one peer may make us hold. Every growing thing of the grammar has its number here.

Before login all are small: a stranger must not be able to fill the memory (CVE-2025-61600, CVE-2024-34055,
CVE-2026-27857, GHSA-3gp8-jmrg-pq2v).
"""

from dataclasses import dataclass

DEFAULT_MESSAGE_OCTETS = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """line_octets: one line, the literals that it leads to not counted. literal_octets: one literal, APPEND's message
    not counted. command_octets: lines and literals of one command together. nesting: parentheses and NOTs.
    items: things to fetch for each message. message_octets: one message of APPEND; messages, parts and upload_octets:
    of one APPEND together (RFC 3502, RFC 4469). discard_octets: how much of a refused literal that the client sends
    unasked (RFC 7888) is read past; over that the connection ends.
    """

    line_octets: int
    literal_octets: int
    literals: int
    command_octets: int
    nesting: int
    items: int
    message_octets: int
    messages: int
    parts: int
    upload_octets: int
    discard_octets: int


BEFORE_LOGIN = Limits(
    line_octets=36 * 1024,  # RFC 2971 §3.3: ID with 30 fields of 1,024 octets fits, and a SASL response
    literal_octets=4 * 1024,
    literals=4,
    command_octets=40 * 1024,
    nesting=2,
    items=0,
    message_octets=0,
    messages=1,
    parts=1,
    upload_octets=0,
    discard_octets=64 * 1024,
)


def after_login(message_octets: int = DEFAULT_MESSAGE_OCTETS) -> Limits:
    return Limits(
        line_octets=64 * 1024,  # RFC 7162 §4: 8192 is the least; clients name thousands of UIDs in one set
        literal_octets=64 * 1024,
        literals=64,
        command_octets=256 * 1024,
        nesting=64,
        items=64,
        message_octets=message_octets,
        messages=1_000,
        parts=2_000,
        upload_octets=2 * message_octets,
        discard_octets=4 * message_octets,
    )
