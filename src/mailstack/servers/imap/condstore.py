"""When a client is told mod-sequences: from ENABLE on, or from the first command that speaks of them. RFC 7162 §3.1."""

from mailstack.servers.imap.session import Session
from mailstack.wire.imap.capability import CONDSTORE
from mailstack.wire.imap.responses import Condition, Untagged


def enable_condstore(session: Session) -> None:
    """For every CONDSTORE enabling command; does nothing from the second on."""
    if session.is_condstore:
        return
    session.enabled.add(CONDSTORE)
    tell_highest(session)


def tell_highest(session: Session) -> None:
    """RFC 7162 §3.1: of the mailbox that is selected, if one is."""
    if session.selected is not None:
        code = highest_code(session)
        session.connection.say(Untagged(condition=Condition.OK, code=code, text="The highest mod-sequence"))


def highest_code(session: Session) -> str:
    return f"HIGHESTMODSEQ {session.mailbox.mod_seq}"
