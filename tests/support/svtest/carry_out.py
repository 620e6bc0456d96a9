"""Actions carried out on a world of mailboxes in memory."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.errors import Invalid, TooLarge
from mailstack.services.mailbox.paths import split_path
from mailstack.sieve.actions import (
    Action,
    Discard,
    FileInto,
    Flags,
    Keep,
    Notify,
    Redirect,
    Reject,
    Report,
    TrackDuplicate,
    Vacation,
)
from mailstack.sieve.run import Run
from mailstack.wire.smtp.path import write_path
from tests.support.svtest.answers import answer, refuse, report, tell
from tests.support.svtest.senders import sender_of, user_of
from tests.support.svtest.world import Sent, Stored, World, inbox

_NAMES: dict[type[Action], str] = {
    Keep: "keep",
    FileInto: "store",
    Discard: "discard",
    Reject: "reject",
    Redirect: "redirect",
    Vacation: "vacation",
    Notify: "notify",
    Report: "report",
}
_REDIRECTED = "X-Sieve-Redirected-From"


def names(actions: Sequence[Action]) -> list[str]:
    """As the dialect calls them; that a duplicate is to be known is no action to it."""
    return [_NAMES[type(action)] for action in actions if not isinstance(action, TrackDuplicate)]


def carry_out(world: World, run: Run) -> bool:
    """All actions that were not yet carried out, and the implicit keep. False, and an error, for one that failed."""
    world.errors = []
    for action in run.actions[world.executed :]:
        _do(world, run, action)
        world.executed += 1
    if world.errors:
        # RFC 5228 §2.10.6: what fails leaves the mail as it came.
        _store(world, "INBOX", Stored(run.mail.raw, ()), create=False)
        return False
    if run.is_kept and not world.has_kept:
        world.has_kept = True
        _store(world, "INBOX", Stored(run.edited or run.mail.raw, run.flags), create=False)
    return True


def _do(world: World, run: Run, action: Action) -> None:
    raw = run.mail.raw
    match action:
        case Keep():
            _store(world, "INBOX", Stored(action.raw or raw, action.flags or ()), create=False)
        case FileInto():
            _store(world, action.mailbox, Stored(action.raw or raw, action.flags or ()), create=action.create)
        case Redirect():
            _redirect(world, run, action)
        case Vacation():
            answer(world, run, action)
        case Reject():
            refuse(world, run, action)
        case Notify():
            tell(world, run, action)
        case Report():
            report(world, run, action)


def _store(world: World, name: str, stored: Stored, *, create: bool) -> None:
    mailbox = world.mailbox(name)
    if mailbox is None:
        if not create:
            world.errors.append(f"failed to store into mailbox {name}: it does not exist")
            return
        try:
            split_path(name)
        except (Invalid, TooLarge) as fault:
            world.errors.append(f"failed to store into mailbox {name}: no name for one: {fault}")
            return
        mailbox = world.mailboxes.setdefault(inbox(name), [])
    mailbox.append(replace(stored, flags=_marked(stored.flags)))


def _marked(flags: Flags) -> Flags:
    """The dialect's store marks all mail without attachments; it knows no other."""
    return (*flags, "$HasNoAttachment")


def _redirect(world: World, run: Run, action: Redirect) -> None:
    envelope = run.mail.envelope
    user = user_of(world, envelope)
    if any(text.strip() in (user, envelope.recipient) for text in run.message.header.texts(_REDIRECTED)):
        return
    header = f"{_REDIRECTED}: {user}\r\n".encode()
    sender = sender_of(world, envelope, world.settings.text("sieve_redirect_envelope_from") or "sender")
    recipient = write_path(action.address).decode().removeprefix("<").removesuffix(">")
    sent = replace(envelope, sender=sender, recipient=recipient)
    world.sent.append(Sent(header + bytes(action.raw or run.mail.raw), sent))
