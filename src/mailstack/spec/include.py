"""The files of one spec: read, put together, and their relative paths made relative to the main file.

An included file may include others, below its own folder; what two files both say is a duplicate key.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mailstack.spec.faults import Fault, Place, SpecInvalid, fault_at, printable
from mailstack.spec.upgrade import VERSION, Edit, upgrade, version_of
from mailstack.spec.yaml_text import MAX_FILE_BYTES, compose, place_of

MAX_FILES = 20_000
MAX_TOTAL_BYTES = 64 << 20

_REFERENCES = (
    ("accounts", "*", "password"),
    ("relays", "*", "username"),
    ("relays", "*", "password"),
    ("spam", "engines", "rspamd", "password"),
    ("tls", "files", "*", "key"),
    ("dns", "providers", "*", "**"),
)
_PATHS = (
    ("storage", "path"),
    ("tls", "files", "*", "certificate"),
    ("tests", "*", "send", "eml"),
    ("accounts", "*", "sieve", "file"),
    ("sieve", "before", "*", "file"),
    ("sieve", "after", "*", "file"),
    ("sieve", "global", "*", "file"),
)


@dataclass(slots=True)
class Reading:
    """What is read so far. contents: file bytes in the order of reading, the main file first; roots: their trees, in
    the words of today; edits: what that changed of each file's text. version: of the main file, for all of them.

    Without a root the main file itself cannot be used, and faults say why.
    """

    main: Path
    contents: dict[Path, bytes] = field(default_factory=dict)
    total_bytes: int = 0
    faults: list[Fault] = field(default_factory=list)
    roots: list[MappingNode] = field(default_factory=list)
    edits: dict[Path, tuple[Edit, ...]] = field(default_factory=dict)
    version: str = VERSION
    patterns: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return self.main.parent


def read_files(main: Path) -> Reading:
    reading = Reading(main)
    _read(reading, main, (), Place(str(main)))
    return reading


def _read(reading: Reading, path: Path, parents: tuple[Path, ...], asked_at: Place) -> None:
    try:
        content = _content(reading, path, asked_at)
        root = compose(content, str(path))
    except SpecInvalid as invalid:
        reading.faults.extend(invalid.faults)
        return
    if not parents:
        reading.version = version_of(root)
    reading.edits[path] = upgrade(root, reading.version)
    included = _take_includes(root, keep=not parents)
    _rebase(root, path.parent, reading.directory)
    reading.roots.append(root)
    for node in included:
        for found in _matches(reading, node, path):
            if found == path or found in parents:
                chain = " → ".join(str(step) for step in (*parents, path, found))
                _fault(reading, node, f"the files include each other: {printable(chain)}")
            elif found not in reading.contents:
                _read(reading, found, (*parents, path), place_of(node))


def _content(reading: Reading, path: Path, asked_at: Place) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        message = f"cannot be read: {reason}" if path == reading.main else f"{path} cannot be read: {reason}"
        raise SpecInvalid([fault_at(asked_at, (), message)]) from None
    reading.contents[path] = content
    reading.total_bytes += len(content)
    if len(reading.contents) > MAX_FILES or reading.total_bytes > MAX_TOTAL_BYTES:
        raise SpecInvalid(
            [fault_at(asked_at, (), f"more than {MAX_FILES} files or {MAX_TOTAL_BYTES >> 20} MiB are included")]
        )
    return content


def _take_includes(root: MappingNode, *, keep: bool) -> tuple[ScalarNode, ...]:
    """The patterns of `include`. Only the main file's stay in the tree; the others' would look like duplicates."""
    patterns: list[ScalarNode] = []
    for key, value in tuple(root.value):
        if isinstance(key, ScalarNode) and key.value == "include" and isinstance(value, SequenceNode):
            patterns += [item for item in value.value if isinstance(item, ScalarNode)]
            if not keep:
                root.value.remove((key, value))
    return tuple(patterns)


def _matches(reading: Reading, node: ScalarNode, path: Path) -> tuple[Path, ...]:
    pattern = str(node.value)
    pure = PurePath(pattern)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in pattern:
        _fault(reading, node, "an include stays below the folder of its file: a relative path, without ..")
        return ()
    reading.patterns.append((path.parent, pattern))
    found = files_matching(path.parent, pattern)
    if any(sign in pattern for sign in "*?["):
        # A pattern such as *.yaml finds the file that it stands in; nobody means that.
        found = [item for item in found if item != path]
    if not found:
        _fault(reading, node, f"no file matches {printable(pattern)}")
    return tuple(found)


def files_matching(folder: Path, pattern: str) -> list[Path]:
    """In the order in which they are read. pattern: relative. None where nothing can match it: `**` beside other
    letters (a ValueError), a name longer than any file's, a folder that may not be read."""
    try:
        return sorted(item for item in folder.glob(pattern) if item.is_file() and not item.name.startswith("."))
    except (OSError, ValueError):
        return []


def _fault(reading: Reading, node: Node, message: str) -> None:
    reading.faults.append(fault_at(place_of(node), ("include",), message))


def _rebase(root: MappingNode, directory: Path, base: Path) -> None:
    """Rewrites what is relative to an included file, so that all of it is relative to the main file."""
    if directory == base:
        return
    prefix = directory.relative_to(base)
    for node in {id(node): node for pattern in _REFERENCES for node in _find(root, pattern, set())}.values():
        if node.value.startswith("file/"):
            node.value = f"file/{prefix / node.value.removeprefix('file/')}"
    for node in {id(node): node for pattern in _PATHS for node in _find(root, pattern, set())}.values():
        if node.value:
            node.value = str(prefix / node.value)


def _find(node: Node, pattern: tuple[str, ...], seen: set[tuple[int, int]]) -> Iterator[ScalarNode]:
    """`*` stands for any one key or index, a closing `**` for anything below. seen: ends where an alias leads back."""
    if isinstance(node, ScalarNode):
        if pattern in ((), ("**",)):
            yield node
        return
    if not pattern or (id(node), len(pattern)) in seen:
        return
    seen.add((id(node), len(pattern)))
    wanted, rest = pattern[0], pattern if pattern == ("**",) else pattern[1:]
    for key, value in _children(node):
        if wanted in ("*", "**", key):
            yield from _find(value, rest, seen)


def _children(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield key.value, value
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield "*", value
