"""`notify` and its tests, by mail (RFC 5436); `:encodeurl` of `set`. RFC 5435."""

import re
from collections.abc import Callable
from urllib.parse import quote

from mailstack.formats.mailto import parse_mailto
from mailstack.model.errors import Invalid
from mailstack.sieve.actions import Notify
from mailstack.sieve.addresses import outbound_address
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.ext.fcc import copy_of
from mailstack.sieve.ext.sender import sender_of
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import PROHIBITED, Check, Run, Step
from mailstack.sieve.text import Text

NOTIFY_SCHEMES = ("mailto",)
"""Of the URIs that it takes."""
_IMPORTANCES = ("1", "2", "3")


# RFC 5435 §3.5: optionname = l-d *l-d-p, value = *(%x01-09 / %x0B-0C / %x0E-FF)
_OPTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*=[^\0\r\n]*")


def is_method(uri: str) -> bool:
    found = parse_mailto(uri)
    return found is not None and bool(found.to) and all(map(_is_address, found.to))


def _is_address(text: str) -> bool:
    try:
        outbound_address(text)
    except Invalid:
        return False
    return True


def _options(arguments: Arguments) -> Callable[[Run], tuple[str, ...]]:
    if not arguments.has("options"):
        return lambda _run: ()
    given = arguments.texts("options")
    for text in given.items:
        if text.constant is not None and not _OPTION.fullmatch(text.constant):
            raise Misplaced(given.at, f"{text.constant!r} is no option of a notification", "name=value")

    def options(run: Run) -> tuple[str, ...]:
        found = given.of(run)
        for text in found:
            if not _OPTION.fullmatch(text):
                raise RuntimeFault(f"{text!r} is no option of a notification")
        return found

    return options


def _notify(arguments: Arguments, compiler: Compiler) -> Step:
    if not compiler.limits.notifications:
        raise Misplaced(arguments.at, PROHIBITED.format("notify"))
    method = arguments.text("method")
    if method.constant is not None and not is_method(method.constant):
        hint = "mailto:somebody@example.com"
        raise Misplaced(arguments.place("method"), f"{method.constant!r} is no way to notify anybody", hint)
    importance = arguments.text("importance") if arguments.has("importance") else Text("2")
    if importance.constant is not None and importance.constant not in _IMPORTANCES:
        raise Misplaced(arguments.place("importance"), f"{importance.constant!r} is no importance", '"1", "2" or "3"')
    message = arguments.optional("message")
    sender = sender_of(arguments)
    options = _options(arguments)
    fcc = copy_of(arguments, compiler)

    def step(run: Run) -> None:
        uri, level = method.of(run), importance.of(run)
        if not is_method(uri):
            raise RuntimeFault(f"{uri!r} is no way to notify anybody")
        if level not in _IMPORTANCES:
            raise RuntimeFault(f"{level!r} is no importance of a notification")
        action = Notify(
            method=uri,
            message=message.of(run),
            sender=sender(run),
            importance=int(level),
            options=options(run),
            fcc=fcc(run),
        )
        run.do(action, keeps=True)

    return step


def _valid(arguments: Arguments, _compiler: Compiler) -> Check:
    uris = arguments.texts("methods")
    return lambda run: all(map(is_method, uris.of(run)))


def _capability(arguments: Arguments, compiler: Compiler) -> Check:
    uri, name = arguments.text("method"), arguments.text("capability")
    matcher = compiler.matcher(arguments)

    def capability(run: Run) -> bool:
        # RFC 5436 §2.2: whether somebody would see a mail at once is not known.
        return is_method(uri.of(run)) and name.of(run).lower() == "online" and matcher(run, ("maybe",))

    return capability


def _encoded(text: str) -> str:
    # RFC 5435 §6: all but the unreserved characters of RFC 3986.
    return quote(text, safe="-._~")


EXTENSION = Extension(
    name="enotify",
    commands=(
        CommandSpec(
            name="notify",
            signature=Signature(
                parameters=(Parameter(name="method", kind=Kind.STRING),),
                tags=(
                    TagSpec(name="from", value=Kind.STRING),
                    TagSpec(name="importance", value=Kind.STRING),
                    TagSpec(name="options", value=Kind.STRINGS),
                    TagSpec(name="message", value=Kind.STRING),
                ),
            ),
            compile=_notify,
        ),
    ),
    tests=(
        TestSpec(
            name="valid_notify_method",
            signature=Signature(parameters=(Parameter(name="methods", kind=Kind.STRINGS),)),
            compile=_valid,
        ),
        TestSpec(
            name="notify_method_capability",
            signature=Signature(
                parameters=(
                    Parameter(name="method", kind=Kind.STRING),
                    Parameter(name="capability", kind=Kind.STRING),
                    Parameter(name="key list", kind=Kind.STRINGS),
                ),
                compares=True,
            ),
            compile=_capability,
        ),
    ),
    tags={"set": (TagSpec(name="encodeurl", group="precedence 15"),)},
    modifiers={"encodeurl": (15, _encoded)},
)
