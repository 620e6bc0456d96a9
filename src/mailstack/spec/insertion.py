"""New entries in a spec's text, at the end of their sections; every other character stays as it was. Pure.

For a program that adds to a file which people keep: their comments, order and style are theirs.
"""

import json
import re
from collections.abc import Mapping, Sequence

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from mailstack.model.errors import Unsupported
from mailstack.spec.yaml_text import compose

Entry = str | int | float | None | Sequence["Entry"] | Mapping[str, "Entry"]
"""Of a section; a mapping of one level is written in one line."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@+-]*|[1-9][0-9]*(?:B|KiB|MiB|GiB|TiB|s)")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_MEANT_OTHERWISE = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def with_entries(text: str, sections: Mapping[str, Mapping[str, Entry]], file: str) -> str:
    """Sections that are not there come last. file: as faults name it. Raises SpecInvalid for a text that is no YAML."""
    for section, entries in sections.items():
        if entries:
            text = _with_section(text, section, entries, file)
    return text


def with_value(text: str, path: Sequence[str], entry: Entry, file: str) -> str:
    """With that value in place of what stands there, or as the last of its mapping, which must be there. path: as it is
    written. Raises SpecInvalid as above, Unsupported where more hangs on the place than its own value."""
    node: Node = compose(text.encode("utf-8"), file)
    key: Node | None = None
    for name in path[:-1]:
        key, node = _required(text, node, name)
    if isinstance(node, MappingNode) and (found := _pair(node, path[-1])) is not None:
        _require_unshared(text, *found)
        return _replaced(text, *found, entry)
    if isinstance(node, MappingNode) and node.flow_style:
        return _in_braces(text, node, {path[-1]: entry})
    if isinstance(node, MappingNode) and node.value:
        place = _line_end(text, _last(node))
        return _ended(text[:place]) + _lines({path[-1]: entry}, node.value[0][0].start_mark.column) + text[place:]
    if key is None or not _is_empty(node):
        raise Unsupported(f"{path[-2]} is written in a way that only a person can change")
    place = _line_end(text, key.end_mark.index)
    return _ended(text[:place]) + _lines({path[-1]: entry}, key.start_mark.column + 2) + text[place:]


def _required(text: str, node: Node, name: str) -> tuple[Node, Node]:
    found = _pair(node, name) if isinstance(node, MappingNode) else None
    if found is None:
        raise Unsupported(f"{name} does not stand there by itself")
    _require_unshared(text, *found)
    return found


def _require_unshared(text: str, key: Node, value: Node) -> None:
    start, end = key.end_mark.index, value.start_mark.index
    # Anchors, aliases and tags stand between the two; what an alias means stands somewhere else.
    before = _COMMENT.sub("", text[start : end + 1])
    if end < start or (not _is_empty(value) and re.search(r"[&*!]", before)):
        raise Unsupported(f"{key.value} has a value that other places of the spec may share")


def _replaced(text: str, key: Node, value: Node, entry: Entry) -> str:
    """Comments within the former value go with it; those behind it stay."""
    start, end = key.end_mark.index, _last(value)
    if _is_empty(value):
        start = end = text.index(":", start)
        end += 1
    return f"{text[:start]}: {flow(entry)}{text[end:]}"


def sections_text(sections: Mapping[str, Mapping[str, Entry]]) -> str:
    """A file of its own."""
    return "\n".join(_block(section, entries) for section, entries in sections.items() if entries)


def _with_section(text: str, section: str, entries: Mapping[str, Entry], file: str) -> str:
    found = _pair(compose(text.encode("utf-8"), file), section) if text.strip() else None
    if found is None:
        return f"{_ended(text)}\n{_block(section, entries)}"
    key, value = found
    if isinstance(value, MappingNode) and value.flow_style:
        return _in_braces(text, value, entries)
    if isinstance(value, MappingNode) and value.value:
        indent = value.value[0][0].start_mark.column
        place = _line_end(text, _last(value))
        return _ended(text[:place]) + _lines(entries, indent) + text[place:]
    if isinstance(value, ScalarNode) and value.value == "":
        place = _line_end(text, key.end_mark.index)
        return _ended(text[:place]) + _lines(entries, key.start_mark.column + 2) + text[place:]
    # Neither a mapping nor nothing: the spec has a fault there, which is for the reader to mend.
    return text


def _pair(root: MappingNode, section: str) -> tuple[Node, Node] | None:
    return next((pair for pair in root.value if isinstance(pair[0], ScalarNode) and pair[0].value == section), None)


def _in_braces(text: str, value: MappingNode, entries: Mapping[str, Entry]) -> str:
    written = ", ".join(f"{_scalar(name)}: {flow(entry)}" for name, entry in entries.items())
    end = value.end_mark.index - 1
    if not value.value:
        return f"{text[: value.start_mark.index + 1]}{written}{text[end:]}"
    last = _last(value.value[-1][1]) or value.value[-1][0].end_mark.index
    return f"{text[:last]}, {written}{text[last:]}"


def _last(node: Node) -> int:
    """Where the text of a value ends; a block's own end is where the next thing begins, behind comments."""
    end: int = node.end_mark.index
    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        return end
    item = node.value[-1]
    if isinstance(node, SequenceNode):
        return _last(item)
    key, value = item
    end = key.end_mark.index
    return end if _is_empty(value) else _last(value)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.start_mark.index == node.end_mark.index


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", max(place - 1, 0))
    return len(text) if end < 0 else end + 1


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _block(section: str, entries: Mapping[str, Entry]) -> str:
    return f"{section}:\n{_lines(entries, 2)}"


def _lines(entries: Mapping[str, Entry], indent: int) -> str:
    return "".join(f"{' ' * indent}{_scalar(name)}: {flow(entry)}\n" for name, entry in entries.items())


def flow(entry: Entry) -> str:
    """YAML on one line."""
    if isinstance(entry, Mapping):
        return f"{{{', '.join(f'{_scalar(key)}: {flow(value)}' for key, value in entry.items())}}}"
    if entry is None or isinstance(entry, int | float):
        return "null" if entry is None else f"{entry:g}" if isinstance(entry, float) else str(entry)
    if isinstance(entry, str):
        return _scalar(entry)
    return f"[{', '.join(map(flow, entry))}]"


def _scalar(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _MEANT_OTHERWISE
    # JSON's strings are YAML's in double quotes (YAML 1.2.2 §1.2).
    return text if is_plain else json.dumps(text, ensure_ascii=False)
