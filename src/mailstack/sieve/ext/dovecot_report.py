"""`report`: word to whoever collects such mail, as RFC 5965 has it. Dovecot's `vnd.dovecot.report`."""

import re
from collections.abc import Callable

from mailstack.model.errors import Invalid
from mailstack.sieve.actions import Report
from mailstack.sieve.addresses import outbound_address
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec
from mailstack.sieve.run import Run, Step

# RFC 5965 §3.1: Feedback-Type is a token of RFC 2045 §5.1.
_TOKEN = re.compile(r"[!#-'*+.0-9A-Z^-~-]{1,64}")
_NAMES = ("feedback type", "message", "address")


def _report(arguments: Arguments, _compiler: Compiler) -> Step:
    type_of = _checked(arguments, "feedback type", _feedback_type)
    address_of = _checked(arguments, "address", outbound_address)
    message = arguments.text("message")
    is_short = arguments.has("headers_only")

    def step(run: Run) -> None:
        kind, address = type_of(run), address_of(run)
        action = Report(feedback_type=kind, message=message.of(run), address=address, has_body=not is_short)
        run.do(action, keeps=True)

    return step


def _feedback_type(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise Invalid("no type of feedback, such as abuse or fraud")
    return text.lower()


def _checked(arguments: Arguments, name: str, check: Callable[[str], str]) -> Callable[[Run], str]:
    given = arguments.text(name)
    if given.constant is not None:
        try:
            known = check(given.constant)
        except Invalid as fault:
            raise Misplaced(arguments.place(name), f"{given.constant!r}: {fault}") from None
        return lambda _run: known

    def at_run(run: Run) -> str:
        text = given.of(run)
        try:
            return check(text)
        except Invalid as fault:
            raise RuntimeFault(f"report of {text!r}: {fault}") from None

    return at_run


EXTENSION = Extension(
    name="vnd.dovecot.report",
    commands=(
        CommandSpec(
            name="report",
            signature=Signature(
                parameters=tuple(Parameter(name=name, kind=Kind.STRING) for name in _NAMES),
                tags=(TagSpec(name="headers_only"),),
            ),
            compile=_report,
        ),
    ),
)
