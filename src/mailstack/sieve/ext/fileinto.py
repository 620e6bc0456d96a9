"""`fileinto`: the mail goes into a mailbox. RFC 5228 §4.1; the tags of others that it takes are in their files."""

from mailstack.sieve.actions import FileInto
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.ext.imap4flags import flags_of
from mailstack.sieve.ext.special_use import check_use
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature
from mailstack.sieve.run import Run, Step


def _fileinto(arguments: Arguments, _compiler: Compiler) -> Step:
    mailbox = arguments.text("mailbox")
    if mailbox.constant is not None and (fault := _wrong(mailbox.constant)):
        raise Misplaced(arguments.place("mailbox"), fault)
    flags = flags_of(arguments)
    is_copy, create = arguments.has("copy"), arguments.has("create")
    special_use = arguments.text("specialuse") if arguments.has("specialuse") else None
    if special_use:
        check_use(arguments.texts("specialuse"))
    mailbox_id = arguments.text("mailboxid") if arguments.has("mailboxid") else None

    def step(run: Run) -> None:
        name = mailbox.of(run)
        if mailbox.constant is None and (fault := _wrong(name)):
            raise RuntimeFault(f"fileinto {fault}")
        action = FileInto(
            mailbox=name,
            flags=flags(run),
            raw=run.edited,
            create=create,
            special_use=special_use.of(run) if special_use else "",
            mailbox_id=mailbox_id.of(run) if mailbox_id else "",
        )
        run.do(action, keeps=is_copy)

    return step


def _wrong(name: str) -> str:
    if not name:
        return "a mailbox without a name"
    # RFC 5228 §4.1: names are UTF-8.
    return "an invalid folder name: octets that are not UTF-8" if "\ufffd" in name else ""


EXTENSION = Extension(
    name="fileinto",
    commands=(
        CommandSpec(
            name="fileinto",
            signature=Signature(parameters=(Parameter(name="mailbox", kind=Kind.STRING),)),
            compile=_fileinto,
        ),
    ),
)
