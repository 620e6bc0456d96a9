"""`:from` of vacation and notify: who seems to write what a script sends. RFC 5230 §4.3, RFC 5435 §3.3."""

from collections.abc import Callable

from mailstack.model.errors import Invalid
from mailstack.sieve.addresses import outbound_address
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.run import Run


def sender_of(arguments: Arguments) -> Callable[[Run], str]:
    """As the script has it, a name in front of it too; "" where there is none. Raises Misplaced."""
    if not arguments.has("from"):
        return lambda _run: ""
    given = arguments.text("from")
    if given.constant is not None:
        try:
            outbound_address(given.constant)
        except Invalid as fault:
            raise Misplaced(arguments.place("from"), f"{given.constant!r}: {fault}") from None
        return given.of

    def sender(run: Run) -> str:
        text = given.of(run)
        try:
            outbound_address(text)
        except Invalid as fault:
            raise RuntimeFault(f"mail from {text!r}: {fault}") from None
        return text

    return sender
