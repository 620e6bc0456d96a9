"""What a value or an entry of a spec looks like as text, and where one ends in a text that people keep. Pure."""

import json
import re
from collections.abc import Mapping, Sequence

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

Entry = str | int | float | bool | None | Sequence["Entry"] | Mapping[str, "Entry"]
"""Of a section; a mapping of one level is written in one line."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*|[1-9][0-9]*(?:B|KiB|MiB|GiB|TiB|[smhdw])")
_MEANT_OTHERWISE = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def sections_text(sections: Mapping[str, Mapping[str, Entry]]) -> str:
    """A file of its own."""
    return "\n".join(section_text(section, entries) for section, entries in sections.items() if entries)


def pair_of(root: MappingNode, section: str) -> tuple[Node, Node] | None:
    return next((pair for pair in root.value if isinstance(pair[0], ScalarNode) and pair[0].value == section), None)


def in_braces(text: str, value: MappingNode, entries: Mapping[str, Entry]) -> str:
    written = ", ".join(f"{scalar(name)}: {flow(entry)}" for name, entry in entries.items())
    end = value.end_mark.index - 1
    if not value.value:
        return f"{text[: value.start_mark.index + 1]}{written}{text[end:]}"
    last = end_of(value.value[-1][1]) or value.value[-1][0].end_mark.index
    return f"{text[:last]}, {written}{text[last:]}"


def end_of(node: Node) -> int:
    """Where the text of a value ends; a block's own end is where the next thing begins, behind comments."""
    end: int = node.end_mark.index
    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        return end
    item = node.value[-1]
    if isinstance(node, SequenceNode):
        return end_of(item)
    key, value = item
    end = key.end_mark.index
    return end if is_empty(value) else end_of(value)


def is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.start_mark.index == node.end_mark.index


def line_end(text: str, place: int) -> int:
    end = text.find("\n", max(place - 1, 0))
    return len(text) if end < 0 else end + 1


def ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def section_text(section: str, entries: Mapping[str, Entry]) -> str:
    return f"{section}:\n{lines_of(entries, 2)}"


def lines_of(entries: Mapping[str, Entry], indent: int) -> str:
    return "".join(f"{' ' * indent}{scalar(name)}: {flow(entry)}\n" for name, entry in entries.items())


def flow(entry: Entry) -> str:
    """YAML on one line."""
    if isinstance(entry, Mapping):
        return f"{{{', '.join(f'{scalar(key)}: {flow(value)}' for key, value in entry.items())}}}"
    if entry is None or isinstance(entry, bool):
        return "null" if entry is None else str(entry).lower()
    if isinstance(entry, int | float):
        return f"{entry:g}" if isinstance(entry, float) else str(entry)
    if isinstance(entry, str):
        return scalar(entry)
    return f"[{', '.join(map(flow, entry))}]"


def scalar(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _MEANT_OTHERWISE
    # JSON's strings are YAML's in double quotes (YAML 1.2.2 §1.2).
    return text if is_plain else json.dumps(text, ensure_ascii=False)
