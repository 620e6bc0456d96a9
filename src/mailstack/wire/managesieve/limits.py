"""How much one peer may make us hold. Before login all is small: a stranger must not be able to fill the memory
(CVE-2026-27858).
"""

from dataclasses import dataclass

from mailstack.wire.sasl.encoding import MAX_RESPONSE_OCTETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """line_octets: one line, the literals that it leads to not counted. literal_octets: one literal.
    command_octets: lines and literals of one command together. discard_octets: how much of a refused command is read
    past; over that the connection ends.
    """

    line_octets: int
    literal_octets: int
    literals: int
    command_octets: int
    discard_octets: int


# RFC 5804 §2.1: a SASL response comes quoted or as a literal.
_LINE_OCTETS = MAX_RESPONSE_OCTETS + 1024

BEFORE_LOGIN = Limits(
    line_octets=_LINE_OCTETS,
    literal_octets=MAX_RESPONSE_OCTETS,
    literals=2,
    command_octets=2 * _LINE_OCTETS,
    discard_octets=64 * 1024,
)


def after_login(script_octets: int) -> Limits:
    """script_octets: the largest script of PUTSCRIPT and CHECKSCRIPT."""
    return Limits(
        line_octets=_LINE_OCTETS,
        literal_octets=script_octets,
        literals=2,  # PUTSCRIPT's name and script, RENAMESCRIPT's two names
        command_octets=script_octets + _LINE_OCTETS,
        discard_octets=4 * script_octets + _LINE_OCTETS,
    )
