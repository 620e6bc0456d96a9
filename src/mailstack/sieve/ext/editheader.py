"""`addheader` and `deleteheader`. RFC 5293."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mailstack.formats.compose import write_text_field
from mailstack.formats.headers import Field, unfold
from mailstack.formats.words import decode_words
from mailstack.model.errors import Invalid
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Matcher, Parameter, Signature, TagSpec
from mailstack.sieve.limits import Limits
from mailstack.sieve.run import Run, Step
from mailstack.sieve.text import Text

# RFC 5293 §6: the subject may always be changed.
_FREE = "subject"
# RFC 5322 §3.6.8: field-name.
_NAME = re.compile(r"[!-9;-~]{1,76}")
_NUL = re.compile(r"\0")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CLOSING = re.compile(rb"(?:\A|(?<=\n))\r?\n\Z")


class _Refused(Exception):
    """A field that cannot be."""


def _addheader(arguments: Arguments, compiler: Compiler) -> Step:
    name, value = arguments.text("field name"), arguments.text("value")
    is_last = arguments.has("last")
    field = _written(name, value, arguments, compiler.limits)

    def step(run: Run) -> None:
        octets = field(run)
        if name.of(run).lower() in run.limits.unadded_fields - {_FREE}:
            return
        head = run.message.head
        run.spend(len(head) >> 8)
        run.put(len(octets))
        run.message.set_head(_at_end(head, octets) if is_last else octets + head)

    return step


def _written(name: Text, value: Text, arguments: Arguments, limits: Limits) -> Callable[[Run], bytes]:
    """The field with its line end, made at compiling where it is known by then."""
    _check_constant(name, arguments)
    if value.constant is not None:
        with _refused_at(arguments.place("value")):
            # RFC 5293 §4, RFC 5322 §3.2.5: the script itself has none but the tab. What it takes from a mail may have
            # them, and has spaces then: who sends mail is not to make scripts fail.
            _check_value(value.constant, _CONTROL)
            octets = _field(name.constant or "X", value.constant, limits)
        if name.constant is not None:
            return lambda _run: octets

    def at_run(run: Run) -> bytes:
        try:
            return _field(name.of(run), value.of(run), run.limits)
        except _Refused as fault:
            raise RuntimeFault(str(fault)) from None

    return at_run


def _check_constant(name: Text, arguments: Arguments) -> None:
    if name.constant is not None:
        with _refused_at(arguments.place("field name")):
            _check_name(name.constant)


@contextmanager
def _refused_at(at: int) -> Iterator[None]:
    try:
        yield
    except _Refused as fault:
        raise Misplaced(at, str(fault)) from None


def _check_name(name: str) -> None:
    # RFC 5293 §4, §5: a name that is none is an error.
    if not _NAME.fullmatch(name):
        raise _Refused(f"the field name {name!r} is invalid")


def _check_value(value: str, wrong: re.Pattern[str]) -> None:
    if wrong.search(value):
        raise _Refused(f"the value {value!r} of a field is invalid")


def _field(name: str, value: str, limits: Limits) -> bytes:
    _check_name(name)
    _check_value(value, _NUL)
    try:
        # RFC 5293 §4: folded, and in encoded words where needed.
        field = write_text_field(name, value)
    except Invalid as fault:
        raise _Refused(str(fault)) from None
    if len(field) > limits.field_octets:
        raise _Refused(f"a field of more than {limits.field_octets} bytes")
    return field


def _at_end(head: bytes, field: bytes) -> bytes:
    closing = _CLOSING.search(head)
    at = closing.start() if closing else len(head)
    missing = b"" if at == 0 or head[at - 1 : at] == b"\n" else b"\r\n"
    return head[:at] + missing + field + head[at:]


def _deleteheader(arguments: Arguments, compiler: Compiler) -> Step:
    name = arguments.text("field name")
    chosen = _choice(arguments)
    _check_constant(name, arguments)
    # RFC 5293 §5: without patterns, the match type says nothing.
    matcher = compiler.matcher(arguments) if arguments.has("key list") else None

    def step(run: Run) -> None:
        wanted = _name_of(run, name)
        if wanted in run.limits.kept_fields - {_FREE}:
            # RFC 5293 §6: what is not allowed is passed over in silence.
            return
        head = run.message.head
        run.spend(len(head) >> 8)
        fields = chosen([field for field in run.message.fields if field.name == wanted.encode("ascii")])
        gone = [field for field in fields if matcher is None or _is_matched(run, matcher, field)]
        if gone:
            run.put(0)
            run.message.set_head(_without(head, gone))

    return step


def _name_of(run: Run, name: Text) -> str:
    """Lower-case."""
    try:
        _check_name(name.of(run))
    except _Refused as fault:
        raise RuntimeFault(str(fault)) from None
    return name.of(run).lower()


def _choice(arguments: Arguments) -> Callable[[Sequence[Field]], Sequence[Field]]:
    if not arguments.has("index"):
        if arguments.has("last"):
            text = "the :last tag cannot be specified without the :index tag"
            raise Misplaced(arguments.place("last"), text, "':index 1 :last' is the last one")
        return lambda fields: fields
    number = arguments.number("index")
    if number < 1:
        raise Misplaced(arguments.place("index"), "':index' counts from 1")
    # RFC 5293 §5: counted before values are compared.
    at = -number if arguments.has("last") else number - 1
    return lambda fields: (fields[at],) if number <= len(fields) else ()


def _is_matched(run: Run, matcher: Matcher, field: Field) -> bool:
    return matcher(run, (decode_words(unfold(field.value)),))


def _without(head: bytes, fields: Sequence[Field]) -> bytes:
    kept: list[bytes] = []
    at = 0
    for field in fields:
        kept.append(head[at : field.start])
        at = field.end
    return b"".join([*kept, head[at:]])


_FIELD_NAME = Parameter(name="field name", kind=Kind.STRING)
EXTENSION = Extension(
    name="editheader",
    commands=(
        CommandSpec(
            name="addheader",
            signature=Signature(
                parameters=(_FIELD_NAME, Parameter(name="value", kind=Kind.STRING)), tags=(TagSpec(name="last"),)
            ),
            compile=_addheader,
        ),
        CommandSpec(
            name="deleteheader",
            signature=Signature(
                parameters=(_FIELD_NAME, Parameter(name="key list", kind=Kind.STRINGS, is_optional=True)),
                tags=(TagSpec(name="index", value=Kind.NUMBER), TagSpec(name="last")),
                compares=True,
            ),
            compile=_deleteheader,
        ),
    ),
)
