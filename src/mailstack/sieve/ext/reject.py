"""`reject` and `ereject`: the sender hears that the mail was not taken. RFC 5429."""

from collections.abc import Callable

from mailstack.sieve.actions import Refusal, Reject
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature
from mailstack.sieve.run import Run, Step


def _refusing(kind: Refusal) -> Callable[[Arguments, Compiler], Step]:
    def compile_(arguments: Arguments, _compiler: Compiler) -> Step:
        reason = arguments.text("reason")

        def step(run: Run) -> None:
            run.do(Reject(kind=kind, reason=reason.of(run)))

        return step

    return compile_


def _extension(kind: Refusal) -> Extension:
    signature = Signature(parameters=(Parameter(name="reason", kind=Kind.STRING),))
    command = CommandSpec(name=kind.value, signature=signature, compile=_refusing(kind))
    return Extension(name=kind.value, commands=(command,))


REJECT = _extension(Refusal.REJECT)
EREJECT = _extension(Refusal.EREJECT)
