"""Values of a spec's text changed, added or taken out; every other character stays as it was. Pure.

Places come from the YAML parser and texts are cut there, so that comments, order and style are kept. What came of it is
read again: if it means anything else than what was asked for, it is left to people.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mailstack.model.errors import Unsupported
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.insertion import (
    Entry,
    end_of,
    ended,
    flow,
    in_braces,
    is_empty,
    line_end,
    lines_of,
    pair_of,
    scalar,
    section_text,
)
from mailstack.spec.yaml_text import compose
from mailstack.spec.yaml_values import Value, ValueBuilder

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_COMMENT_LINE = re.compile(r"( *)#.*\n?")
Cut = tuple[int, int, str]
"""The characters from the first to the second become the text."""


class _Missing(Enum):
    MISSING = "nothing is said"


_MISSING = _Missing.MISSING


def with_value(text: str, path: Sequence[str], entry: Entry, file: str) -> str:
    """With that value in place of what stands there, or as the last of its mapping, which is made where it is missing.
    path: as it is written. Raises SpecInvalid for a text that is no YAML, Unsupported where more hangs on the place
    than its own value."""
    root = compose(text.encode("utf-8"), file)
    values = _values(root)
    entry = _in_order(_at(values, path), entry)
    return _as_meant(_set(text, root, path, entry), _with(values, path, _plain(entry)), file)


def with_entries(text: str, sections: Mapping[str, Mapping[str, Entry]], file: str) -> str:
    """With new ones at the end of their sections; those that are not there come last. As with_value."""
    for section, entries in sections.items():
        if entries:
            text = _with_section(text, section, entries, file)
    return text


def without(text: str, path: Sequence[str], file: str) -> str:
    """With nothing there; the mapping that it stands in stays, if only as {}. As with_value."""
    root = compose(text.encode("utf-8"), file)
    values = _values(root)
    if _at(values, path) is _MISSING:
        return text
    return _as_meant(_taken_out(text, root, path), _with(values, path, None, is_gone=True), file)


def _set(text: str, root: MappingNode, path: Sequence[str], entry: Entry) -> str:
    node: Node = root
    key: Node | None = None
    for depth, name in enumerate(path):
        found = pair_of(node, name) if isinstance(node, MappingNode) else None
        if found is None:
            return _inserted(text, key, node, {name: _nested(path[depth + 1 :], entry)})
        _require_unshared(text, *found)
        key, node = found
    return _replaced(text, key, node, entry) if key is not None else text


def _with_section(text: str, section: str, entries: Mapping[str, Entry], file: str) -> str:
    root = compose(text.encode("utf-8"), file)
    values, found = _values(root), pair_of(root, section)
    if found is None:
        new = _inserted(text, None, root, {section: entries})
    else:
        _require_unshared(text, *found)
        new = _inserted(text, *found, entries)
    former = values.get(section)
    added = {name: _plain(entry) for name, entry in entries.items()}
    return _as_meant(new, {**values, section: {**(former if isinstance(former, dict) else {}), **added}}, file)


def _nested(path: Sequence[str], entry: Entry) -> Entry:
    for name in reversed(path):
        entry = {name: entry}
    return entry


def _inserted(text: str, key: Node | None, node: Node, entries: Mapping[str, Entry]) -> str:
    """key, node: the mapping that gets new last entries; without a key it is the whole file."""
    if isinstance(node, MappingNode) and node.flow_style:
        return in_braces(text, node, entries)
    if key is None:
        sections = {name: entry if isinstance(entry, Mapping) else {} for name, entry in entries.items()}
        return ended(text) + "".join(f"\n{section_text(name, entry)}" for name, entry in sections.items())
    if isinstance(node, MappingNode) and node.value:
        place = line_end(text, _end(text, node))
        lines = "".join(_like(node.value[-1], name, entry) for name, entry in entries.items())
        return ended(text[:place]) + lines + text[place:]
    if not is_empty(node):
        raise Unsupported(f"{_name(key)} is written in a way that only a person can change")
    place = line_end(text, key.end_mark.index)
    if ":" not in text[key.end_mark.index : place] or _COMMENT.sub("", text[key.end_mark.index : place]).strip() != ":":
        return _replaced(text, key, node, entries)
    return ended(text[:place]) + lines_of(entries, key.start_mark.column + 2) + text[place:]


def _like(neighbour: tuple[Node, Node], name: str, entry: Entry) -> str:
    """Lines as the neighbour has them: a mapping below its key where that has one."""
    key, value = neighbour
    indent = key.start_mark.column
    if isinstance(entry, Mapping) and entry and isinstance(value, MappingNode) and not value.flow_style and value.value:
        return f"{' ' * indent}{scalar(name)}:\n{lines_of(entry, value.value[0][0].start_mark.column)}"
    return lines_of({name: entry}, indent)


def _replaced(text: str, key: Node, value: Node, entry: Entry) -> str:
    """Comments within the former value go with it, but for those of items that stay; those behind it stay."""
    if isinstance(value, MappingNode) and value.value and not isinstance(entry, Mapping):
        raise Unsupported(f"{_name(key)} is written in a way that only a person can change")
    start, end = key.end_mark.index, _end(text, value)
    if is_empty(value):
        colon = re.compile(r"\s*:").match(text, start)
        if colon is None:
            raise Unsupported(f"{_name(key)} is written in a way that only a person can change")
        end = colon.end()
    elif (items := _texts(value)) and (wanted := _listed(entry)):
        return _cut(text, _items(text, value, items, wanted))
    return f"{text[:start]}: {flow(entry)}{text[end:]}"


def _texts(value: Node) -> list[ScalarNode]:
    """The items of a list of texts; none of anything else."""
    items = value.value if isinstance(value, SequenceNode) else []
    return items if all(isinstance(item, ScalarNode) for item in items) else []


def _listed(entry: Entry) -> list[str]:
    if isinstance(entry, str) or not isinstance(entry, Sequence):
        return []
    return [item for item in entry if isinstance(item, str)]


def _items(text: str, value: Node, items: Sequence[ScalarNode], wanted: Sequence[str]) -> Iterator[Cut]:
    """Those that stay keep their order and lines; new ones come last."""
    new = [text for text in wanted if text not in {item.value for item in items}]
    kept = [item for item in items if item.value in wanted]
    if isinstance(value, SequenceNode) and not value.flow_style:
        yield from _lines_cut(text, items, kept, new)
    elif not kept:
        yield items[0].start_mark.index, items[-1].end_mark.index, ", ".join(map(scalar, new))
    else:
        yield from _flow_cut(items, kept, new)


def _lines_cut(text: str, items: Sequence[ScalarNode], kept: Sequence[ScalarNode], new: Sequence[str]) -> Iterator[Cut]:
    for item in items:
        if item not in kept:
            yield _line_start(text, item.start_mark.index), line_end(text, _end(text, item)), ""
    start, place = _line_start(text, items[-1].start_mark.index), line_end(text, _end(text, items[-1]))
    begun = text[start : items[-1].start_mark.index]
    line = "" if text[:place].endswith("\n") or not new else "\n"
    yield place, place, line + "".join(f"{begun}{scalar(item)}\n" for item in new)


def _flow_cut(items: Sequence[ScalarNode], kept: Sequence[ScalarNode], new: Sequence[str]) -> Iterator[Cut]:
    first = items.index(kept[0])
    for at, item in enumerate(items):
        if item in kept:
            continue
        if at < first:
            yield item.start_mark.index, items[at + 1].start_mark.index, ""
        else:
            yield items[at - 1].end_mark.index, item.end_mark.index, ""
    place = kept[-1].end_mark.index
    yield place, place, "".join(f", {scalar(item)}" for item in new)


def _taken_out(text: str, root: MappingNode, path: Sequence[str]) -> str:
    key: Node | None = None
    node: Node = root
    parents: list[tuple[Node | None, Node]] = []
    for name in path:
        found = pair_of(node, name) if isinstance(node, MappingNode) else None
        if found is None:
            raise Unsupported(f"{name} does not stand there by itself")
        _require_unshared(text, *found)
        parents.append((key, node))
        key, node = found
    parent_key, parent = parents[-1]
    if not isinstance(parent, MappingNode) or key is None:
        raise Unsupported(f"{path[-1]} does not stand there by itself")
    if parent.flow_style:
        return _cut(text, [_out_of_braces(text, parent, key)])
    start, end = _line_start(text, key.start_mark.index), line_end(text, _end_of_pair(text, key, node))
    end = _past_comments(text, end, key.start_mark.column)
    cut = [(start, end, "")]
    if len(parent.value) == 1 and parent_key is not None:
        colon = text.index(":", parent_key.end_mark.index) + 1
        cut.append((colon, colon, " {}"))
    return _cut(text, cut)


def _out_of_braces(text: str, parent: MappingNode, key: Node) -> Cut:
    at = next(at for at, (found, _) in enumerate(parent.value) if found is key)
    if at:
        return _end_of_pair(text, *parent.value[at - 1]), _end_of_pair(text, *parent.value[at]), ""
    if len(parent.value) > 1:
        return key.start_mark.index, parent.value[1][0].start_mark.index, ""
    return parent.start_mark.index, parent.end_mark.index, "{}"


def _past_comments(text: str, place: int, column: int) -> int:
    """Comments right below an entry that are indented further than its key are about it."""
    while (found := _COMMENT_LINE.match(text, place)) and len(found[1]) > column:
        place = found.end()
    return place


def _end_of_pair(text: str, key: Node, value: Node) -> int:
    if not is_empty(value):
        return _end(text, value)
    colon = re.compile(r"\s*:").match(text, key.end_mark.index)
    return colon.end() if colon else int(key.end_mark.index)


def _end(text: str, node: Node) -> int:
    """A block of text (`|`, `>`) ends where the next thing begins."""
    end = end_of(node)
    return len(text[:end].rstrip()) if text[end - 1 : end].isspace() else end


def _line_start(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


def _cut(text: str, cuts: Iterator[Cut] | Sequence[Cut]) -> str:
    for start, end, new in sorted(cuts, key=lambda cut: cut[:2], reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _require_unshared(text: str, key: Node, value: Node) -> None:
    start, end = key.end_mark.index, value.start_mark.index
    # Anchors, aliases and tags stand between the two; what an alias means stands somewhere else.
    before = _COMMENT.sub("", text[start : end + 1])
    if end < start or (not is_empty(value) and re.search(r"[&*!]", before)):
        raise Unsupported(f"{_name(key)} has a value that other places of the spec may share")


def _name(key: Node) -> str:
    return str(key.value)


def _as_meant(text: str, wanted: Value, file: str) -> str:
    try:
        found = _values(compose(text.encode("utf-8"), file))
    except SpecInvalid:
        found = None
    if found != wanted:
        raise Unsupported("it is written in a way that only a person can change")
    return text


def _values(root: MappingNode) -> dict[str, Value]:
    builder = ValueBuilder()
    values = builder.mapping(root)
    if builder.faults:
        raise SpecInvalid(builder.faults)
    return values


def _plain(entry: Entry) -> Value:
    if isinstance(entry, Mapping):
        return {key: _plain(value) for key, value in entry.items()}
    if isinstance(entry, str) or not isinstance(entry, Sequence):
        return entry
    return tuple(map(_plain, entry))


def _at(values: Value, path: Sequence[str]) -> Value | _Missing:
    for name in path:
        if not isinstance(values, dict) or name not in values:
            return _MISSING
        values = values[name]
    return values


def _in_order(former: Value | _Missing, entry: Entry) -> Entry:
    """Of a list, what stays is where it was."""
    wanted = _listed(entry)
    if not wanted or not isinstance(former, tuple):
        return entry
    kept = [item for item in former if isinstance(item, str) and item in wanted]
    return [*kept, *(item for item in dict.fromkeys(wanted) if item not in kept)]


def _with(values: Value, path: Sequence[str], value: Value, *, is_gone: bool = False) -> Value:
    """A copy with that value at the path, or nothing there."""
    if not path:
        return value
    found = dict(values) if isinstance(values, dict) else {}
    name, *rest = path
    if is_gone and not rest:
        return {key: other for key, other in found.items() if key != name}
    return {**found, name: _with(found.get(name), rest, value, is_gone=is_gone)}
