"""`specialuse_exists`, and `:specialuse` of fileinto: the mailbox for junk, wherever it is. RFC 8579."""

import re

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.facts import SpecialUseExists
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Check
from mailstack.sieve.text import Text, Texts

_ANY = Text("")


# RFC 6154 §6: use-attr-ext = "\" atom
_USE = re.compile(r"\\[^\x00-\x20\x7f-\U0010ffff(){%*\"\\\]]+")


def check_use(texts: Texts) -> None:
    """Raises Misplaced for what no mailbox can be for."""
    for text in texts.items:
        if text.constant is not None and not _USE.fullmatch(text.constant):
            raise Misplaced(texts.at, f"{text.constant!r} is no special use of a mailbox", 'such as "\\\\Junk"')


def _exists(arguments: Arguments, _compiler: Compiler) -> Check:
    mailbox = arguments.text("mailbox") if arguments.has("mailbox") else _ANY
    uses = arguments.texts("special uses")
    check_use(uses)
    return lambda run: all(run.fact(SpecialUseExists(mailbox.of(run), use.lower())) for use in uses.of(run))


EXTENSION = Extension(
    name="special-use",
    tests=(
        TestSpec(
            name="specialuse_exists",
            signature=Signature(
                parameters=(
                    Parameter(name="mailbox", kind=Kind.STRING, is_optional=True),
                    Parameter(name="special uses", kind=Kind.STRINGS),
                )
            ),
            compile=_exists,
        ),
    ),
    # RFC 9042 §4.3: one of both, for each is another way to say which mailbox.
    tags={"fileinto": (TagSpec(name="specialuse", value=Kind.STRING, group="which mailbox"),)},
)
