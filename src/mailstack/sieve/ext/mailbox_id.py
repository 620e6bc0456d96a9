"""`mailboxidexists`, and `:mailboxid` of fileinto: a mailbox that may have been renamed. RFC 9042."""

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.facts import MailboxIdExists
from mailstack.sieve.language import Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Check


def _exists(arguments: Arguments, _compiler: Compiler) -> Check:
    ids = arguments.texts("mailbox ids")
    return lambda run: all(run.fact(MailboxIdExists(one)) for one in ids.of(run))


EXTENSION = Extension(
    name="mailboxid",
    tests=(
        TestSpec(
            name="mailboxidexists",
            signature=Signature(parameters=(Parameter(name="mailbox ids", kind=Kind.STRINGS),)),
            compile=_exists,
        ),
    ),
    tags={"fileinto": (TagSpec(name="mailboxid", value=Kind.STRING, group="which mailbox"),)},
)
