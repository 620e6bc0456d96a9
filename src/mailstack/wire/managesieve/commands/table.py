"""Every command by its name, and the union of all that they can ask for."""

from collections.abc import Callable, Mapping

from mailstack.wire.managesieve.commands import (
    authenticate,
    capability,
    checkscript,
    deletescript,
    getscript,
    havespace,
    listscripts,
    logout,
    noop,
    putscript,
    renamescript,
    setactive,
    starttls,
    unauthenticate,
)
from mailstack.wire.managesieve.tokens import Cursor

Request = (
    authenticate.Authenticate
    | capability.Capability
    | checkscript.CheckScript
    | deletescript.DeleteScript
    | getscript.GetScript
    | havespace.HaveSpace
    | listscripts.ListScripts
    | logout.Logout
    | noop.Noop
    | putscript.PutScript
    | renamescript.RenameScript
    | setactive.SetActive
    | starttls.Starttls
    | unauthenticate.Unauthenticate
)
Parser = Callable[[Cursor], Request]

PARSERS: Mapping[str, Parser] = {
    "AUTHENTICATE": authenticate.parse,
    "CAPABILITY": capability.parse,
    "CHECKSCRIPT": checkscript.parse,
    "DELETESCRIPT": deletescript.parse,
    "GETSCRIPT": getscript.parse,
    "HAVESPACE": havespace.parse,
    "LISTSCRIPTS": listscripts.parse,
    "LOGOUT": logout.parse,
    "NOOP": noop.parse,
    "PUTSCRIPT": putscript.parse,
    "RENAMESCRIPT": renamescript.parse,
    "SETACTIVE": setactive.parse,
    "STARTTLS": starttls.parse,
    "UNAUTHENTICATE": unauthenticate.parse,
}
