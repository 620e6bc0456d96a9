"""From a path to a spec that holds together, or to all its faults at once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from mailstack.spec.check import check
from mailstack.spec.check_sieve import check_sieve
from mailstack.spec.collector import collector_paused
from mailstack.spec.document import Document, merge
from mailstack.spec.expand import expand
from mailstack.spec.explain import explain
from mailstack.spec.faults import Fault, SpecInvalid
from mailstack.spec.faults import Path as FaultPath
from mailstack.spec.include import read_files
from mailstack.spec.locate import Locator
from mailstack.spec.model import Spec
from mailstack.spec.scripts import read_scripts


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSpec:
    """path: as given; files: all that were read, the main one first; digest: as digest_of has it; main_hash: SHA-256 of
    the main file alone; version: of the files' format, which may be older than the models'. scripts: Sieve, by path as
    the spec has it, lines ending in LF."""

    spec: Spec
    path: Path
    files: tuple[Path, ...]
    digest: str
    main_hash: str
    version: str
    scripts: Mapping[Path, str] = field(repr=False)
    locator: Locator = field(repr=False, compare=False)

    def fault(self, path: FaultPath, message: str) -> Fault:
        """For what is found wrong only once secrets and files are read; path: as the models name things."""
        return self.locator.fault(path, message)

    @property
    def directory(self) -> Path:
        """Where relative references of secrets start."""
        return self.path.parent


def load_spec(path: Path, *, directory: Path | None = None) -> LoadedSpec:
    """Raises SpecInvalid; a file that cannot be read is a fault like any other. directory: where relative paths start,
    of a copy that lies elsewhere than the spec does."""
    with collector_paused():
        return _load(path, path.parent if directory is None else directory)


def _load(path: Path, directory: Path) -> LoadedSpec:
    reading = read_files(path)
    if not reading.roots:
        raise SpecInvalid(reading.faults)
    document = Document(merge(reading.roots))
    scripts = read_scripts(reading, document)
    sieve = check_sieve(document, scripts, reading.directory)
    faults = [*reading.faults, *document.faults, *scripts.faults, *check(document), *sieve]
    spec: Spec | None = None
    try:
        spec = Spec.model_validate(document.values)
    except ValidationError as error:
        faults += explain(error, document, Spec)
    if faults or spec is None:
        raise SpecInvalid(faults)
    expanded = expand(spec, directory)
    return LoadedSpec(
        spec=expanded,
        path=path,
        files=tuple(reading.contents),
        digest=digest_of(reading.main, reading.contents),
        main_hash=hashlib.sha256(reading.contents[reading.main]).hexdigest(),
        version=reading.version,
        scripts=scripts.texts(),
        locator=Locator(document),
    )


def digest_of(main: Path, contents: Mapping[Path, bytes]) -> str:
    """The main file is the main file under any name: a copy of the whole, kept elsewhere, is the same spec."""
    whole = hashlib.sha256()
    for path, content in contents.items():
        name = b"" if path == main else str(path.relative_to(main.parent)).encode("utf-8", "surrogateescape")
        whole.update(b"%d:%b%d:" % (len(name), name, len(content)))
        whole.update(content)
    return whole.hexdigest()
