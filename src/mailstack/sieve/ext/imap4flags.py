"""Flags: `setflag`, `addflag`, `removeflag`, the test `hasflag`, and `:flags` of keep and fileinto. RFC 5232."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from mailstack.sieve.actions import Flags
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.ext.variables import NAME, read, store
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import MATCH_TYPE, CommandSpec, Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Check, Run, Step
from mailstack.sieve.text import Text, texts


def flags_of(arguments: Arguments) -> Callable[[Run], Flags | None]:
    """Of a keep or a fileinto: those of its tag, else those the script has set by then (RFC 5232 §4)."""
    if arguments.has("flags"):
        given = arguments.texts("flags")
        return lambda run: split(given.of(run))
    return lambda run: run.flags or None


def split(texts: Iterable[str]) -> Flags:
    """RFC 5232 §2: a string may hold several flags, with spaces between them; each is there once, in any case."""
    found: dict[str, str] = {}
    for text in texts:
        for flag in text.split():
            found.setdefault(flag.lower(), flag)
    return tuple(found.values())


def _change(change: Callable[[Flags, Flags], Flags]) -> Callable[[Arguments, Compiler], Step]:
    def compile_(arguments: Arguments, compiler: Compiler) -> Step:
        flags = arguments.texts("flags")
        if not arguments.has("variable"):

            def step(run: Run) -> None:
                run.flags = change(run.flags, split(flags.of(run)))

            return step
        key = _variable(arguments.constant("variable"), arguments, compiler)

        def named(run: Run) -> None:
            before = split((read(run, key),))
            store(run, key, " ".join(change(before, split(flags.of(run)))))

        return named

    return compile_


def _variable(name: str, arguments: Arguments, compiler: Compiler) -> str:
    if "variables" not in compiler.required:
        # RFC 5232 §3: the parameter is there only with that extension.
        raise Misplaced(arguments.place("variable"), "a variable for flags", "require 'variables' first")
    if not NAME.fullmatch(name):
        raise Misplaced(arguments.place("variable"), f"{name!r} is no name of a variable")
    return name.lower()


def _set(_before: Flags, flags: Flags) -> Flags:
    return flags


def _add(before: Flags, flags: Flags) -> Flags:
    return split((*before, *flags))


def _without(before: Flags, flags: Flags) -> Flags:
    gone = {flag.lower() for flag in flags}
    return tuple(flag for flag in before if flag.lower() not in gone)


def _hasflag(arguments: Arguments, compiler: Compiler) -> Check:
    matcher = compiler.matcher(_with_single_flags(arguments))
    if not arguments.has("variables"):
        return lambda run: matcher(run, run.flags)
    keys = [_variable(name, arguments, compiler) for name in arguments.constants("variables", "the name of a variable")]

    def hasflag(run: Run) -> bool:
        return matcher(run, [flag for key in keys for flag in split((read(run, key),))])

    return hasflag


def _with_single_flags(arguments: Arguments) -> Arguments:
    """RFC 5232 §2: the keys, too, may hold several in a string; but not a number that is compared with their count."""
    keys = arguments.texts("key list")
    if keys.constants is None or arguments.one_of(MATCH_TYPE) == "count":
        return arguments
    single = texts([Text(flag) for flag in split(keys.constants)], keys.at)
    return replace(arguments, strings={**arguments.strings, "key list": single})


_FLAGS = Parameter(name="flags", kind=Kind.STRINGS)
_CHANGED = Signature(parameters=(Parameter(name="variable", kind=Kind.CONSTANT, is_optional=True), _FLAGS))
_TAG = TagSpec(name="flags", value=Kind.STRINGS)
EXTENSION = Extension(
    name="imap4flags",
    commands=(
        CommandSpec(name="setflag", signature=_CHANGED, compile=_change(_set)),
        CommandSpec(name="addflag", signature=_CHANGED, compile=_change(_add)),
        CommandSpec(name="removeflag", signature=_CHANGED, compile=_change(_without)),
    ),
    tests=(
        TestSpec(
            name="hasflag",
            signature=Signature(
                parameters=(
                    Parameter(name="variables", kind=Kind.STRINGS, is_optional=True),
                    Parameter(name="key list", kind=Kind.STRINGS),
                ),
                compares=True,
            ),
            compile=_hasflag,
        ),
    ),
    tags={"keep": (_TAG,), "fileinto": (_TAG,)},
)
