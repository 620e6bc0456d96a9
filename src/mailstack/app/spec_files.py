"""Files of the spec written in the place where they lie, whole or not at all, at an administrator's word.

A file keeps its mode, owner and links; where that cannot be, it is left alone. What it was before is kept beside the
store, so that the last writes can be taken back.
"""

import os
import pwd
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from mailstack.app.runfiles import SPEC_FOLDER, write_json
from mailstack.model.errors import Conflict, Forbidden, TryAgainLater
from mailstack.store.syncing import sync_folder

MOST_KEPT = 10
DRAFT = ".mailstack-edit"
SWAPPED = ".."
"""What the names begin with of folders that Kubernetes swaps whole: what is written into one is gone with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One write. former: the text before; written: SHA-256 of what was written; what: in words; diff: as it was
    shown."""

    file: str
    former: str = field(repr=False)
    written: str
    at: int
    by: str
    what: str
    diff: list[str]


def why_not_writable(file: Path) -> str:
    """In words; "" where a new file can take its place."""
    path = file.resolve()
    if any(part.startswith(SWAPPED) for part in path.parts):
        return f"{file} is put there by something that would put it back (a link that Kubernetes swaps)"
    try:
        found = path.stat()
    except OSError as fault:
        return f"{path} cannot be read: {fault.strerror}"
    if not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True):
        return f"the folder {path.parent} is read-only for the user that the server runs as ({_user(os.geteuid())})"
    if not _can_give(found):
        owner = f"{_user(found.st_uid)}, group {found.st_gid}"
        return f"{path} belongs to {owner}, and the server ({_user(os.geteuid())}) could not give it back to them"
    return ""


def work_tree(file: Path) -> tuple[str, str] | None:
    """The Git work tree that it lies in, and its branch, "" where none is checked out. No git is run: a repository can
    name programs for it to run."""
    for folder in file.resolve().parents:
        git = folder / ".git"
        if git.exists():
            return str(folder), _branch(git)
    return None


def write_whole(file: Path, text: str, *, former: str) -> None:
    """In place of the former text. Raises Conflict where another stands there by now, Forbidden where it cannot be
    written, TryAgainLater for a disk that is full."""
    path = file.resolve()
    if reason := why_not_writable(file):
        raise Forbidden(f"{reason}; nothing was written")
    draft = path.with_name(f".{path.name}{DRAFT}")
    try:
        draft.unlink(missing_ok=True)  # of a crash
        _write(draft, path, text)
        if path.read_bytes() != former.encode():
            raise Conflict(f"{path} was changed just now; nothing was written, look at it again")
        draft.replace(path)
    except OSError as fault:
        raise TryAgainLater(f"{path} cannot be written: {fault.strerror}; it is as it was") from fault
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    with suppress(OSError):  # it is in its place, whatever a power cut would leave of that
        sync_folder(path.parent)


def keep_edit(storage: Path, edit: Edit) -> None:
    """Before it is written: after a crash the file tells by itself whether it was. Raises TryAgainLater."""
    try:
        _write_edits(storage, [*read_edits(storage), edit][-MOST_KEPT:])
    except OSError as fault:
        file = _edits_file(storage)
        raise TryAgainLater(f"{file} cannot be written: {fault.strerror}; nothing was written") from fault


def forget_edit(storage: Path, edit: Edit) -> None:
    """One that was not written, or was taken back. Where it cannot be forgotten, it can be taken back no more."""
    with suppress(OSError):
        _write_edits(storage, [kept for kept in read_edits(storage) if kept != edit])


def read_edits(storage: Path) -> list[Edit]:
    """The oldest first."""
    try:
        found = orjson.loads(_edits_file(storage).read_bytes())
    except (OSError, orjson.JSONDecodeError):  # a crash may have left an empty one
        return []
    return [Edit(**each) for each in found["edits"] if isinstance(each, Mapping)]


def _write_edits(storage: Path, edits: list[Edit]) -> None:
    (storage / SPEC_FOLDER).mkdir(mode=0o750, exist_ok=True)
    # The texts may hold hashes of passwords.
    write_json(_edits_file(storage), {"edits": [asdict(edit) for edit in edits]}, mode=0o600)


def _edits_file(storage: Path) -> Path:
    return storage / SPEC_FOLDER / "edits.json"


def _write(draft: Path, path: Path, text: str) -> None:
    was = path.stat()
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(file, "wb") as opened:
        if (was.st_uid, was.st_gid) != (os.fstat(file).st_uid, os.fstat(file).st_gid):
            os.fchown(file, was.st_uid, was.st_gid)
        shutil.copystat(path, draft)  # after the owner, with whom some modes go; access lists among it
        opened.write(text.encode())
        opened.flush()
        os.fsync(file)
    os.utime(draft)


def _can_give(found: os.stat_result) -> bool:
    if os.geteuid() == 0:
        return True
    return found.st_uid == os.geteuid() and found.st_gid in {os.getegid(), *os.getgroups()}


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _branch(git: Path) -> str:
    """Of a folder, or of the file that a linked work tree has in its place."""
    try:
        if git.is_file():
            git = git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""
