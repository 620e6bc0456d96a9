"""Giving up root: the supervisor binds low ports as root and then becomes the service's own user for good."""

import os
import pwd
from pathlib import Path

from mailstack.app.faults import CannotServe

DEFAULT_USER = "mailstack"


def service_user(name: str | None) -> pwd.struct_passwd | None:
    """Whom to become: None when not root, or when root has no such user and none was asked for by name."""
    if os.geteuid() != 0:
        if name is not None and pwd.getpwuid(os.geteuid()).pw_name != name:
            raise CannotServe(f"--user {name}: only root may become another user")
        return None
    try:
        return pwd.getpwnam(name or DEFAULT_USER)
    except KeyError:
        if name is not None:
            raise CannotServe(f"--user {name}: there is no such user on this machine") from None
        return None


def hand_over(folder: Path, user: pwd.struct_passwd) -> None:
    """Creates the folder where it is missing, and gives it to the user; what lies inside is left as it is."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    os.chown(folder, user.pw_uid, user.pw_gid)


def become(user: pwd.struct_passwd) -> None:
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
