"""`mailboxexists`, and `:create` of fileinto. RFC 5490 §3."""

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.facts import MailboxExists
from mailstack.sieve.language import Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Check


def _mailboxexists(arguments: Arguments, _compiler: Compiler) -> Check:
    names = arguments.texts("mailboxes")
    return lambda run: all(run.fact(MailboxExists(name)) for name in names.of(run))


EXTENSION = Extension(
    name="mailbox",
    tests=(
        TestSpec(
            name="mailboxexists",
            signature=Signature(parameters=(Parameter(name="mailboxes", kind=Kind.STRINGS),)),
            compile=_mailboxexists,
        ),
    ),
    tags={"fileinto": (TagSpec(name="create"),)},
)
