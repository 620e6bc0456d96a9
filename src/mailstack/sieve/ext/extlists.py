"""Lists kept elsewhere, such as address books: `:list`, `valid_ext_list`, and redirect to a list. RFC 6134."""

from collections.abc import Sequence

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.facts import IsListed, ListExists
from mailstack.sieve.language import (
    Comparator,
    Extension,
    Kind,
    Matcher,
    MatchType,
    Parameter,
    Signature,
    TagSpec,
    TestSpec,
)
from mailstack.sieve.run import Check, Run


def _list(arguments: Arguments, _comparator: Comparator) -> Matcher:
    # RFC 6134 §2.2: how members are compared is the list's own affair.
    names = arguments.texts("key list")

    def among(run: Run, values: Sequence[str]) -> bool:
        for name in names.of(run):
            for value in values:
                if run.fact(IsListed(name, value)):
                    # RFC 6134 §2.4: the value that was found is the match variable.
                    run.matches = (value,)
                    return True
        return False

    return among


def _valid(arguments: Arguments, _compiler: Compiler) -> Check:
    names = arguments.texts("lists")
    return lambda run: all(run.fact(ListExists(name)) for name in names.of(run))


EXTENSION = Extension(
    name="extlists",
    match_types=(MatchType(name="list", compile=_list),),
    tests=(
        TestSpec(
            name="valid_ext_list",
            signature=Signature(parameters=(Parameter(name="lists", kind=Kind.STRINGS),)),
            compile=_valid,
        ),
    ),
    tags={"redirect": (TagSpec(name="list"),)},
)
