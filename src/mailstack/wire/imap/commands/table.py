"""Every command by its name, and the union of all that they can ask for."""

from collections.abc import Callable, Mapping

from mailstack.wire.imap.commands import (
    authenticate,
    capability,
    check,
    close,
    compress,
    copy,
    create,
    delete,
    deleteacl,
    enable,
    esearch,
    examine,
    expunge,
    fetch,
    getacl,
    getjmapaccess,
    getmetadata,
    getquota,
    getquotaroot,
    idle,
    listrights,
    login,
    logout,
    lsub,
    move,
    myrights,
    namespace,
    noop,
    notify,
    rename,
    search,
    select,
    setacl,
    setmetadata,
    setquota,
    sort,
    starttls,
    status,
    store,
    subscribe,
    thread,
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
    | Replace
    | authenticate.Authenticate
    | capability.Capability
    | check.Check
    | close.Close
    | compress.Compress
    | copy.Copy
    | create.Create
    | delete.Delete
    | deleteacl.DeleteAcl
    | enable.Enable
    | esearch.Esearch
    | examine.Examine
    | expunge.Expunge
    | fetch.Fetch
    | getacl.GetAcl
    | getjmapaccess.GetJmapAccess
    | getmetadata.GetMetadata
    | getquota.GetQuota
    | getquotaroot.GetQuotaRoot
    | id_command.Id
    | idle.Idle
    | list_command.List
    | listrights.ListRights
    | login.Login
    | logout.Logout
    | lsub.Lsub
    | move.Move
    | myrights.MyRights
    | namespace.Namespace
    | noop.Noop
    | notify.Notify
    | rename.Rename
    | search.Search
    | select.Select
    | setacl.SetAcl
    | setmetadata.SetMetadata
    | setquota.SetQuota
    | sort.Sort
    | starttls.Starttls
    | status.Status
    | store.Store
    | subscribe.Subscribe
    | thread.Thread
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
    "COMPRESS": compress.parse,
    "COPY": copy.parse,
    "CREATE": create.parse,
    "DELETE": delete.parse,
    "DELETEACL": deleteacl.parse,
    "ENABLE": enable.parse,
    "ESEARCH": esearch.parse,
    "EXAMINE": examine.parse,
    "EXPUNGE": expunge.parse,
    "FETCH": fetch.parse,
    "GETACL": getacl.parse,
    "GETJMAPACCESS": getjmapaccess.parse,
    "GETMETADATA": getmetadata.parse,
    "GETQUOTA": getquota.parse,
    "GETQUOTAROOT": getquotaroot.parse,
    "ID": id_command.parse,
    "IDLE": idle.parse,
    "LIST": list_command.parse,
    "LISTRIGHTS": listrights.parse,
    "LOGIN": login.parse,
    "LOGOUT": logout.parse,
    "LSUB": lsub.parse,
    "MOVE": move.parse,
    "MYRIGHTS": myrights.parse,
    "NAMESPACE": namespace.parse,
    "NOOP": noop.parse,
    "NOTIFY": notify.parse,
    "RENAME": rename.parse,
    "SEARCH": search.parse,
    "SELECT": select.parse,
    "SETACL": setacl.parse,
    "SETMETADATA": setmetadata.parse,
    "SETQUOTA": setquota.parse,
    "SORT": sort.parse,
    "STARTTLS": starttls.parse,
    "STATUS": status.parse,
    "STORE": store.parse,
    "SUBSCRIBE": subscribe.parse,
    "THREAD": thread.parse,
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
    "SORT": sort.parse_uid,
    "STORE": store.parse_uid,
    "THREAD": thread.parse_uid,
}
"""RFC 9051 §6.4.9, RFC 4315 §2.1, RFC 6851 §3.2: what may follow UID."""
