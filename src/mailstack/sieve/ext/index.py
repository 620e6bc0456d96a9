""":index and :last, for the tests that look at fields: only the n-th of a name counts. RFC 5260 §6."""

from collections.abc import Sequence

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import Extension, Fields, Kind, TagSpec
from mailstack.sieve.message import Occurrence
from mailstack.sieve.run import Run


def _one(arguments: Arguments, fields: Fields) -> Fields:
    number = arguments.number("index")
    if number < 1:
        raise Misplaced(arguments.place("index"), "':index' counts from 1")
    at = -number if arguments.has("last") else number - 1

    def narrowed(run: Run, name: str) -> Sequence[Occurrence]:
        found = fields(run, name)
        return (found[at],) if number <= len(found) else ()

    return narrowed


def _needs_index(arguments: Arguments, fields: Fields) -> Fields:
    if not arguments.has("index"):
        raise Misplaced(
            arguments.place("last"),
            "the :last tag cannot be specified without the :index tag",
            "':index 1 :last' is the last one",
        )
    return fields


_TAGS = (
    TagSpec(name="index", value=Kind.NUMBER, narrow=_one),
    TagSpec(name="last", narrow=_needs_index),
)
EXTENSION = Extension(name="index", tags={"header": _TAGS, "address": _TAGS, "date": _TAGS})
