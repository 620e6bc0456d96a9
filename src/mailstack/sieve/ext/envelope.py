"""`envelope`: the addresses of MAIL and RCPT. RFC 5228 §5.4; RFC 6009 §2 adds further parts in envelope_dsn.py."""

from collections.abc import Callable, Mapping, Sequence

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.faults import Misplaced, nearest
from mailstack.sieve.language import Extension, Kind, Parameter, Signature, TestSpec
from mailstack.sieve.run import Check, Run

EnvelopePart = Callable[[Run], Sequence[str]]


def _envelope(arguments: Arguments, compiler: Compiler) -> Check:
    known = {name: part for extension in compiler.active for name, part in extension.envelope_parts.items()}
    names = arguments.texts("envelope parts")
    for text in names.items:
        # RFC 5228 §5.4: a part that is not known is an error.
        if text.constant is not None and text.constant.lower() not in known:
            hint = nearest(text.constant, known)
            raise Misplaced(names.at, f"{text.constant!r} is no part of the envelope", hint)
    matcher = compiler.matcher(arguments)
    part_for = compiler.address_part(arguments)

    def envelope(run: Run) -> bool:
        part = part_for(run)
        found: list[str] = []
        for name in names.of(run):
            values = known[name.lower()](run) if name.lower() in known else ()
            if name.lower() in ADDRESSES:
                found += [value for one in values if (value := part(one)) is not None]
            else:
                found += values
        return matcher(run, found)

    return envelope


ADDRESSES: Mapping[str, EnvelopePart] = {
    # RFC 5228 §5.4: the null path is the empty string.
    "from": lambda run: (run.mail.envelope.sender,),
    "to": lambda run: (run.mail.envelope.recipient,) if run.mail.envelope.recipient else (),
}

EXTENSION = Extension(
    name="envelope",
    tests=(
        TestSpec(
            name="envelope",
            signature=Signature(
                parameters=(
                    Parameter(name="envelope parts", kind=Kind.STRINGS),
                    Parameter(name="key list", kind=Kind.STRINGS),
                ),
                compares=True,
                takes_address=True,
            ),
            compile=_envelope,
        ),
    ),
    envelope_parts=ADDRESSES,
)
