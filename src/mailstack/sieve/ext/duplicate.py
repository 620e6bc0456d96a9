"""`duplicate`: mail that was seen before. RFC 7352."""

from mailstack.sieve.actions import TrackDuplicate
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.facts import IsDuplicate
from mailstack.sieve.language import Extension, Kind, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Check, Run

DEFAULT_PERIOD_S = 7 * 86_400
"""RFC 7352 §3: seven days are recommended; more than MAX_PERIOD_S is taken as that."""
MAX_PERIOD_S = 90 * 86_400


def _duplicate(arguments: Arguments, _compiler: Compiler) -> Check:
    handle = arguments.text("handle") if arguments.has("handle") else None
    header = arguments.text("header") if arguments.has("header") else None
    given = arguments.text("uniqueid") if arguments.has("uniqueid") else None
    period_s = min(arguments.number("seconds") if arguments.has("seconds") else DEFAULT_PERIOD_S, MAX_PERIOD_S)
    is_last = arguments.has("last")

    def duplicate(run: Run) -> bool:
        if given is not None:
            value = given.of(run)
        else:
            found = run.message.header.texts("message-id" if header is None else header.of(run))
            value = found[0] if found else ""
        if not value:
            # RFC 7352 §3: without an id, no mail is a duplicate, and none is remembered.
            return False
        name = handle.of(run) if handle else ""
        unique_id = f"{len(name)}:{name}{value}"
        is_seen = bool(run.fact(IsDuplicate(unique_id)))
        if not is_seen or is_last:
            run.do(TrackDuplicate(unique_id=unique_id, period_s=period_s, is_last=is_last), keeps=True)
        return is_seen

    return duplicate


EXTENSION = Extension(
    name="duplicate",
    tests=(
        TestSpec(
            name="duplicate",
            signature=Signature(
                tags=(
                    TagSpec(name="handle", value=Kind.STRING),
                    TagSpec(name="header", value=Kind.STRING, group="id"),
                    TagSpec(name="uniqueid", value=Kind.STRING, group="id"),
                    TagSpec(name="seconds", value=Kind.NUMBER),
                    TagSpec(name="last"),
                ),
            ),
            compile=_duplicate,
        ),
    ),
)
