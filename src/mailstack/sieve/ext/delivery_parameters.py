"""What MAIL and RCPT asked of notices, and what a redirect asks of them. RFC 6009 §3, §5.

Not what they ask of the time of delivery, which no server here is asked (RFC 2852).
"""

from collections.abc import Callable, Sequence

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import Extension, Kind, TagSpec
from mailstack.sieve.run import Run
from mailstack.sieve.text import Text, Texts


def _part(name: str) -> Callable[[Run], Sequence[str]]:
    return lambda run: run.mail.envelope.parameters.get(name, ())


def _checked(text: Text, known: Sequence[str], arguments: Arguments, tag: str) -> None:
    if text.constant is not None and text.constant.upper() not in known:
        raise Misplaced(arguments.place(tag), f"{text.constant!r} behind ':{tag}'", f"one of {', '.join(known)}")


_NOTIFY = ("NEVER", "SUCCESS", "FAILURE", "DELAY")
_RET = ("FULL", "HDRS")


def notify_of(arguments: Arguments) -> Callable[[Run], str | None]:
    """RFC 6009 §5: as NOTIFY has it, None where nothing is said."""
    if not arguments.has("notify"):
        return lambda _run: None
    wishes: Texts = arguments.texts("notify")
    for text in wishes.items:
        _checked(text, _NOTIFY, arguments, "notify")

    def notify(run: Run) -> str:
        found = tuple(dict.fromkeys(wish.upper() for wish in wishes.of(run)))
        # RFC 3461 §4.1: NEVER stands alone.
        if not set(found) <= set(_NOTIFY) or ("NEVER" in found and len(found) > 1):
            raise RuntimeFault(f"redirect with ':notify' {', '.join(found)}")
        return ",".join(found)

    return notify


def ret_of(arguments: Arguments) -> Callable[[Run], str | None]:
    if not arguments.has("ret"):
        return lambda _run: None
    text = arguments.text("ret")
    _checked(text, _RET, arguments, "ret")

    def ret(run: Run) -> str:
        found = text.of(run).upper()
        if found not in _RET:
            raise RuntimeFault(f"redirect with ':ret' {found!r}")
        return found

    return ret


ENVELOPE_DSN = Extension(
    name="envelope-dsn",
    envelope_parts={name: _part(name) for name in ("notify", "orcpt", "ret", "envid")},
)
REDIRECT_DSN = Extension(
    name="redirect-dsn",
    tags={"redirect": (TagSpec(name="notify", value=Kind.STRINGS), TagSpec(name="ret", value=Kind.STRING))},
)
