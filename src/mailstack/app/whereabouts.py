"""Where a spec keeps its storage, found even in a spec that is of no use otherwise."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mailstack.app.applied_spec import unpacked
from mailstack.app.store_address import StoreAddress
from mailstack.app.store_named import address_of_storage
from mailstack.model.errors import Invalid
from mailstack.spec.document import Document, merge
from mailstack.spec.include import Reading, read_files
from mailstack.spec.scripts import named_scripts
from mailstack.spec.sections.storage import Storage

# For text that is no YAML any more: the section and its path as people write them.
STORAGE_PATH = re.compile(
    rb"^storage:[ \t]*(?:\{[ \t]*|(?:\#[^\n]*)?\n(?:[ \t]*(?:\#[^\n]*)?\n)*[ \t]+)path:[ \t]*[\"']?([^\"'\#,}\n]+)",
    re.MULTILINE,
)
DATABASE = re.compile(rb"^(?:storage:[ \t]*\{[^\n#]*|[ \t]+)database:[ \t]*[^ \t\n]", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """storage: None where it is a database, and which one cannot be said. files: what was read on the way, and scripts
    that it names, which may be what is wrong with it; absolute, the spec first."""

    folder: Path
    storage: StoreAddress | None
    files: tuple[Path, ...]


def find_storage(spec: Path) -> Whereabouts:
    """Never fails: a spec that says nothing, or cannot be read, means the default. Which database, a spec that is no
    YAML any more does not say; what was applied last from here does. Where the secret that names it is missing, nothing
    is meant instead of it, and least of all what the folder held before there was a database."""
    reading = read_files(spec)
    directory = spec.absolute().parent
    folder = _folder(reading, spec, directory)
    in_folder = None if _names_database(reading, spec) else StoreAddress(folder=folder)
    return Whereabouts(
        folder=folder,
        storage=_whole(reading, directory) or in_folder if reading.roots else _as_applied(folder, directory, in_folder),
        files=tuple(dict.fromkeys(file.absolute() for file in (spec, *reading.contents, *_scripts(reading)))),
    )


def _scripts(reading: Reading) -> Iterator[Path]:
    if reading.roots:
        for _, path in named_scripts(Document(merge(reading.roots)).values):
            yield reading.directory / path


def _as_applied(folder: Path, directory: Path, written: StoreAddress | None) -> StoreAddress | None:
    """written: what the text of the spec lets one guess; a database that was applied to is believed more than that."""
    with unpacked(folder) as main:
        reading = None if main is None else read_files(main)
    if main is None or reading is None or not _names_database(reading, main):
        return written
    found = _whole(reading, directory)
    return found if found is not None and found.folder == folder else None


def _whole(reading: Reading, directory: Path) -> StoreAddress | None:
    found = (_value(root, "storage") for root in reading.roots)
    node = next((node for node in found if node is not None), None)
    try:
        return None if node is None else address_of_storage(Storage.model_validate(_plain(node)), directory)
    except (ValidationError, Invalid):
        return None


def _plain(node: Node) -> object:
    """Texts throughout: nothing of a storage is anything else."""
    if isinstance(node, MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(each) for each in node.value]
    return node.value


def _folder(reading: Reading, spec: Path, directory: Path) -> Path:
    named = _named(reading) if reading.roots else _written(reading.contents.get(spec, b""))
    return (directory / (named or Storage.model_fields["path"].default)).absolute()


def _names_database(reading: Reading, spec: Path) -> bool:
    if not reading.roots:
        return DATABASE.search(reading.contents.get(spec, b"")) is not None
    return any(_value(_value(root, "storage"), "database") is not None for root in reading.roots)


def _named(reading: Reading) -> str:
    found = (_value(_value(root, "storage"), "path") for root in reading.roots)
    return next((node.value for node in found if isinstance(node, ScalarNode)), "")


def _value(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in pairs if isinstance(key, ScalarNode) and key.value == name), None)


def _written(content: bytes) -> str:
    found = STORAGE_PATH.search(content)
    return found[1].strip().decode("utf-8", "surrogateescape") if found else ""
