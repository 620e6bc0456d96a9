"""Where a spec keeps its storage, found even in a spec that is of no use otherwise."""

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mailstack.app.store_address import StoreAddress
from mailstack.app.store_named import address_of_storage
from mailstack.model.errors import Invalid
from mailstack.spec.include import Reading, read_files
from mailstack.spec.sections.storage import Storage

# For text that is no YAML any more: the section and its path as people write them.
STORAGE_PATH = re.compile(
    rb"^storage:[ \t]*(?:\{[ \t]*|(?:\#[^\n]*)?\n(?:[ \t]*(?:\#[^\n]*)?\n)*[ \t]+)path:[ \t]*[\"']?([^\"'\#,}\n]+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """files: what was read on the way, absolute, the spec first."""

    storage: StoreAddress
    files: tuple[Path, ...]


def find_storage(spec: Path) -> Whereabouts:
    """Never fails: a spec that says nothing, or cannot be read, means the default. Of a database it is only known where
    the spec is YAML still and its secret is there; otherwise the folder is all."""
    reading = read_files(spec)
    directory = spec.absolute().parent
    return Whereabouts(
        storage=_whole(reading, directory) or StoreAddress(folder=_folder(reading, spec, directory)),
        files=tuple(dict.fromkeys(file.absolute() for file in (spec, *reading.contents))),
    )


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


def _named(reading: Reading) -> str:
    found = (_value(_value(root, "storage"), "path") for root in reading.roots)
    return next((node.value for node in found if isinstance(node, ScalarNode)), "")


def _value(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in pairs if isinstance(key, ScalarNode) and key.value == name), None)


def _written(content: bytes) -> str:
    found = STORAGE_PATH.search(content)
    return found[1].strip().decode("utf-8", "surrogateescape") if found else ""
