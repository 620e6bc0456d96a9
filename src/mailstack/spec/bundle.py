"""A spec with all that it is made of, to be sent to another machine: its files, the certificates that it names, and
the secrets that can be read here.

What proves who one is to DNS providers and authorities is never in it: the server that asks them has that. Unpacking
trusts nothing of what was sent.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, SecretStr

from mailstack.model.errors import Conflict, Invalid
from mailstack.spec.faults import Fault, SpecInvalid
from mailstack.spec.faults import Path as FaultPath
from mailstack.spec.include import MAX_FILES
from mailstack.spec.load import LoadedSpec, digest_of
from mailstack.spec.secrets import SecretMissing, is_reference
from mailstack.spec.sections.acme import ExternalAccount
from mailstack.spec.sections.domains import Provider
from mailstack.spec.sections.storage import Storage

Resolve = Callable[[str, Path], str]
MAIN_NAME = ".main.yaml"
MAX_NAME_OCTETS = 1_024
MAX_DEPTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """main: the content of the main file; files: of all others, by path relative to it. secrets: by reference."""

    main: str
    files: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)

    def to_json(self) -> dict[str, object]:
        return {"main": self.main, "files": dict(self.files), "secrets": dict(self.secrets)}

    @classmethod
    def from_json(cls, value: object) -> "Bundle":
        """Raises Invalid, which names what is wrong and repeats nothing of it."""
        if not isinstance(value, dict) or value.keys() != {"main", "files", "secrets"}:
            raise Invalid("a bundle has the members main, files and secrets")
        main, files, secrets = value["main"], _texts(value["files"], "files"), _texts(value["secrets"], "secrets")
        if not isinstance(main, str):
            raise Invalid("main is the text of the spec")
        if len(files) > MAX_FILES:
            raise Invalid(f"a bundle has at most {MAX_FILES} files")
        for name in files:
            _check_name(name)
        if not all(map(is_reference, secrets)):
            raise Invalid("secrets are named by references: env/NAME or file/PATH")
        return cls(main=main, files=files, secrets=secrets)


def bundle_of(loaded: LoadedSpec, resolve: Resolve) -> Bundle:
    """Raises SpecInvalid for files that cannot be sent, Conflict when they change meanwhile."""
    folder = loaded.path.parent
    contents = {path: _read(path) for path in loaded.files}
    if digest_of(loaded.path, contents) != loaded.digest:
        raise Conflict(f"{loaded.path} changed while it was read; try again")
    others = {path.relative_to(folder).as_posix(): content for path, content in contents.items() if path != loaded.path}
    others |= _certificates(loaded)
    secrets: dict[str, str] = {}
    for reference in sorted(references_of(loaded.spec)):
        try:
            secrets[reference] = resolve(reference, folder.absolute())
        except SecretMissing:
            continue  # the server may have it already, and says so where it has not
    return Bundle(main=contents[loaded.path].decode(), files=_decoded(others), secrets=secrets)


def unpack(bundle: Bundle, folder: Path) -> Path:
    """Writes the files; returns the main one, under a name that no other can have. folder: empty, nobody else's."""
    for name, text in {**bundle.files, MAIN_NAME: bundle.main}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder / MAIN_NAME


def references_of(spec: BaseModel) -> frozenset[str]:
    """To secrets that become part of the server's state; not what it shows DNS providers, authorities and
    its own storage."""
    return frozenset(text for text in _secrets_in(spec) if is_reference(text))


def certificate_files(loaded: LoadedSpec) -> Iterator[tuple[FaultPath, Path]]:
    """Files besides YAML and secrets that the spec reads, and where it names them."""
    tls = loaded.spec.tls
    for index, files in enumerate(tls.files):
        yield ("tls", "files", index, "certificate"), files.certificate
    if tls.acme.ca is not None:
        yield ("tls", "acme", "ca"), tls.acme.ca


def _certificates(loaded: LoadedSpec) -> dict[str, bytes]:
    folder, faults = loaded.path.absolute().parent, list[Fault]()
    found: dict[str, bytes] = {}
    for place, path in certificate_files(loaded):
        try:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
        except ValueError:
            told = f"{path} is not below the folder of the spec, so it cannot be sent (copy it there)"
            faults.append(loaded.fault(place, told))
        except OSError as fault:
            faults.append(loaded.fault(place, f"{path} cannot be read: {fault.strerror or fault}"))
    if faults:
        raise SpecInvalid(faults)
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Conflict(f"{path} cannot be read any more: {fault.strerror or fault}") from None


def _decoded(contents: Mapping[str, bytes]) -> dict[str, str]:
    try:
        return {name: content.decode() for name, content in contents.items()}
    except UnicodeDecodeError:
        raise Invalid("certificates are sent as PEM text, and one of them is none") from None


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel) and not isinstance(value, Provider | ExternalAccount | Storage):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _secrets_in(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _secrets_in(inner)


def _texts(value: object, what: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise Invalid(f"{what} is an object of texts")
    return value


def _check_name(name: str) -> None:
    parts = PurePosixPath(name).parts
    is_plain = "/".join(parts) == name and name.isprintable() and len(name.encode()) <= MAX_NAME_OCTETS
    # The loader finds no hidden files either; and a hidden one may mean something to another program.
    if not is_plain or not 0 < len(parts) <= MAX_DEPTH or any(part.startswith((".", "/")) for part in parts):
        raise Invalid("a file of a bundle has a relative path without hidden parts, such as accounts/staff.yaml")
