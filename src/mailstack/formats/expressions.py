"""Regular expressions of users, by an engine whose time is linear in the text.

Of all matches the longest counts, as POSIX has it; there are no back-references, which no engine finds in linear time.
"""

from functools import lru_cache
from typing import Protocol

import re2

MAX_MEMORY_BYTES = 1 << 20
"""Of one expression; one that is larger is refused when it is compiled."""
SPECIAL = frozenset(".[]{}()\\*+?^$|")


class NoExpression(ValueError):
    """What is wrong, in the engine's words."""


class Found(Protocol):
    def group(self, number: int, /) -> str: ...

    def groups(self) -> tuple[str | None, ...]: ...


class Expression(Protocol):
    """What the library gives, which says no types."""

    programsize: int

    def search(self, text: str, /) -> Found | None: ...


@lru_cache(maxsize=1024)
def compiled(expression: str, *, is_case_blind: bool) -> Expression:
    """Raises NoExpression."""
    options = re2.Options()
    options.longest_match = True
    options.case_sensitive = not is_case_blind
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = MAX_MEMORY_BYTES
    try:
        found: Expression = re2.compile(expression, options)
    except re2.error as fault:
        raise NoExpression(_said(fault)) from None
    return found


def why_no_expression(text: str) -> str:
    """ "" for one that may be used."""
    try:
        compiled(text, is_case_blind=True)
    except NoExpression as fault:
        return str(fault)
    return ""


def quoted(text: str) -> str:
    """What matches that text and no other."""
    return "".join(f"\\{one}" if one in SPECIAL else one for one in text)


def _said(fault: Exception) -> str:
    """The library's faults are bytes."""
    said = fault.args[0] if fault.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
