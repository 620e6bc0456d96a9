"""SELECT, and what EXAMINE shares with it. RFC 3501 §6.3.1, RFC 9051 §6.3.2."""

from mailstack.model.flags import SYSTEM_FLAGS
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox import opening
from mailstack.wire.imap.commands.select import Select
from mailstack.wire.imap.responses import Condition, Exists, FlagsData, Recent, Untagged

# Keywords that mail programs look for before they use them; \* lets them make others. RFC 9051 §2.3.2, RFC 5788.
_FLAGS = (*SYSTEM_FLAGS, "$Forwarded", "$MDNSent", "$Junk", "$NotJunk")
_KNOWN = frozenset(map(str.casefold, _FLAGS))


async def run(session: Session, request: Select) -> Completed:
    await open_mailbox(session, request.mailbox, is_read_only=False)
    return ok("SELECT completed", "READ-WRITE")


async def open_mailbox(session: Session, path: str, *, is_read_only: bool) -> None:
    """Raises NotFound; then nothing is selected, RFC 9051 §6.3.2."""
    session.selected = None
    opened = await opening.open_mailbox(session.mail, path, is_read_only=is_read_only)
    session.selected, status = opened.view, opened.status
    flags = (*_FLAGS, *(keyword for keyword in opened.keywords if keyword.casefold() not in _KNOWN))
    permanent = "" if is_read_only else " ".join((*flags, "\\*"))
    session.connection.say(FlagsData(flags=flags), Exists(count=status.messages), Recent(count=0))
    if opened.first_unseen is not None:
        code = f"UNSEEN {opened.first_unseen}"
        session.connection.say(Untagged(condition=Condition.OK, code=code, text="The first unseen message"))
    session.connection.say(
        Untagged(condition=Condition.OK, code=f"UIDVALIDITY {status.uid_validity}", text="UIDs are valid"),
        Untagged(condition=Condition.OK, code=f"UIDNEXT {status.uid_next}", text="The next UID"),
        Untagged(condition=Condition.OK, code=f"PERMANENTFLAGS ({permanent})", text="Flags that stay"),
    )
