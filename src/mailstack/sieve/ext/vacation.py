"""`vacation`: an answer to whoever wrote, once in a while. RFC 5230, RFC 6131 (`:seconds`).

Whether there is an answer at all (not to lists, not to notices, only to mail that names the account) is decided where
it would be sent.
"""

from mailstack.sieve.actions import Vacation
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.ext.fcc import copy_of
from mailstack.sieve.ext.sender import sender_of
from mailstack.sieve.faults import RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec
from mailstack.sieve.run import Run, Step
from mailstack.sieve.text import Texts, texts

DAY_S = 86_400
DEFAULT_DAYS = 7
MAX_DAYS = 90
"""RFC 5230 §4.1: a site may have a maximum; RFC 6131 §2: and one of its own for seconds."""
_NOBODY = texts((), 0)


def _vacation(arguments: Arguments, compiler: Compiler) -> Step:
    reason = arguments.text("reason")
    subject, handle = arguments.optional("subject"), arguments.optional("handle")
    sender = sender_of(arguments)
    addresses: Texts = arguments.texts("addresses") if arguments.has("addresses") else _NOBODY
    is_mime = arguments.has("mime")
    fcc = copy_of(arguments, compiler)
    period_s = _period_s(arguments)

    def step(run: Run) -> None:
        if any(isinstance(action, Vacation) for action in run.actions):
            # RFC 5230 §4.7.
            raise RuntimeFault("two answers by vacation to one mail")
        said, topic, author = reason.of(run), subject.of(run), sender(run)
        action = Vacation(
            reason=said,
            period_s=period_s,
            # RFC 5230 §4.2: without a handle, answers that differ are not taken for the same.
            handle=handle.of(run) or "\n".join((topic, author, "mime" if is_mime else "", said)),
            subject=topic,
            sender=author,
            addresses=addresses.of(run),
            is_mime=is_mime,
            fcc=fcc(run),
        )
        run.do(action, keeps=True)

    return step


def _period_s(arguments: Arguments) -> int:
    if arguments.has("seconds"):
        # RFC 6131 §2: 0 is an answer to each mail.
        return min(arguments.number("seconds"), MAX_DAYS * DAY_S)
    days = arguments.number("days") if arguments.has("days") else DEFAULT_DAYS
    # RFC 5230 §4.1: 0 is no time, and taken as the shortest there is.
    return min(max(days, 1), MAX_DAYS) * DAY_S


EXTENSION = Extension(
    name="vacation",
    commands=(
        CommandSpec(
            name="vacation",
            signature=Signature(
                parameters=(Parameter(name="reason", kind=Kind.STRING),),
                tags=(
                    TagSpec(name="days", value=Kind.NUMBER, group="period"),
                    TagSpec(name="subject", value=Kind.STRING),
                    TagSpec(name="from", value=Kind.STRING),
                    TagSpec(name="addresses", value=Kind.STRINGS),
                    TagSpec(name="mime"),
                    TagSpec(name="handle", value=Kind.STRING),
                ),
            ),
            compile=_vacation,
        ),
    ),
)
SECONDS = Extension(
    name="vacation-seconds",
    implies=("vacation",),  # RFC 6131 §2
    tags={"vacation": (TagSpec(name="seconds", value=Kind.NUMBER, group="period"),)},
)
