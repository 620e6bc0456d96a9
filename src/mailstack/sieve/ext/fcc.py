"""`:fcc`: a copy of what a script sends goes into a mailbox. RFC 8580."""

from collections.abc import Callable

from mailstack.sieve.actions import FileInto
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.ext.imap4flags import flags_of
from mailstack.sieve.ext.special_use import check_use
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import Extension, Kind, TagSpec
from mailstack.sieve.run import Run

# RFC 8580 §3.1: what fileinto takes may be said of the copy, where the extension that brings it is there.
_OF_OTHERS = {"create": "mailbox", "flags": "imap4flags", "specialuse": "special-use", "mailboxid": "mailboxid"}
_TAGS = (
    TagSpec(name="fcc", value=Kind.STRING),
    TagSpec(name="create"),
    TagSpec(name="flags", value=Kind.STRINGS),
    TagSpec(name="specialuse", value=Kind.STRING, group="which mailbox"),
    TagSpec(name="mailboxid", value=Kind.STRING, group="which mailbox"),
)


def copy_of(arguments: Arguments, compiler: Compiler) -> Callable[[Run], FileInto | None]:
    for tag, extension in _OF_OTHERS.items():
        if not arguments.has(tag):
            continue
        if extension not in compiler.required:
            raise Misplaced(arguments.place(tag), f"':{tag}' of a copy", f"require {extension!r} first")
        if not arguments.has("fcc"):
            raise Misplaced(arguments.place(tag), f"':{tag}' without ':fcc'")
    if not arguments.has("fcc"):
        return lambda _run: None
    mailbox, create = arguments.text("fcc"), arguments.has("create")
    flags = flags_of(arguments)
    special_use = arguments.text("specialuse") if arguments.has("specialuse") else None
    if special_use:
        check_use(arguments.texts("specialuse"))
    mailbox_id = arguments.text("mailboxid") if arguments.has("mailboxid") else None

    def copy(run: Run) -> FileInto:
        return FileInto(
            mailbox=mailbox.of(run),
            # RFC 8580 §3.1: flags that were set for the mail are not those of the copy.
            flags=flags(run) if arguments.has("flags") else None,
            create=create,
            special_use=special_use.of(run) if special_use else "",
            mailbox_id=mailbox_id.of(run) if mailbox_id else "",
        )

    return copy


EXTENSION = Extension(name="fcc", tags={"vacation": _TAGS, "notify": _TAGS})
