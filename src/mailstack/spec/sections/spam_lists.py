"""`spam.lists`: lists in DNS that give mail points."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from mailstack.model.dns_list import parse_bit, parse_code
from mailstack.spec.sections.section import Section
from mailstack.spec.values import DomainName

MOST_CODES = 100
_MOST, _LEAST = 10.0, 0.1
_MOST_GOOD = -5.0


def check_list_points(points: float) -> float:
    # One list alone refuses no mail, and makes none welcome that all else speaks against.
    if _LEAST <= points <= _MOST or _MOST_GOOD <= points <= -_LEAST:
        return points
    raise ValueError("a list gives 0.1 to 10 points, or -5 to -0.1 where it speaks for a mail")


def check_code_points(points: float) -> float:
    return points if points == 0 else check_list_points(points)


ListPoints = Annotated[float, AfterValidator(check_list_points)]
CodePoints = Annotated[float, AfterValidator(check_code_points)]
Code = Annotated[
    str,
    AfterValidator(parse_code),
    WithJsonSchema(
        {"type": "string", "pattern": r"^127(\.([0-9]{1,3}|\*)){3}$", "examples": ["127.0.1.4", "127.0.*.3"]}
    ),
]
Bit = Annotated[
    str,
    AfterValidator(parse_bit),
    WithJsonSchema({"type": "string", "pattern": "^(1|2|4|8|16|32|64|128)$", "examples": ["8", "64"]}),
]


class DnsList(Section):
    """One list, asked about each mail of strangers."""

    zone: DomainName = Field(description="The list's domain, such as dbl.spamhaus.org.")
    of: tuple[Literal["peers", "domains", "links"], ...] = Field(
        min_length=1,
        description="What it is asked about: peers, the address that brings a mail; domains, those of its author and"
        " sender, of who signed it and of the server that brings it; links, where its links lead.",
    )
    points: ListPoints | None = Field(
        default=None,
        description="What a listing adds to the score, once for all that the list has of a mail: 0.1 to 10; or -5 to"
        " -0.1 for a list of good senders, which counts only of who is proved to have sent the mail. Without it, only"
        " codes and bits count.",
    )
    codes: dict[Code, CodePoints] = Field(
        default={},
        max_length=MOST_CODES,
        description="Points of single codes, the addresses that the list answers with: {127.0.1.4: 6}. A * stands for"
        " any number; a code itself counts before a pattern, and 0 points let it pass.",
    )
    bits: dict[Bit, CodePoints] = Field(
        default={},
        description='Points of single bits, for lists whose codes are sums: {"8": 4, "64": 3} of the last number of a'
        " code. The most that one of its bits has counts, not their sum. A code that codes name is not looked into.",
    )
