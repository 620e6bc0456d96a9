"""Where a spec keeps its storage, found even in a spec that is of no use otherwise."""

import re
from dataclasses import dataclass
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode

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

    storage: Path
    files: tuple[Path, ...]


def find_storage(spec: Path) -> Whereabouts:
    """Never fails: a spec that says nothing, or cannot be read, means the default."""
    reading = read_files(spec)
    named = _named(reading) if reading.roots else _written(reading.contents.get(spec, b""))
    named = named or Storage.model_fields["path"].default
    return Whereabouts(
        storage=(spec.absolute().parent / named).absolute(),
        files=tuple(dict.fromkeys(file.absolute() for file in (spec, *reading.contents))),
    )


def _named(reading: Reading) -> str:
    found = (_value(_value(root, "storage"), "path") for root in reading.roots)
    return next((node.value for node in found if isinstance(node, ScalarNode)), "")


def _value(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((value for key, value in pairs if isinstance(key, ScalarNode) and key.value == name), None)


def _written(content: bytes) -> str:
    found = STORAGE_PATH.search(content)
    return found[1].strip().decode("utf-8", "surrogateescape") if found else ""
