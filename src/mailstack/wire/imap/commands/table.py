"""Every command by its name, and the union of all that they can ask for."""

from collections.abc import Callable, Mapping

from mailstack.wire.imap.commands import (
    authenticate,
    capability,
    check,
    close,
    copy,
    create,
    delete,
    enable,
    examine,
    expunge,
    fetch,
    getjmapaccess,
    idle,
    login,
    logout,
    lsub,
    move,
    namespace,
    noop,
    notify,
    rename,
    search,
    select,
    starttls,
    status,
    store,
    subscribe,
    uidbatches,
    unauthenticate,
    unselect,
    unsubscribe,
)
from mailstack.wire.imap.commands import id as id_command
from mailstack.wire.imap.commands import list as list_command
from mailstack.wire.imap.commands.append import Append
from mailstack.wire.imap.commands.replace import Replace
from mailstack.wire.imap.tokens import Cursor

Request = (
    Append
    | authenticate.Authenticate
    | capability.Capability
    | check.Check
    | close.Close
    | copy.Copy
    | create.Create
    | delete.Delete
    | enable.Enable
    | examine.Examine
    | expunge.Expunge
    | fetch.Fetch
    | getjmapaccess.GetJmapAccess
    | id_command.Id
    | idle.Idle
    | list_command.List
    | login.Login
    | logout.Logout
    | lsub.Lsub
    | move.Move
    | namespace.Namespace
    | noop.Noop
    | notify.Notify
    | rename.Rename
    | Replace
    | search.Search
    | select.Select
    | starttls.Starttls
    | status.Status
    | store.Store
    | subscribe.Subscribe
    | uidbatches.UidBatches
    | unauthenticate.Unauthenticate
    | unselect.Unselect
    | unsubscribe.Unsubscribe
)
Parser = Callable[[Cursor], Request]

PARSERS: Mapping[str, Parser] = {
    "AUTHENTICATE": authenticate.parse,
    "CAPABILITY": capability.parse,
    "CHECK": check.parse,
    "CLOSE": close.parse,
    "COPY": copy.parse,
    "CREATE": create.parse,
    "DELETE": delete.parse,
    "ENABLE": enable.parse,
    "EXAMINE": examine.parse,
    "EXPUNGE": expunge.parse,
    "FETCH": fetch.parse,
    "GETJMAPACCESS": getjmapaccess.parse,
    "ID": id_command.parse,
    "IDLE": idle.parse,
    "LIST": list_command.parse,
    "LOGIN": login.parse,
    "LOGOUT": logout.parse,
    "LSUB": lsub.parse,
    "MOVE": move.parse,
    "NAMESPACE": namespace.parse,
    "NOOP": noop.parse,
    "NOTIFY": notify.parse,
    "RENAME": rename.parse,
    "SEARCH": search.parse,
    "SELECT": select.parse,
    "STARTTLS": starttls.parse,
    "STATUS": status.parse,
    "STORE": store.parse,
    "SUBSCRIBE": subscribe.parse,
    "UIDBATCHES": uidbatches.parse,
    "UNAUTHENTICATE": unauthenticate.parse,
    "UNSELECT": unselect.parse,
    "UNSUBSCRIBE": unsubscribe.parse,
}
"""APPEND and REPLACE are wire.imap.intake's, for messages do not fit under a cursor."""

UID_PARSERS: Mapping[str, Parser] = {
    "COPY": copy.parse_uid,
    "EXPUNGE": expunge.parse_uid,
    "FETCH": fetch.parse_uid,
    "MOVE": move.parse_uid,
    "SEARCH": search.parse_uid,
    "STORE": store.parse_uid,
}
"""RFC 9051 §6.4.9, RFC 4315 §2.1, RFC 6851 §3.2: what may follow UID."""
