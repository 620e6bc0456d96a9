"""SELECT, and what EXAMINE shares with it. RFC 3501 §6.3.1, RFC 9051 §6.3.2, RFC 7162 §3.1.2, §3.2.5."""

from collections.abc import Sequence

from mailstack.model.flags import SYSTEM_FLAGS
from mailstack.model.mailbox import DELIMITER, INBOX
from mailstack.model.numset import NumSet, numset_of
from mailstack.model.objectid import mailbox_object_id
from mailstack.model.rights import Right, Rights
from mailstack.servers.imap.condstore import highest_code
from mailstack.servers.imap.flag_news import say_placed
from mailstack.servers.imap.list import attributes
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox import opening
from mailstack.services.mailbox.flags import may_change
from mailstack.services.mailbox.listing import Listed, has_children
from mailstack.services.mailbox.opening import Opened
from mailstack.services.mailbox.selected import SelectedMailbox
from mailstack.wire.imap.capability import CONDSTORE
from mailstack.wire.imap.commands.select import KnownState, Parameters, Select
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.responses import Condition, Exists, FlagsData, ListData, Recent, Untagged, Vanished
from mailstack.wire.imap.tokens import MAX_NUMBER

# Keywords that mail programs look for before they use them; \* lets them make others. RFC 9051 §2.3.2, RFC 5788.
_FLAGS = (*SYSTEM_FLAGS, "$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing")
_KNOWN = frozenset(map(str.casefold, _FLAGS))


async def run(session: Session, request: Select) -> Completed:
    await open_mailbox(session, request.mailbox, request.parameters, is_read_only=False)
    # RFC 4314 §5.2: whoever may change nothing gets another's mailbox for reading.
    return ok("SELECT completed", "READ-ONLY" if session.mailbox.is_read_only else "READ-WRITE")


async def open_mailbox(session: Session, path: str, parameters: Parameters, *, is_read_only: bool) -> None:
    """Raises NotFound; then nothing is selected, RFC 9051 §6.3.2. Raises SyntaxProblem."""
    if parameters.known is not None and not session.is_qresync:
        raise SyntaxProblem("ENABLE QRESYNC comes first")  # RFC 7162 §3.2.5
    if session.selected is not None:
        # RFC 7162 §3.2.11, RFC 9051 §7.1: from here on nothing speaks of the mailbox before.
        session.connection.say(Untagged(condition=Condition.OK, code="CLOSED", text="The mailbox before is closed"))
    session.selected = None
    opened = await opening.open_mailbox(session.mail, path, is_read_only=is_read_only)
    session.selected = opened.view
    if parameters.wants_mod_seqs:
        session.enabled.add(CONDSTORE)
    await _say_state(session, path, opened)
    if parameters.known is not None and parameters.known.uid_validity == opened.place.mailbox.uid_validity:
        await _catch_up(session, parameters.known)


async def _say_state(session: Session, path: str, opened: Opened) -> None:
    # All numbers are the view's, read at one moment.
    say, view = session.connection.say, opened.view
    flags = (*_FLAGS, *(keyword for keyword in opened.keywords if keyword.casefold() not in _KNOWN))
    permanent = "" if view.is_read_only else " ".join(_permanent(flags, opened.place.rights))
    session.flags = flags
    say(FlagsData(flags=flags), Exists(count=view.count))
    if session.is_rev2:
        # RFC 9051 §6.3.2: the name, as the server spells it; \Recent and UNSEEN are no more.
        say(await _list_data(path, opened))
    else:
        say(Recent(count=0))
        if opened.first_unseen is not None and not session.is_uid_only:
            _say(session, f"UNSEEN {opened.first_unseen}", "The first unseen message")
    _say(session, f"UIDVALIDITY {opened.place.mailbox.uid_validity}", "UIDs are valid")
    _say(session, f"UIDNEXT {view.uid_next}", "The next UID")
    _say(session, f"PERMANENTFLAGS ({permanent})", "Flags that stay")
    _say(session, highest_code(session), "The highest mod-sequence")
    object_id = mailbox_object_id(view.mail.account_id, view.mailbox_id)
    _say(session, f"MAILBOXID ({object_id})", "The id of the mailbox")  # RFC 8474 §4.2


async def _list_data(path: str, opened: Opened) -> ListData:
    """RFC 9051 §6.3.9.7: with the name as the client spelt it, where that is another."""
    place = opened.place
    listed = Listed(path=place.path, place=place, has_children=await has_children(place), is_subscribed=False)
    old_name = path if path != place.path and path.upper() != INBOX else None
    return ListData(
        attributes=attributes(listed, is_extended=True), delimiter=DELIMITER, name=place.path, old_name=old_name
    )


def _permanent(flags: Sequence[str], rights: Rights) -> tuple[str, ...]:
    """RFC 4314 §5.1.1: the flags that this client may change."""
    return (*(flag for flag in flags if may_change(flag, rights)), *(("\\*",) if Right.WRITE in rights else ()))


def _say(session: Session, code: str, text: str) -> None:
    session.connection.say(Untagged(condition=Condition.OK, code=code, text=text))


async def _catch_up(session: Session, known: KnownState) -> None:
    """RFC 7162 §3.2.5: what happened since the client was here last: first what went, then what has other flags."""
    selected = session.mailbox
    uids = known.uids if known.uids is not None else NumSet(((1, MAX_NUMBER),))
    vanished = await selected.vanished_since(known.mod_seq, uids.above(await _known_up_to(selected, known)))
    if vanished:
        session.connection.say(Vanished(uids=vanished, is_earlier=True))
    changed = await selected.changed_since(known.mod_seq, uids)
    if changed.uids:
        # What the view has: what the store has by now may be newer than the news that end this command, and the client
        # would be told of the past after the present.
        await say_placed(session, await selected.table(changed))


async def _known_up_to(selected: SelectedMailbox, known: KnownState) -> int:
    """RFC 7162 §3.2.5.2: where a number still has the UID that the client knows, nothing before it is news to it."""
    matches = [pair for pair in known.matches if pair[0] <= selected.count]
    if not matches:
        return 0
    there = await selected.choose(numset_of(number for number, _ in matches), is_uid=False)
    return max((uid for pair, uid in zip(matches, there.uids, strict=True) if pair[1] == uid), default=0)
