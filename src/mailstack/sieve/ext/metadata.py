"""Annotations of mailboxes and of the server: `mboxmetadata` and `servermetadata`. RFC 5490 §3, §5."""

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.facts import Metadata
from mailstack.sieve.language import Extension, Kind, Parameter, Signature, TestSpec
from mailstack.sieve.run import Check, Run
from mailstack.sieve.text import Text

_SERVER = Text("")


def _metadata(arguments: Arguments, compiler: Compiler) -> Check:
    mailbox = arguments.text("mailbox") if arguments.has("mailbox") else _SERVER
    name = arguments.text("annotation")
    matcher = compiler.matcher(arguments)

    def metadata(run: Run) -> bool:
        value = run.fact(Metadata(mailbox.of(run), name.of(run)))
        # RFC 5490 §3.4: false where there is no annotation, or no mailbox.
        return isinstance(value, str) and matcher(run, (value,))

    return metadata


def _metadataexists(arguments: Arguments, _compiler: Compiler) -> Check:
    mailbox = arguments.text("mailbox") if arguments.has("mailbox") else _SERVER
    names = arguments.texts("annotations")
    return lambda run: all(run.fact(Metadata(mailbox.of(run), name)) is not None for name in names.of(run))


_MAILBOX = Parameter(name="mailbox", kind=Kind.STRING)
_ANNOTATION = Parameter(name="annotation", kind=Kind.STRING)
_ANNOTATIONS = Parameter(name="annotations", kind=Kind.STRINGS)
_KEYS = Parameter(name="key list", kind=Kind.STRINGS)
OF_MAILBOXES = Extension(
    name="mboxmetadata",
    tests=(
        TestSpec(
            name="metadata",
            signature=Signature(parameters=(_MAILBOX, _ANNOTATION, _KEYS), compares=True),
            compile=_metadata,
        ),
        TestSpec(
            name="metadataexists",
            signature=Signature(parameters=(_MAILBOX, _ANNOTATIONS)),
            compile=_metadataexists,
        ),
    ),
)
OF_SERVER = Extension(
    name="servermetadata",
    tests=(
        TestSpec(
            name="servermetadata",
            signature=Signature(parameters=(_ANNOTATION, _KEYS), compares=True),
            compile=_metadata,
        ),
        TestSpec(
            name="servermetadataexists",
            signature=Signature(parameters=(_ANNOTATIONS,)),
            compile=_metadataexists,
        ),
    ),
)
