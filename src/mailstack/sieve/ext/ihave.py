"""`ihave`: which extensions there are, and `error`. RFC 5463.

Settled at compiling: what is guarded by an extension that there is not is never looked at; what is guarded by one that
there is may use it, and so may what follows.
"""

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler, available, unavailable
from mailstack.sieve.faults import RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TestSpec
from mailstack.sieve.run import Check, Run, Step


def _ihave(arguments: Arguments, compiler: Compiler) -> Check:
    names = arguments.constants("extensions", "the name of an extension")
    # RFC 5463 §4: what changes how strings are read cannot be had on condition.
    if not all(compiler.supports(name) and not compiler.changes_strings(name) for name in names):
        return unavailable
    for name in names:
        compiler.require(name, arguments.place("extensions"))
    return available


def _error(arguments: Arguments, _compiler: Compiler) -> Step:
    message = arguments.text("message")

    def step(run: Run) -> None:
        raise RuntimeFault(f"the script says: {message.of(run)}")

    return step


EXTENSION = Extension(
    name="ihave",
    commands=(
        CommandSpec(
            name="error", signature=Signature(parameters=(Parameter(name="message", kind=Kind.STRING),)), compile=_error
        ),
    ),
    tests=(
        TestSpec(
            name="ihave",
            signature=Signature(parameters=(Parameter(name="extensions", kind=Kind.STRINGS),)),
            compile=_ihave,
        ),
    ),
)
