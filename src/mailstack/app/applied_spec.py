"""The spec that was applied last, kept beside the store: while an edited one waits, what is due is done from it.

Only its YAML is kept. Secrets and certificates are read where the spec has them, as if it still lay in its place.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import orjson
import structlog

from mailstack.app.clock import system_clock
from mailstack.app.runfiles import SPEC_FOLDER, run_folder, write_json
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import open_store
from mailstack.model.errors import Invalid
from mailstack.spec.bundle import Bundle, unpack
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import LoadedSpec, digest_of, load_spec

log = structlog.get_logger()


def keep_applied(storage: Path, loaded: LoadedSpec) -> None:
    """Once the state holds it. One that was saved again meanwhile is not kept: what was applied is no longer there.

    Nor does it undo an apply that there is no room for its spec.
    """
    if _kept(storage).get("digest") == loaded.digest:
        return
    try:
        _keep(storage, loaded)
    except OSError as fault:
        log.warning("the applied spec is not kept; while an edited one waits, so does what is due", reason=str(fault))


async def spec_for_upkeep(storage: StoreAddress, spec: Path) -> LoadedSpec:
    """The one that was applied last, also while an edited one waits at `spec`, or one with faults. What lies there
    where that was not kept. Raises SpecInvalid."""
    store = await open_store(storage, clock=system_clock, bus=Silence(), read_only=True)
    try:
        applied = (await store.state.summary()).spec_hash
    finally:
        await store.close()
    with suppress(SpecInvalid):
        own = load_spec(spec)
        if own.digest == applied:
            return own
    return load_applied(storage.folder, spec, applied) or load_spec(spec)


def load_applied(storage: Path, spec: Path, digest: str) -> LoadedSpec | None:
    """As if it lay at `spec`; None where none of this digest was kept."""
    if _kept(storage).get("digest") != digest:
        return None
    with unpacked(storage) as main:
        try:
            loaded = None if main is None else load_spec(main, directory=spec.absolute().parent)
        except SpecInvalid:  # kept by another version
            return None
    return None if loaded is None or loaded.digest != digest else replace(loaded, path=spec, files=())


@contextmanager
def unpacked(storage: Path) -> Iterator[Path | None]:
    """The files of what is kept, by the main one; None where nothing is. They are gone afterwards."""
    with ExitStack() as held:
        try:
            bundle = Bundle.from_json(_kept(storage).get("bundle"))
            folder = held.enter_context(tempfile.TemporaryDirectory(dir=run_folder(storage), prefix="spec-"))
            main = unpack(bundle, Path(folder))
        except (Invalid, OSError):  # kept by another version, or not this user's to read
            main = None
        yield main


def _keep(storage: Path, loaded: LoadedSpec) -> None:
    main, *others = loaded.files
    contents = {file: file.read_bytes() for file in loaded.files}
    if digest_of(main, contents) != loaded.digest:
        return
    files = {str(file.relative_to(main.parent)): contents[file].decode() for file in others}
    bundle = Bundle(main=contents[main].decode(), files=files, secrets={})
    (storage / SPEC_FOLDER).mkdir(mode=0o750, exist_ok=True)
    write_json(_file(storage), {"digest": loaded.digest, "bundle": bundle.to_json()})


def _kept(storage: Path) -> dict[str, object]:
    try:
        found = orjson.loads(_file(storage).read_bytes())
    except (OSError, orjson.JSONDecodeError):  # a crash may have left an empty one
        return {}
    return found if isinstance(found, dict) else {}


def _file(storage: Path) -> Path:
    return storage / SPEC_FOLDER / "applied.json"
