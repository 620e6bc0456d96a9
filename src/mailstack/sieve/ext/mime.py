"""`:mime` of header, address and exists: the fields of a part, or of all parts; and what their values are made of.
RFC 5703 §4.
"""

from collections.abc import Callable, Sequence

from mailstack.formats.charsets import guess
from mailstack.formats.mediatype import parse_disposition, parse_media_type
from mailstack.formats.words import parameter
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.entity import walk
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import Extension, Fields, Kind, TagSpec
from mailstack.sieve.message import Occurrence
from mailstack.sieve.run import Run

_OPTION = "mime option"
Parsed = tuple[str, str, tuple[tuple[bytes, bytes], ...]]
_NOTHING: Parsed = ("", "", ())


def _of_part(arguments: Arguments, _fields: Fields) -> Fields:
    """RFC 5703 §4.1: of the part that a foreverypart is at, else of the message; with :anychild of its parts too."""
    if not arguments.has("anychild"):
        return lambda run, name: (run.part or run.message).header.occurrences(name)

    def of_all(run: Run, name: str) -> Sequence[Occurrence]:
        found: list[Occurrence] = []
        for entity in walk(run.part or run.message):
            run.spend(1)
            found += entity.header.occurrences(name)
        return found

    return of_all


def _needs_mime(tag: str) -> Callable[[Arguments, Fields], Fields]:
    def checked(arguments: Arguments, fields: Fields) -> Fields:
        if not arguments.has("mime"):
            raise Misplaced(arguments.place(tag), f"':{tag}' without ':mime'")
        return fields

    return checked


def _option(tag: str, values: Callable[[Parsed], str]) -> TagSpec:
    check = _needs_mime(tag)

    def narrow(arguments: Arguments, fields: Fields) -> Fields:
        checked = check(arguments, fields)

        def narrowed(run: Run, name: str) -> Sequence[Occurrence]:
            return [Occurrence(one.raw, values(_parsed(name, one.raw))) for one in checked(run, name)]

        return narrowed

    return TagSpec(name=tag, group=_OPTION, narrow=narrow)


def _parameters(arguments: Arguments, fields: Fields) -> Fields:
    checked = _needs_mime("param")(arguments, fields)
    names = arguments.texts("param")

    def narrowed(run: Run, name: str) -> Sequence[Occurrence]:
        wanted = [one.lower().encode() for one in names.of(run)]
        found: list[Occurrence] = []
        for field in checked(run, name):
            given = _parsed(name, field.raw)[2]
            values = [parameter(given, one) for one in wanted]
            found += [Occurrence(field.raw, value) for value in values if value is not None]
        return found

    return narrowed


def _parsed(name: str, value: bytes) -> Parsed:
    """RFC 5703 §4.1: only of two fields; of others everything is empty."""
    match name.lower():
        case "content-type":
            media_type = parse_media_type(value)
            return (guess(media_type[0]), guess(media_type[1]), media_type[2]) if media_type else _NOTHING
        case "content-disposition":
            disposition = parse_disposition(value)
            return (guess(disposition[0]), "", disposition[1]) if disposition else _NOTHING
        case _:
            return _NOTHING


def _whole(parsed: Parsed) -> str:
    type_, subtype, _ = parsed
    # RFC 5703 §4.1: a disposition has no subtype, and is the same as by ":type".
    return f"{type_}/{subtype}" if subtype else type_


_WHERE = (
    TagSpec(name="mime", narrow=_of_part),
    TagSpec(name="anychild", narrow=_needs_mime("anychild")),
)
_OPTIONS = (
    _option("type", lambda parsed: parsed[0]),
    _option("subtype", lambda parsed: parsed[1]),
    _option("contenttype", _whole),
    TagSpec(name="param", value=Kind.STRINGS, group=_OPTION, narrow=_parameters),
)
EXTENSION = Extension(name="mime", tags={"header": (*_WHERE, *_OPTIONS), "address": _WHERE, "exists": _WHERE})
