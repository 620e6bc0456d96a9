"""The merged tree of all files of a spec: its values, and where each of them stands.

Places are looked up only when there is a fault to show, so a sound spec pays nothing for them.
"""

from collections.abc import Sequence

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mailstack.spec.faults import Fault, Path, Place, fault_at
from mailstack.spec.yaml_text import place_of
from mailstack.spec.yaml_values import Value, ValueBuilder

MERGED_SECTIONS = frozenset({("dns", "providers"), ("dns", "zones"), ("defaults", "account")})
"""Below the sections themselves, whose entries may always come from several files."""
MERGED_LISTS = frozenset({("tests",)})
"""Lists whose entries may come from several files, in the order of these."""


class Document:
    """values: the tree as plain Python; faults: what was wrong with the YAML itself."""

    def __init__(self, root: MappingNode) -> None:
        self.root = root
        builder = ValueBuilder()
        self.values: dict[str, Value] = builder.mapping(root)
        self.faults = builder.faults
        self._indexes: dict[int, dict[str, tuple[Node, Node]]] = {}

    def fault(self, path: Path, message: str, *, at_key: bool = False) -> Fault:
        return fault_at(self.place(path, at_key=at_key), path, message)

    def place(self, path: Path, *, at_key: bool = False) -> Place:
        """The value's first character, or its key's. Where the path leaves the tree: the nearest thing above."""
        node: Node = self.root
        found = place_of(self.root)
        for depth, part in enumerate(path):
            pair = self._step(node, part)
            if pair is None:
                return found
            key_node, node = pair
            is_last = depth == len(path) - 1
            found = place_of(key_node if not is_last or at_key or _is_nothing(node) else node)
        return found

    def written(self, path: Path) -> Path:
        """A path of the models without the indexes of entries that stand alone where a list of them might."""
        node: Node | None = self.root
        found: list[str | int] = []
        for part in path:
            if isinstance(node, MappingNode) and isinstance(part, int):
                continue
            found.append(part)
            pair = None if node is None else self._step(node, part)
            node = None if pair is None else pair[1]
        return tuple(found)

    def says(self, path: Path) -> bool:
        """Whether the path is written there, whatever its value."""
        node: Node = self.root
        for part in path:
            pair = self._step(node, part)
            if pair is None:
                return False
            _, node = pair
        return True

    def _step(self, node: Node, part: str | int) -> tuple[Node, Node] | None:
        if isinstance(node, MappingNode) and isinstance(part, str):
            return self._index(node).get(part)
        if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            return node.value[part], node.value[part]
        return None

    def _index(self, node: MappingNode) -> dict[str, tuple[Node, Node]]:
        """The first of duplicate keys counts, as in the values."""
        index = self._indexes.get(id(node))
        if index is None:
            index = {key.value: (key, value) for key, value in reversed(node.value) if isinstance(key, ScalarNode)}
            self._indexes[id(node)] = index
        return index


def merge(roots: Sequence[MappingNode], path: tuple[str, ...] = ()) -> MappingNode:
    """One tree of the trees of several files. What two files both say stays twice: the values' builder calls it a
    duplicate."""
    if len(roots) == 1:
        return roots[0]
    pairs: list[tuple[Node, Node]] = []
    sections: dict[str, list[Node]] = {}
    slots: dict[str, int] = {}
    for root in roots:
        own: set[str] = set()
        for key, value in root.value:
            name = key.value if isinstance(key, ScalarNode) else None
            if name is None or name in own or not _is_merged(value, (*path, name)):
                pairs.append((key, value))
                continue
            own.add(name)
            if name not in slots:
                slots[name] = len(pairs)
                pairs.append((key, value))
            elif type(value) is not type(sections[name][0]):
                pairs.append((key, value))
                continue
            sections.setdefault(name, []).append(value)
    for name, parts in sections.items():
        pairs[slots[name]] = (pairs[slots[name]][0], _joined(parts, (*path, name)))
    return MappingNode(roots[0].tag, pairs, roots[0].start_mark, roots[0].end_mark)


def _is_merged(value: Node, path: tuple[str, ...]) -> bool:
    if isinstance(value, SequenceNode):
        return path in MERGED_LISTS
    return isinstance(value, MappingNode) and (len(path) == 1 or path in MERGED_SECTIONS)


def _joined(parts: Sequence[Node], path: tuple[str, ...]) -> Node:
    """parts: all lists, or all mappings."""
    first = parts[0]
    if isinstance(first, SequenceNode):
        entries = [entry for part in parts if isinstance(part, SequenceNode) for entry in part.value]
        return SequenceNode(first.tag, entries, first.start_mark, first.end_mark)
    return merge([part for part in parts if isinstance(part, MappingNode)], path)


def _is_nothing(node: Node) -> bool:
    """`hostname:` with nothing behind it; libyaml puts that at the end of the line, or at the next one's start."""
    return isinstance(node, ScalarNode) and node.value == "" and node.start_mark.index == node.end_mark.index
