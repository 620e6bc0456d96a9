"""How an extension says what it adds to the language: commands, tests, tags of others' commands, and ways to compare.

Each file of ext/ makes one Extension; extensions.py lists them. Nothing registers itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from mailstack.sieve.message import AddressPart, Occurrence
from mailstack.sieve.run import Check, Run, Step

if TYPE_CHECKING:
    from mailstack.sieve.arguments import Arguments
    from mailstack.sieve.check import Compiler


MATCH_TYPE = "match type"
ADDRESS_PART = "address part"
"""Groups of tags."""


class Kind(Enum):
    """Of an argument. CONSTANT: a string whose value must be known at compiling."""

    NUMBER = "a number"
    STRING = "a string"
    STRINGS = "a string list"
    CONSTANT = "a string without variables"


class Tests(Enum):
    """How many tests a command or test takes."""

    NONE = "none"
    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Of a fixed place. name: for messages, and for Arguments. is_optional: where some are left out, it is the first of
    these."""

    name: str
    kind: Kind
    is_optional: bool = False


Fields = Callable[[Run, str], Sequence[Occurrence]]
"""The fields of a name that a test looks at."""
Narrow = Callable[["Arguments", Fields], Fields]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSpec:
    """group: of the tags with the same group only one may be given. value: of the argument that follows it.
    narrow: makes the test look at other fields, such as `:index`'s at one of them; in the order of NARROWING."""

    name: str
    value: Kind | None = None
    group: str = ""
    narrow: Narrow | None = None

    @property
    def exclusive(self) -> str:
        return self.group or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """compares: whether the match type and comparator tags may be given, and the keys are a parameter; takes_address:
    those of address parts too."""

    parameters: tuple[Parameter, ...] = ()
    tags: tuple[TagSpec, ...] = ()
    tests: Tests = Tests.NONE
    has_block: bool = False
    compares: bool = False
    takes_address: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """compile: from what was given to what is done."""

    name: str
    signature: Signature
    compile: "Callable[[Arguments, Compiler], Step]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSpec:
    name: str
    signature: Signature
    compile: "Callable[[Arguments, Compiler], Check]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparator:
    """RFC 4790. fold: two values with the same are equal; where has_substrings, it goes by single characters, and parts
    of a value can be found in another. order: two of them can be compared by <. steps: that folding 256 characters
    takes, where they are to be counted (Limits.steps)."""

    name: str
    fold: Callable[[str], str]
    order: "Callable[[str], Order]"
    has_substrings: bool = True
    is_case_blind: bool = False
    steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchType:
    """value: of the argument that follows the tag, as `:value "gt"`. compile: see match.py."""

    name: str
    compile: "Callable[[Arguments, Comparator], Matcher]"
    value: Kind | None = None


Order = str | tuple[int, str]
"""What can be compared by < with others of the same comparator."""
Matcher = Callable[[Run, Sequence[str]], bool]
"""Whether one of the values is one of the keys; for :count, whether their number is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """name: as `require` has it, "" for what is always there. tags: for the commands and tests of others, by their
    names. implies: extensions whose words it brings along. reference: makes of what stands in `${}`, of a string at an
    offset, what it is at run time, None where it is plain text. unescape: what a string is, at its offset, before
    anything else is made of it. Both raise Misplaced. modifiers: of `set`, with their precedence (RFC 5229 §4.1); their
    tags are in `tags`. namespaces: of variables (RFC 5229 §3). read_only: of those that no script sets; from what
    stands behind their first dot to what it is."""

    name: str
    commands: tuple[CommandSpec, ...] = ()
    tests: tuple[TestSpec, ...] = ()
    tags: Mapping[str, tuple[TagSpec, ...]] = field(default_factory=dict)
    comparators: tuple[Comparator, ...] = ()
    match_types: tuple[MatchType, ...] = ()
    address_parts: Mapping[str, "Callable[[Run], AddressPart]"] = field(default_factory=dict)
    envelope_parts: "Mapping[str, Callable[[Run], Sequence[str]]]" = field(default_factory=dict)
    implies: tuple[str, ...] = ()
    reference: "Callable[[Compiler, int, str], Callable[[Run], str] | None] | None" = None
    unescape: Callable[[str, int], str] | None = None
    modifiers: Mapping[str, tuple[int, Callable[[str], str]]] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    read_only: Mapping[str, Callable[[str], Callable[[Run], str]]] = field(default_factory=dict)
