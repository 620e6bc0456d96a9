"""`include`, `return` and `global`: scripts in scripts, each with variables of its own. RFC 6609."""

import re
import unicodedata

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.ext.variables import NAME, share
from mailstack.sieve.facts import IncludedScript
from mailstack.sieve.faults import Broken, Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec
from mailstack.sieve.run import Flow, Include, Run, Script, Step

# RFC 5804 §1.6: no control characters, no line or paragraph separators; 512 octets are the most that any name has.
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,512}")


def _include(arguments: Arguments, compiler: Compiler) -> Step:
    # RFC 6609 §3.2: which scripts are included can be told without running any.
    name = arguments.constant("script")
    if not _NAME.fullmatch(name):
        raise Misplaced(arguments.place("script"), f"{name!r} is no name of a script")
    # RFC 5804 §1.6: they are kept in this form.
    name = unicodedata.normalize("NFC", name)
    fact = IncludedScript(name, is_global=arguments.one_of("location") == "global")
    once, optional = arguments.has("once"), arguments.has("optional")
    compiler.includes.append(Include(fact, once, optional, arguments.at))

    def step(run: Run) -> Flow | None:
        if once and fact in run.included:
            return None
        if fact in run.including:
            raise RuntimeFault(f"the script {fact.name!r} includes itself")
        if len(run.including) >= run.limits.include_depth:
            raise RuntimeFault(f"more than {run.limits.include_depth} scripts include each other")
        if run.count_include() > run.limits.includes:
            raise RuntimeFault(f"more than {run.limits.includes} scripts are included")
        script = run.fact(fact)
        if isinstance(script, Broken):
            raise RuntimeFault(f"the script {fact.name!r}, which is included, does not compile: {script.faults[0]}")
        if not isinstance(script, Script):
            if optional:
                return None
            raise RuntimeFault(f"the script {fact.name!r}, which is included, does not exist")
        return run.include(fact, script)

    return step


def _return(_arguments: Arguments, _compiler: Compiler) -> Step:
    return lambda _run: Flow.RETURN


def _global(arguments: Arguments, compiler: Compiler) -> Step:
    if "variables" not in compiler.required:
        raise Misplaced(arguments.at, "'global' without variables", "require 'variables' first")
    names = arguments.constants("names", "the name of a variable")
    for name in names:
        if not NAME.fullmatch(name):
            raise Misplaced(arguments.place("names"), f"{name!r} is no name of a variable")
        if name.lower() in compiler.variables:
            # RFC 6609 §3.4.1: it cannot become another one in the middle of the script.
            raise Misplaced(arguments.place("names"), f"{name!r} was set before, as a variable of this script alone")
        compiler.shared.add(name.lower())

    def step(run: Run) -> None:
        for name in names:
            share(run, name.lower())

    return step


EXTENSION = Extension(
    name="include",
    commands=(
        CommandSpec(
            name="include",
            signature=Signature(
                parameters=(Parameter(name="script", kind=Kind.CONSTANT),),
                tags=(
                    TagSpec(name="once"),
                    TagSpec(name="optional"),
                    TagSpec(name="personal", group="location"),
                    TagSpec(name="global", group="location"),
                ),
            ),
            compile=_include,
        ),
        CommandSpec(name="return", signature=Signature(), compile=_return),
        CommandSpec(
            name="global",
            signature=Signature(parameters=(Parameter(name="names", kind=Kind.STRINGS),)),
            compile=_global,
        ),
    ),
    namespaces=("global",),
)
