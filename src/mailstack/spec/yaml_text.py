"""From bytes to YAML nodes: libyaml's composer, bounded in depth, with faults in place of its exceptions.

Scalars keep their text; what they mean is yaml_values' matter. YAML 1.2.2.
"""

import io
import re

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from mailstack.spec.faults import Fault, Place, SpecInvalid, fault_at

MAX_FILE_BYTES = 16 << 20
MAX_DEPTH = 32

PLAIN = "plain"
"""Tag of a scalar without quotes and without a tag of its own: its text decides what it is."""
QUOTED = "quoted"

# YAML 1.2.2 §5.1: c-printable.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")
_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_HINTS = {
    "did not find expected key": " (is a line indented wrongly?)",
    "mapping values are not allowed in this context": " (is a line indented wrongly, or a text with a colon unquoted?)",
    "found unexpected end of stream": " (is a quote never closed?)",
    "found undefined alias": " (a text that starts with * needs quotes)",
}


def compose(content: bytes, file: str) -> MappingNode:
    """The root mapping of the only document. file: how places name it. Raises SpecInvalid."""
    _check_text(content, file)
    loader = _Loader(_NamedBytes(content, file))
    try:
        node = loader.get_single_node()
    except _TooDeep as fault:
        raise _invalid(Place(file, *fault.at), f"nested more than {MAX_DEPTH} levels deep") from None
    except yaml.MarkedYAMLError as fault:
        raise SpecInvalid([_syntax_fault(fault, content, file)]) from None
    except yaml.YAMLError as fault:
        raise _invalid(Place(file), f"not valid YAML: {' '.join(str(fault).split())}") from None
    finally:
        loader.dispose()
    if node is None:
        raise _invalid(Place(file), "the file is empty")
    if not isinstance(node, MappingNode):
        raise _invalid(place_of(node), "a spec is a mapping of sections (key: value)")
    return node


def place_of(node: Node) -> Place:
    mark = node.start_mark
    return Place(mark.name, mark.line + 1, mark.column + 1)


class _NamedBytes(io.BytesIO):
    """libyaml's binding takes the name in its marks from the stream."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


class _TooDeep(Exception):
    def __init__(self, at: tuple[int, int]) -> None:
        super().__init__()
        self.at = at


class _Loader(yaml.CSafeLoader):
    """Resolves nothing: PyYAML's resolver speaks YAML 1.1 (`no` is False there) and takes most of the time."""

    def __init__(self, stream: _NamedBytes) -> None:
        super().__init__(stream)
        self._depth = 0

    def descend_resolver(self, current_node: Node | None, current_index: object) -> None:  # noqa: ARG002  PyYAML's hook
        self._depth += 1
        if self._depth > MAX_DEPTH and current_node is not None:
            raise _TooDeep((current_node.start_mark.line + 1, current_node.start_mark.column + 1))

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, kind: type[Node], value: object, implicit: object) -> str:  # noqa: ARG002  PyYAML's hook
        if kind is ScalarNode and isinstance(implicit, tuple):
            return PLAIN if implicit[0] else QUOTED
        return ""


def _check_text(content: bytes, file: str) -> None:
    if len(content) > MAX_FILE_BYTES:
        raise _invalid(Place(file), f"the file is over {MAX_FILE_BYTES >> 20} MiB; split it with include")
    if content.startswith(_BOMS):
        raise _invalid(Place(file, 1, 1), "the file starts with a byte order mark (plain UTF-8 has none)")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as fault:
        before = content[: fault.start].decode("utf-8")
        raise _invalid(_place_after(before, file), f"not UTF-8: byte 0x{content[fault.start]:02x}") from None
    found = _UNPRINTABLE.search(text)
    if found:
        place = _place_after(text[: found.start()], file)
        raise _invalid(place, f"the control character U+{ord(found[0]):04X} is not allowed")


def _place_after(text: str, file: str) -> Place:
    return Place(file, text.count("\n") + 1, len(text) - text.rfind("\n"))


def _syntax_fault(fault: yaml.MarkedYAMLError, content: bytes, file: str) -> Fault:
    mark = fault.problem_mark or fault.context_mark
    if mark is None:
        return fault_at(Place(file), (), f"not valid YAML: {fault.problem}")
    place = Place(file, mark.line + 1, mark.column + 1)
    if fault.problem == "but found another document":
        return fault_at(place, (), "a second document starts here (one file, one document; use include)")
    line = content.decode("utf-8").splitlines()[mark.line : mark.line + 1]
    if line and line[0][mark.column : mark.column + 1] == "\t":
        return fault_at(place, (), "a tab cannot indent YAML (use spaces)")
    return fault_at(place, (), f"not valid YAML: {fault.problem}{_begun(fault)}{_HINTS.get(fault.problem or '', '')}")


def _begun(fault: yaml.MarkedYAMLError) -> str:
    start = fault.context_mark
    if start is None or not fault.context:
        return ""
    return f" {fault.context} begun in line {start.line + 1}, column {start.column + 1}"


def _invalid(place: Place, message: str) -> SpecInvalid:
    return SpecInvalid([fault_at(place, (), message)])
