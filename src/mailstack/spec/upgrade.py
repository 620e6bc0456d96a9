"""Older versions of the spec's format: their keys get the names of today in the tree that was read, and in the files.

A version differs from the next one by a list of renamed keys and by nothing else so far. `mailstack/v1alpha1` is the
format of the first previews:

    server.host                 -> server.hostname
    server.limits.max_size      -> server.limits.message_size
    domains.*.separators        -> domains.*.subaddress_separators
    accounts.*.aliases          -> accounts.*.addresses
    accounts.*.abilities        -> accounts.*.can
    relays.*.user               -> relays.*.username
    reconcile.on_save           -> reconcile.on_change
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

VERSION = "mailstack/v1"
VERSION_KEY = "apiVersion"

Pattern = tuple[str, ...]
"""Keys from the root on; `*` stands for any one of them, or an index."""

OLDER: Mapping[str, Mapping[Pattern, str]] = {
    "mailstack/v1alpha1": {
        ("server", "host"): "hostname",
        ("server", "limits", "max_size"): "message_size",
        ("domains", "*", "separators"): "subaddress_separators",
        ("accounts", "*", "aliases"): "addresses",
        ("accounts", "*", "abilities"): "can",
        ("relays", "*", "user"): "username",
        ("reconcile", "on_save"): "on_change",
    },
}
"""By version: what its keys are called now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """In a file's text: the characters from start to end become `text`. old: what stood there, as YAML means it."""

    start: int
    end: int
    line: int
    old: str
    text: str


def version_of(root: MappingNode) -> str:
    """As the main file names it; the version of today where it names none."""
    for key, value in root.value:
        if isinstance(key, ScalarNode) and key.value == VERSION_KEY and isinstance(value, ScalarNode):
            return str(value.value)
    return VERSION


def upgrade(root: MappingNode, version: str) -> tuple[Edit, ...]:
    """Renames the keys of an older version in the tree of one file, and its version; what that means for the text.

    A version that is not known stays as it is, for the models to refuse. Where an old key and its new name both stand,
    they end up as duplicates, which are a fault.
    """
    renames = OLDER.get(version)
    if renames is None:
        return ()
    edits = [_edit(node, new) for node, new in _renamed(root, renames)]
    return tuple(sorted(edits, key=lambda edit: edit.start))


def rewritten(text: str, edits: tuple[Edit, ...]) -> str:
    """Everything between the edits stays as it was, comments and all."""
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _renamed(root: MappingNode, renames: Mapping[Pattern, str]) -> Iterator[tuple[ScalarNode, str]]:
    for key, value in root.value:
        if isinstance(key, ScalarNode) and key.value == VERSION_KEY and isinstance(value, ScalarNode):
            yield value, VERSION
    for pattern, new in renames.items():
        # One node may be found twice, where an alias leads to it.
        found = {id(node): node for node in _keys(root, pattern)}
        yield from ((node, new) for node in found.values())


def _keys(node: Node, pattern: Pattern) -> Iterator[ScalarNode]:
    wanted, rest = pattern[0], pattern[1:]
    if isinstance(node, SequenceNode) and wanted == "*":
        for item in node.value:
            yield from _keys(item, rest)
    if not isinstance(node, MappingNode):
        return
    for key, value in node.value:
        if isinstance(key, ScalarNode) and wanted in ("*", key.value):
            if rest:
                yield from _keys(value, rest)
            else:
                yield key


def _edit(node: ScalarNode, new: str) -> Edit:
    """The node has its new name afterwards."""
    old = str(node.value)
    node.value = new
    start, end = node.start_mark, node.end_mark
    return Edit(start=start.index, end=end.index, line=start.line + 1, old=old, text=new)
