"""`debug_log`: a line for whoever wonders what a script does; it is in the trace. Dovecot's `vnd.dovecot.debug`."""

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature
from mailstack.sieve.run import Run, Step


def _debug_log(arguments: Arguments, compiler: Compiler) -> Step:
    message = arguments.text("message")
    line = compiler.line(arguments.at)

    def step(run: Run) -> None:
        run.log(line, message.of(run))

    return step


EXTENSION = Extension(
    name="vnd.dovecot.debug",
    commands=(
        CommandSpec(
            name="debug_log",
            signature=Signature(parameters=(Parameter(name="message", kind=Kind.STRING),)),
            compile=_debug_log,
        ),
    ),
)
