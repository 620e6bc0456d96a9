"""The test `body`: what stands in the message below its header. RFC 5173.

Of a part, at most Limits.part_octets are looked at.
"""

from collections.abc import Callable, Iterator, Sequence

from mailstack.formats.charsets import guess
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.entity import Entity, walk
from mailstack.sieve.language import Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Check, Run

_TRANSFORM = "body transform"


def _body(arguments: Arguments, compiler: Compiler) -> Check:
    matcher = compiler.matcher(arguments)
    values = _transform(arguments)

    def body(run: Run) -> bool:
        # RFC 5173 §4: a message that ends with its header has no body, not even an empty one.
        if not _ends_with_empty_line(run.message.head):
            return False
        matches = run.matches
        found = matcher(run, values(run))
        # RFC 5173 §6: the wildcards of this test set no match variables.
        run.matches = matches
        return found

    return body


def _transform(arguments: Arguments) -> Callable[[Run], Sequence[str]]:
    match arguments.one_of(_TRANSFORM):
        case "raw":
            return _raw
        case "content":
            types = arguments.texts("content")
            return lambda run: list(_content(run, [wanted.lower() for wanted in types.of(run)]))
        case _:
            # RFC 5173 §5: ":text" where nothing is said.
            return _text


def _raw(run: Run) -> Sequence[str]:
    """RFC 5173 §5.1: the whole body as one string, and nothing decoded."""
    limit = run.limits.part_octets
    run.spend(min(run.message.size, limit) >> 8)
    return (guess(run.message.body(limit)),)


def _text(run: Run) -> Sequence[str]:
    """RFC 5173 §5.3: all of a part in one string, without its markup."""
    limit = run.limits.part_octets
    found = []
    for entity in walk(run.message):
        run.spend(1)
        if entity.is_text:
            found.append(entity.text(limit))
    return found


def _content(run: Run, wanted: Sequence[str]) -> Iterator[str]:
    for entity in walk(run.message):
        run.spend(1)
        if any(_is_of(entity, one) for one in wanted):
            yield from _strings(entity, run.limits.part_octets)


def _is_of(entity: Entity, wanted: str) -> bool:
    """RFC 5173 §5.2: type/subtype, or a type, or "" for all; with a slash elsewhere it is no type."""
    type_, subtype = guess(entity.part.type), guess(entity.part.subtype)
    return wanted in ("", type_, f"{type_}/{subtype}")


def _strings(entity: Entity, limit: int) -> Iterator[str]:
    """RFC 5173 §5.2: of a multipart what stands before and behind its parts, of a message its header."""
    if entity.part.is_multipart:
        yield from map(guess, _around(entity))
    elif entity.part.is_message:
        head = entity.children[0].head
        yield guess(head.removesuffix(b"\n").removesuffix(b"\r") if _ends_with_empty_line(head) else head)
    else:
        yield entity.decoded(limit)


def _around(entity: Entity) -> Iterator[bytes]:
    """RFC 2046 §5.1.1: the line breaks around a delimiter belong to it."""
    raw, part = entity.raw, entity.part
    first, last = part.children[0].header_start, part.children[-1].body_end
    if first == part.body_end:
        yield raw[part.body_start : part.body_end]
        return
    before = raw[part.body_start : first].removesuffix(b"\n").rpartition(b"\n")[0]
    yield before.removesuffix(b"\r")
    behind = raw[last : part.body_end].removeprefix(b"\r").removeprefix(b"\n").partition(b"\n")[2]
    if behind:
        yield behind


def _ends_with_empty_line(head: bytes) -> bool:
    return head.endswith((b"\n\r\n", b"\n\n")) or head in (b"\r\n", b"\n")


EXTENSION = Extension(
    name="body",
    tests=(
        TestSpec(
            name="body",
            signature=Signature(
                parameters=(Parameter(name="key list", kind=Kind.STRINGS),),
                tags=(
                    TagSpec(name="raw", group=_TRANSFORM),
                    TagSpec(name="content", value=Kind.STRINGS, group=_TRANSFORM),
                    TagSpec(name="text", group=_TRANSFORM),
                ),
                compares=True,
            ),
            compile=_body,
        ),
    ),
)
