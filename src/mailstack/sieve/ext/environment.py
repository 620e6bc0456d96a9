"""`environment`: what is known of the server and the connection. RFC 5183."""

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.language import Extension, Kind, Parameter, Signature, TestSpec
from mailstack.sieve.run import Check, Run


def _environment(arguments: Arguments, compiler: Compiler) -> Check:
    name = arguments.text("item")
    matcher = compiler.matcher(arguments)

    def environment(run: Run) -> bool:
        # RFC 5183 §4: the test fails for an item that is not known; one that is, and has no value, is empty.
        found = run.mail.environment.get(name.of(run).lower())
        return found is not None and matcher(run, (found,))

    return environment


EXTENSION = Extension(
    name="environment",
    tests=(
        TestSpec(
            name="environment",
            signature=Signature(
                parameters=(Parameter(name="item", kind=Kind.STRING), Parameter(name="key list", kind=Kind.STRINGS)),
                compares=True,
            ),
            compile=_environment,
        ),
    ),
)
