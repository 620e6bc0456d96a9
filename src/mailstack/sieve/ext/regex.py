"""`:regex`, and `:quoteregex` of `set`: extended regular expressions.

Of a draft that became no RFC (draft-ietf-sieve-regex), as other servers have it, but for back-references.
"""

from collections.abc import Sequence

from mailstack.formats.expressions import Expression, NoExpression, compiled, quoted
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import Comparator, Extension, Matcher, MatchType, TagSpec
from mailstack.sieve.match import for_parts
from mailstack.sieve.run import Run


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
            known = [compiled(key, is_case_blind=is_blind) for key in keys.constants]
        except NoExpression as fault:
            raise Misplaced(keys.at, f"no regular expression: {fault}") from None
        return lambda run, values: among(run, values, known)

    def at_run(run: Run, values: Sequence[str]) -> bool:
        wanted = keys.of(run)
        run.spend(sum(map(len, wanted)))
        try:
            expressions = [compiled(key, is_case_blind=is_blind) for key in wanted]
        except NoExpression as fault:
            raise RuntimeFault(f"no regular expression: {fault}") from None
        return among(run, values, expressions)

    return at_run


_QUOTE = TagSpec(name="quoteregex", group="precedence 20")
EXTENSION = Extension(
    name="regex",
    match_types=(MatchType(name="regex", compile=_regex),),
    tags={"set": (_QUOTE,), "extracttext": (_QUOTE,)},
    modifiers={"quoteregex": (20, quoted)},
)
