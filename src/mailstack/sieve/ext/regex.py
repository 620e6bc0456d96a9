"""`:regex`, and `:quoteregex` of `set`: extended regular expressions, by an engine whose time is linear in the text.

Of a draft that became no RFC (draft-ietf-sieve-regex), as other servers have it. Of all matches the longest counts, as
POSIX has it; there are no back-references, which no engine finds in linear time.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import re2

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import Comparator, Extension, Matcher, MatchType, TagSpec
from mailstack.sieve.match import for_parts
from mailstack.sieve.run import Run

MAX_MEMORY_BYTES = 1 << 20
"""Of one expression; one that is larger is refused when it is compiled."""
SPECIAL = frozenset(".[]{}()\\*+?^$|")


class Found(Protocol):
    def group(self, number: int, /) -> str: ...

    def groups(self) -> tuple[str | None, ...]: ...


class Expression(Protocol):
    """What the library gives, which says no types."""

    programsize: int

    def search(self, text: str, /) -> Found | None: ...


@lru_cache(maxsize=1024)
def _compiled(expression: str, *, is_case_blind: bool) -> Expression:
    """Raises re2.error."""
    options = re2.Options()
    options.longest_match = True
    options.case_sensitive = not is_case_blind
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = MAX_MEMORY_BYTES
    compiled: Expression = re2.compile(expression, options)
    return compiled


def _regex(arguments: Arguments, comparator: Comparator) -> Matcher:
    keys = arguments.texts("key list")
    is_blind = for_parts(arguments, comparator).is_case_blind

    def among(run: Run, values: Sequence[str], expressions: Sequence[Expression]) -> bool:
        # At worst, when the automaton grows too large, each character costs all instructions of the expression.
        run.spend(sum(map(len, values)) * sum(one.programsize for one in expressions) >> 8)
        for value in values:
            for expression in expressions:
                found = expression.search(value)
                if found is not None:
                    run.matches = (found.group(0), *(group or "" for group in found.groups()))
                    return True
        return False

    if keys.constants is not None:
        try:
            known = [_compiled(key, is_case_blind=is_blind) for key in keys.constants]
        except re2.error as fault:
            raise Misplaced(keys.at, f"no regular expression: {_said(fault)}") from None
        return lambda run, values: among(run, values, known)

    def at_run(run: Run, values: Sequence[str]) -> bool:
        wanted = keys.of(run)
        run.spend(sum(map(len, wanted)))
        try:
            expressions = [_compiled(key, is_case_blind=is_blind) for key in wanted]
        except re2.error as fault:
            raise RuntimeFault(f"no regular expression: {_said(fault)}") from None
        return among(run, values, expressions)

    return at_run


def why_no_expression(text: str) -> str:
    """ "" for one that a script may have."""
    try:
        _compiled(text, is_case_blind=True)
    except re2.error as fault:
        return _said(fault)
    return ""


def _said(fault: Exception) -> str:
    """The library's faults are bytes."""
    said = fault.args[0] if fault.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def quoted(text: str) -> str:
    """What matches that text and no other."""
    return "".join(f"\\{one}" if one in SPECIAL else one for one in text)


_QUOTE = TagSpec(name="quoteregex", group="precedence 20")
EXTENSION = Extension(
    name="regex",
    match_types=(MatchType(name="regex", compile=_regex),),
    tags={"set": (_QUOTE,), "extracttext": (_QUOTE,)},
    modifiers={"quoteregex": (20, quoted)},
)
