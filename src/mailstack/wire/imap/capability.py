"""What the server says it can do. RFC 9051 §7.2.2: nothing stands here that does not work."""

from collections.abc import Mapping, Sequence

REV2 = "IMAP4REV2"
CONDSTORE = "CONDSTORE"
QRESYNC = "QRESYNC"
UTF8 = "UTF8=ACCEPT"
UID_ONLY = "UIDONLY"

ENABLED_BY_CLIENT: Mapping[str, str] = {
    REV2: "IMAP4rev2",
    CONDSTORE: CONDSTORE,
    QRESYNC: QRESYNC,
    UTF8: UTF8,
    UID_ONLY: UID_ONLY,
}
"""RFC 5161 §3.1: what a client may switch on when it is offered, in upper case; and how the server spells it."""

# RFC 9051 §6.1.1 lets a server tell more once the client is known; these hold in every state.
_ALWAYS = ("IMAP4rev1", "IMAP4rev2", "LITERAL+", "ID", "ENABLE", "SASL-IR")
_AFTER_LOGIN = (
    "IDLE",
    "NAMESPACE",
    "UIDPLUS",
    "UNSELECT",
    "MOVE",
    "CHILDREN",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "LIST-MYRIGHTS",
    "LIST-METADATA",
    "STATUS=SIZE",
    "ACL",
    "RIGHTS=kxte",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "METADATA",
    CONDSTORE,
    QRESYNC,
    UID_ONLY,
    "UIDBATCHES",
    "INPROGRESS",
    "NOTIFY",
    "UNAUTHENTICATE",
    "MULTIAPPEND",
    "CATENATE",
    "REPLACE",
    "COMPRESS=DEFLATE",
    "BINARY",
    UTF8,
    "ESEARCH",
    "SEARCHRES",
    "WITHIN",
    "PARTIAL",
    "SORT",
    "SORT=DISPLAY",
    "ESORT",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "MULTISEARCH",
    "SEARCH=FUZZY",
    "SAVEDATE",
    "PREVIEW",
    "OBJECTID",
)


def before_login(
    *, offers_starttls: bool, mechanisms: Sequence[str], message_octets: int, messages: int
) -> tuple[str, ...]:
    """mechanisms: empty when a password must not be sent over this connection. message_octets: the largest APPEND.
    messages: how many one command may name.

    RFC 9051 §6.2.3, §11.1: then LOGINDISABLED is said, and no AUTH=.
    """
    starttls = ("STARTTLS",) if offers_starttls else ()
    login = tuple(f"AUTH={name}" for name in mechanisms) or ("LOGINDISABLED",)
    return (*_ALWAYS, *_AFTER_LOGIN, *_limits(message_octets, messages), *starttls, *login)


def after_login(*, message_octets: int, messages: int, has_jmap: bool = False) -> tuple[str, ...]:
    """has_jmap: RFC 9698: the same mail is to be had over JMAP."""
    return (*_ALWAYS, *_AFTER_LOGIN, *_limits(message_octets, messages), *(("JMAPACCESS",) if has_jmap else ()))


def _limits(message_octets: int, messages: int) -> tuple[str, ...]:
    """RFC 7889 §2: one limit for all mailboxes. RFC 9738 §3: what one command may name."""
    return f"APPENDLIMIT={message_octets}", f"MESSAGELIMIT={messages}"
