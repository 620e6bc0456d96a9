"""A spec that came by the API: put in the place of the server's own files, whole or not at all, and known as such.

What is applied must be what is served after a restart, so the files follow the state: they are written beside the
former ones before the state changes, and take their places after it did. A crash in between is settled by whoever looks
next: a state that is past the generation it had then, and holds the new spec's digest, was written. The digest alone
does not tell: a spec may come again with nothing new in it but a certificate. Decision 0013.
"""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from mailstack.app.runfiles import SPEC_FOLDER, write_json
from mailstack.model.errors import Conflict
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant
from mailstack.model.resource import Summary
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.load import LoadedSpec
from mailstack.spec.secrets import SecretMissing

FORMER = "former"
FORMER_KEPT = 10
DRAFT = ".mailstack-draft"
NEW_FILE_MODE = 0o640


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """caller: the id of the token it came with. main_hash: of the main file alone; amended_hash: of what `adopt` made
    of it here, "" where it did not."""

    digest: str
    main_hash: str
    caller: str
    at: Instant
    amended_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A spec that is to take the place of another. main: the server's file; files: new contents, by path relative to
    main's folder, main among them. former: what the spec there reads now; certificates: other files of it. base: the
    generation of the state before."""

    received: Received
    base: Generation
    main: Path
    files: Mapping[str, str]
    former: Collection[Path]
    certificates: Collection[Path]


def read_received(storage: Path) -> Received | None:
    """The last one; what lies in the spec's place may be another by now."""
    with suppress(FileNotFoundError):
        found = orjson.loads(_received_file(storage).read_bytes())
        return Received(**{**found, "at": Instant(found["at"])})
    return None


def as_far_as_received(reconciler: Reconciler, storage: Path, loaded: LoadedSpec) -> Reconciler:
    """For a spec that came by the API, one that reads no secret of this machine but those of its DNS providers.

    Whoever may apply must not be able to have this machine's files and variables read and sent somewhere. So the main
    file decides alone: a pattern in it may find files that were here before, and is from afar all the same.
    """
    received = read_received(storage)
    if received is None or not _is_from_afar(received, loaded.main_hash):
        return reconciler
    return replace(reconciler, resolve=_not_here, resolve_for_dns=reconciler.resolve, keeps_secrets=True)


def amend(storage: Path, former: bytes, new: bytes) -> bool:
    """Before `former`, a main file, becomes `new` by what this program writes into it: one from afar stays one.

    Else the sender's references would be read on this machine from then on. False for a file of the machine's own.
    """
    received = read_received(storage)
    if received is None or not _is_from_afar(received, hash_of_main(former)):
        return False
    # Either may lie there, if this is interrupted.
    amended = replace(received, main_hash=hash_of_main(former), amended_hash=hash_of_main(new))
    write_json(_received_file(storage), asdict(amended))
    return True


def refuse_edited(own: LoadedSpec, applied: str, received: Received | None) -> None:
    """Raises Conflict where somebody changed the server's spec by hand, and would lose that.

    applied: the digest of the spec that the state holds.
    """
    if own.digest != applied:
        raise Conflict(
            f"{own.path} on the server is not what was applied last: somebody has changed it there;"
            " take the change over, or apply with --overwrite (a copy is kept)"
        )
    if received is not None and own.digest != received.digest:
        raise Conflict(
            f"{own.path} on the server was changed there since it last came from afar; take the change over, or apply"
            " with --overwrite (a copy is kept)"
        )


def hash_of_main(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def draft(storage: Path, delivery: Delivery) -> None:
    """Writes all of it beside what it will replace; nothing that anybody reads changes. Raises Conflict, in words."""
    folder = delivery.main.parent
    targets = {folder / name: text for name, text in delivery.files.items()}
    _refuse_foreign(targets, delivery, storage)
    journal = {
        "is_whole": False,
        "base": int(delivery.base),
        "received": asdict(delivery.received),
        "folder": str(folder),
        "targets": [str(target) for target in targets],
        "former": [str(path) for path in delivery.former],
    }
    try:
        (storage / SPEC_FOLDER).mkdir(mode=0o750, exist_ok=True)
        # First of all, so that a crash leaves no draft that nobody knows of.
        write_json(_journal_file(storage), journal)
        for target, text in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_draft(target, text)
        write_json(_journal_file(storage), journal | {"is_whole": True})
    except OSError as fault:
        finish(storage, is_applied=False)
        where = fault.filename or str(folder)
        raise Conflict(
            f"the spec on the server cannot be replaced: {where}: {fault.strerror};"
            " the user that the server runs as needs to write there"
        ) from fault


def is_unsettled(storage: Path) -> bool:
    return _journal_file(storage).exists()


def settle(storage: Path, state: Summary) -> None:
    """Ends what a crash left of `draft`. state: what the store holds."""
    try:
        journal = orjson.loads(_journal_file(storage).read_bytes())
    except FileNotFoundError:
        return
    is_applied = journal["received"]["digest"] == state.spec_hash and state.generation > journal["base"]
    finish(storage, is_applied=is_applied and journal["is_whole"])


def finish(storage: Path, *, is_applied: bool) -> None:
    """Ends what `draft` began: its spec takes its place when it is the applied one, and is forgotten otherwise."""
    journal = orjson.loads(_journal_file(storage).read_bytes())
    targets = [Path(target) for target in journal["targets"]]
    if is_applied:
        _keep_former(storage, journal)
        for target in targets:
            with suppress(FileNotFoundError):  # renamed before the crash
                _draft_of(target).replace(target)
        for path in {Path(path) for path in journal["former"]} - set(targets):
            path.unlink(missing_ok=True)  # a pattern would include it again
        write_json(_received_file(storage), journal["received"])
    for target in targets:
        with suppress(FileNotFoundError, NotADirectoryError):
            _draft_of(target).unlink()
    _journal_file(storage).unlink()


def _refuse_foreign(targets: Mapping[Path, str], delivery: Delivery, storage: Path) -> None:
    known = {*delivery.former, *delivery.certificates}
    for target in targets:
        if target.is_relative_to(storage):
            raise Conflict(f"{target} on the server lies in its storage, where no spec belongs")
        for folder in target.parents:
            # Else a name that was sent could lead to any place of the machine.
            if folder != delivery.main.parent and folder.is_relative_to(delivery.main.parent) and folder.is_symlink():
                raise Conflict(f"{folder} on the server is a symbolic link: something else looks after what is in it")
        if target.is_symlink():
            raise Conflict(f"{target} on the server is a symbolic link: something else looks after that file")
        if target.exists() and target not in known:
            raise Conflict(f"{target} on the server is no part of its spec, and is not overwritten")


def _write_draft(target: Path, text: str) -> None:
    mode = target.stat().st_mode & 0o777 if target.exists() else NEW_FILE_MODE
    file = os.open(_draft_of(target), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(file, "wb") as opened:
        opened.write(text.encode())
        opened.flush()
        os.fsync(opened.fileno())


def _keep_former(storage: Path, journal: Mapping[str, object]) -> None:
    """A copy of the files that are about to go; the oldest such copies go for it."""
    kept = storage / SPEC_FOLDER / FORMER
    folder = Path(str(journal["folder"]))
    received = journal["received"]
    at = received["at"] if isinstance(received, dict) else 0
    for path in _paths(journal["former"]):
        copy = kept / f"{at}" / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        if path.exists() and not copy.exists():  # of a crash, the first copies are the true ones
            shutil.copy2(path, copy)
    copies = sorted((copy for copy in kept.iterdir() if copy.name.isdecimal()), key=lambda copy: int(copy.name))
    for copy in copies[:-FORMER_KEPT]:
        shutil.rmtree(copy, ignore_errors=True)


def _paths(value: object) -> Iterator[Path]:
    yield from map(Path, value if isinstance(value, list) else ())


def _is_from_afar(received: Received, main_hash: str) -> bool:
    return main_hash in (received.main_hash, received.amended_hash)


def _not_here(reference: str, _directory: Path) -> str:
    raise SecretMissing(f"{reference} came with the spec by the API, and is not read on this machine")


def _draft_of(target: Path) -> Path:
    return target.with_name(f".{target.name}{DRAFT}")


def _received_file(storage: Path) -> Path:
    return storage / SPEC_FOLDER / "received.json"


def _journal_file(storage: Path) -> Path:
    return storage / SPEC_FOLDER / "journal.json"
