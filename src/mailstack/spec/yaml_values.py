"""From YAML nodes to plain values, by the core schema of YAML 1.2.2 §10.3.2: true is a boolean, yes and no are texts,
017 is seventeen, 12:30 is a text. Duplicate keys, tags and merge keys are faults; aliases are expanded within bounds.
"""

import re

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mailstack.spec.faults import Fault, Path, Place, fault_at, printable
from mailstack.spec.yaml_text import PLAIN, QUOTED, place_of

Value = None | bool | int | float | str | tuple["Value", ...] | dict[str, "Value"]

MAX_VALUES_BY_ALIAS = 100_000
MAX_NUMBER_LENGTH = 40

_STRING_TAGS = frozenset({QUOTED, "tag:yaml.org,2002:str"})
_COLLECTION_TAGS = frozenset({"", "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WORD_STARTS = frozenset("~nNtTfF")
_NUMBER_STARTS = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


class ValueBuilder:
    """One walk over one tree. faults: what it found on the way; a value with a fault is left out."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._path: list[str | int] = []
        self._open: set[int] = set()
        self._seen: set[int] = set()
        self._by_alias = 0
        self._is_bomb = False

    def mapping(self, node: MappingNode) -> dict[str, Value]:
        if not self._enter(node):
            return {}
        values: dict[str, Value] = {}
        first: dict[str, ScalarNode] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            self._path.append(key)
            if key in first:
                self._fault(place_of(key_node), f"duplicate key (first at {place_of(first[key])})")
            else:
                first[key] = key_node
                values[key] = self._value(value_node)
            self._path.pop()
        self._open.discard(id(node))
        return values

    def _value(self, node: Node) -> Value:
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if isinstance(node, MappingNode):
            return self.mapping(node)
        return self._sequence(node) if isinstance(node, SequenceNode) else None

    def _sequence(self, node: SequenceNode) -> tuple[Value, ...]:
        if not self._enter(node):
            return ()
        values: list[Value] = []
        for index, item in enumerate(node.value):
            self._path.append(index)
            values.append(self._value(item))
            self._path.pop()
        self._open.discard(id(node))
        return tuple(values)

    def _scalar(self, node: ScalarNode) -> Value:
        tag, text = node.tag, node.value
        if tag == PLAIN:
            start = text[:1]
            if start in _NUMBER_STARTS:
                return self._number(node, text)
            return _WORDS.get(text, text) if not start or start in _WORD_STARTS else text
        if tag not in _STRING_TAGS:
            self._fault(place_of(node), f"the tag {printable(tag)} is not supported (leave it out)")
        return str(text)

    def _number(self, node: ScalarNode, text: str) -> Value:
        if len(text) > MAX_NUMBER_LENGTH:
            if _DECIMAL.fullmatch(text) or _OTHER_BASE.fullmatch(text) or _FLOAT.fullmatch(text):
                self._fault(place_of(node), f"a number has at most {MAX_NUMBER_LENGTH} characters")
            return text
        if _DECIMAL.fullmatch(text):
            return int(text)
        if _OTHER_BASE.fullmatch(text):
            return int(text[2:], 8 if text[1] == "o" else 16)
        if _FLOAT.fullmatch(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return text

    def _key(self, node: Node) -> str | None:
        if not isinstance(node, ScalarNode) or not isinstance(self._scalar(node), str):
            found = printable(node.value) if isinstance(node, ScalarNode) else "a collection"
            self._fault(place_of(node), f"a key must be text, and {found or 'nothing'} is none (put it in quotes)")
            return None
        if node.value == "<<" and node.tag == PLAIN:
            self._fault(place_of(node), "merge keys (<<) are not part of YAML 1.2 (use defaults)")
            return None
        return str(node.value)

    def _enter(self, node: MappingNode | SequenceNode) -> bool:
        """False for what must not be expanded: an alias inside what it stands for, or one too many."""
        if id(node) in self._open:
            self._fault(place_of(node), "an alias inside its own anchor never ends")
            return False
        if node.tag not in _COLLECTION_TAGS:
            self._fault(place_of(node), f"the tag {printable(node.tag)} is not supported (leave it out)")
        if id(node) in self._seen:
            self._by_alias += len(node.value) + 1
            if self._by_alias > MAX_VALUES_BY_ALIAS:
                return self._refuse_expansion(node)
        self._seen.add(id(node))
        self._open.add(id(node))
        return True

    def _refuse_expansion(self, node: Node) -> bool:
        if not self._is_bomb:
            self._fault(place_of(node), f"aliases expand to more than {MAX_VALUES_BY_ALIAS} values")
        self._is_bomb = True
        return False

    def _fault(self, place: Place, message: str) -> None:
        path: Path = tuple(self._path)
        self.faults.append(fault_at(place, path, message))
