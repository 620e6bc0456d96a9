"""Keywords that the client was not told of yet: FLAGS names them before a message shows them.

RFC 9051 §7.3.5: FLAGS names the flags that are applicable in the mailbox; there they come to be by STORE and APPEND, of
this client or of another.
"""

from collections.abc import Iterable

from mailstack.servers.imap.session import Session
from mailstack.wire.imap.responses import FlagsData


def say_new_keywords(session: Session, flag_sets: Iterable[str]) -> None:
    """flag_sets: words with spaces between, as messages have them (model.flags.keywords_text)."""
    unheard = {word for text in set(flag_sets) for word in text.split() if word not in session.flags}
    if not unheard:
        return
    # RFC 9051 §9 (flag-keyword): upper and lower case are one.
    heard = {flag.casefold() for flag in session.flags}
    fresh = sorted(word for word in unheard if word.casefold() not in heard)
    if fresh:
        session.flags = (*session.flags, *fresh)
        session.connection.say(FlagsData(flags=session.flags))
