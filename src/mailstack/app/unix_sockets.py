"""Unix sockets to listen on: made under another name, and moved into place once it is settled who may use them. What a
killed server left behind is replaced so, and what another program listens on is not.

access: as ListenerBody has it behind the path, `mode=0660 owner=… group=…`.
"""

import grp
import os
import pwd
import socket
import stat
from contextlib import suppress

from mailstack.app.faults import CannotServe, PortBusy
from mailstack.net.listen import BACKLOG

UNCHANGED = -1
PROBE_S = 1.0


def bind(name: str, path: str, access: str) -> socket.socket:
    """name: for people. Raises PortBusy, CannotServe."""
    try:
        _refuse_taken(name, path)
        return _made(path, access)
    except OSError as fault:
        raise _plain(name, path, fault) from fault


def permit(path: str, access: str) -> None:
    """Raises CannotServe where this process may not."""
    wanted = dict(item.split("=", 1) for item in access.split())
    try:
        owner = pwd.getpwnam(wanted["owner"]).pw_uid if "owner" in wanted else UNCHANGED
        group = grp.getgrnam(wanted["group"]).gr_gid if "group" in wanted else os.getegid()
    except KeyError as fault:
        raise CannotServe(f"{path}: {fault.args[0]}, so it cannot own a socket") from None
    try:
        os.chown(path, owner, group)
        os.chmod(path, int(wanted["mode"], 8))  # noqa: PTH101  beside chown
    except PermissionError:
        text = f"{path}: only root may give it {access}; without root, a group that this server's user is in"
        raise CannotServe(text) from None


def belong_to(path: str, access: str, user: pwd.struct_passwd) -> None:
    """What the spec gives to nobody else is the service's own."""
    own_uid = UNCHANGED if "owner=" in access else user.pw_uid
    own_gid = UNCHANGED if "group=" in access else user.pw_gid
    os.chown(path, own_uid, own_gid)


def remove(path: str) -> None:
    with suppress(OSError):
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)  # noqa: PTH108  beside lstat


def _refuse_taken(name: str, path: str) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise CannotServe(f"{name}: something is there already that is no socket, and stays")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return  # left behind by a server that was killed
        except (BlockingIOError, TimeoutError):
            pass
    raise PortBusy(f"{name}: another program listens there")


def _made(path: str, access: str) -> socket.socket:
    draft = f"{path}.{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        remove(draft)
        listener.bind(draft)
        permit(draft, access)
        listener.listen(BACKLOG)
        os.rename(draft, path)  # noqa: PTH104  beside the others
    except BaseException:  # whatever it was: nothing is left open, and it goes on
        listener.close()
        remove(draft)
        raise
    return listener


def _plain(name: str, path: str, fault: OSError) -> CannotServe:
    folder = os.path.dirname(path)  # noqa: PTH120  as text
    match fault:
        case FileNotFoundError():
            return CannotServe(f"{name}: the folder {folder} is not there; make it, or name another path")
        case PermissionError():
            user = pwd.getpwuid(os.geteuid()).pw_name
            return CannotServe(
                f"{name}: the user {user} may not make a socket in {folder}; permit it, or name another path"
            )
        case _:
            return CannotServe(f"{name}: {fault.strerror or fault}")
