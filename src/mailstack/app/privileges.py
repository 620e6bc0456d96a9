"""Giving up root: the supervisor binds low ports as root and then becomes the service's own user for good."""

import os
import pwd
import stat
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from mailstack.app.faults import CannotServe
from mailstack.app.runfiles import RUN_FOLDER, SPEC_FOLDER
from mailstack.store.event_log.parts import LOG_FOLDER

DEFAULT_USER = "mailstack"
ROOT = 0
# Named one by one: a storage.path that is wrong must not give a system's folders away.
FILES = ("system.db", "system.db-wal", "system.db-shm")
FOLDERS = ("accounts", "blobs", "queue", "trash", LOG_FOLDER, SPEC_FOLDER, RUN_FOLDER)


def service_user(name: str | None) -> pwd.struct_passwd | None:
    """Whom to become: None when not root, or when root has no such user and none was asked for by name."""
    if os.geteuid() != ROOT:
        if name is not None and pwd.getpwuid(os.geteuid()).pw_name != name:
            raise CannotServe(f"--user {name}: only root may become another user")
        return None
    try:
        return pwd.getpwnam(name or DEFAULT_USER)
    except KeyError:
        if name is not None:
            raise CannotServe(f"--user {name}: there is no such user on this machine") from None
        return None


def hand_over(storage: Path, user: pwd.struct_passwd) -> None:
    """Gives the user what root owns of a storage: all that an `apply` typed by root has made. Follows no symlink.

    A file with a name outside of the storage keeps its owner: who can write there might have linked anything.
    """
    folder = os.open(storage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chown(folder, user.pw_uid, user.pw_gid)
        names: dict[tuple[int, int], int] = defaultdict(int)
        for _, _, found in _entries(folder):
            names[found.st_dev, found.st_ino] += 1
        for name, inside, found in _entries(folder):
            is_ours = stat.S_ISDIR(found.st_mode) or found.st_nlink <= names[found.st_dev, found.st_ino]
            if found.st_uid == ROOT and is_ours:
                os.chown(name, user.pw_uid, user.pw_gid, dir_fd=inside, follow_symlinks=False)
    finally:
        os.close(folder)


def become(user: pwd.struct_passwd) -> None:
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)


def _entries(storage: int) -> Iterator[tuple[str, int, os.stat_result]]:
    """name, the open folder that it is in, what it is; each entry of a folder before what lies in it."""
    for name in (*FILES, *FOLDERS):
        try:
            found = os.stat(name, dir_fd=storage, follow_symlinks=False)
        except FileNotFoundError:
            continue
        yield name, storage, found
        if stat.S_ISDIR(found.st_mode):
            yield from _entries_below(name, storage)


def _entries_below(top: str, storage: int) -> Iterator[tuple[str, int, os.stat_result]]:
    for _, folders, files, inside in os.fwalk(top, dir_fd=storage, follow_symlinks=False):
        for name in (*folders, *files):
            try:
                found = os.stat(name, dir_fd=inside, follow_symlinks=False)
            except FileNotFoundError:
                continue  # a server's draft, renamed meanwhile
            yield name, inside, found
