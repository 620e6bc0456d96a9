"""What a command or test was given, held against its signature. RFC 5228 §2.6."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from mailstack.sieve.faults import Misplaced, nearest
from mailstack.sieve.language import Fields, Kind, Parameter, Signature, TagSpec, Tests
from mailstack.sieve.message import Occurrence
from mailstack.sieve.run import Run
from mailstack.sieve.syntax import Argument, Command, Number, Strings, Tag, Test
from mailstack.sieve.text import Text, Texts, texts

Strung = Callable[[str, int], Text]
"""What a string of the script is, at its offset: with variables, or without. Raises Misplaced."""
_ORDER_OF_NARROWING = ("mime", "anychild", "index", "last", "mime option")
"""Groups of tags: first which headers, then which of their fields, then what of these."""
_NOTHING = Text("")


@dataclass(frozen=True, slots=True)
class Arguments:
    """numbers, strings: by the names of the parameters, and of the tags that have a value. tags: those given, and
    where. specs: of all tags that might be."""

    node: Command | Test
    numbers: Mapping[str, int]
    strings: Mapping[str, Texts]
    tags: Mapping[str, int]
    specs: Mapping[str, TagSpec]

    @property
    def at(self) -> int:
        return self.node.at

    @property
    def block(self) -> tuple[Command, ...]:
        """Of a command whose signature has one."""
        return (self.node.block if isinstance(self.node, Command) else None) or ()

    def has(self, name: str) -> bool:
        return name in self.strings or name in self.tags or name in self.numbers

    def one_of(self, group: str) -> str:
        """The tag of that group that was given, "" for none."""
        return next((name for name in self.tags if self.specs[name].exclusive == group), "")

    def number(self, name: str) -> int:
        return self.numbers[name]

    def texts(self, name: str) -> Texts:
        return self.strings[name]

    def text(self, name: str) -> Text:
        return self.strings[name].items[0]

    def optional(self, name: str) -> Text:
        """ "" where it was not given."""
        return self.text(name) if self.has(name) else _NOTHING

    def constant(self, name: str) -> str:
        """Of a parameter or tag of Kind.CONSTANT."""
        return self.text(name).constant or ""

    def constants(self, name: str, why: str) -> tuple[str, ...]:
        """Raises Misplaced where variables are in it."""
        found = self.texts(name)
        if found.constants is None:
            raise Misplaced(found.at, f"{why} must be known beforehand, and variables are not")
        return found.constants

    def place(self, name: str) -> int:
        return self.strings[name].at if name in self.strings else self.tags.get(name, self.at)

    def fields(self) -> Fields:
        """Which fields the test looks at: all of the message, or what its tags make of them."""
        fields: Fields = _all_fields
        given = {self.specs[name].exclusive: self.specs[name].narrow for name in self.tags}
        for group in _ORDER_OF_NARROWING:
            narrow = given.get(group)
            if narrow is not None:
                fields = narrow(self, fields)
        return fields

    @property
    def is_narrowed(self) -> bool:
        return any(self.specs[name].narrow is not None for name in self.tags)


def _all_fields(run: Run, name: str) -> Sequence[Occurrence]:
    return run.message.header.occurrences(name)


def bind(node: Command | Test, signature: Signature, tags: Mapping[str, TagSpec], text_of: Strung) -> Arguments:
    """tags: all that may be given, those of extensions too. Raises Misplaced for the first argument that is wrong."""
    bound = _Binding(node, tags, text_of)
    bound.take()
    bound.place(signature.parameters)
    return Arguments(node, bound.numbers, bound.strings, bound.given, tags)


class _Binding:
    def __init__(self, node: Command | Test, tags: Mapping[str, TagSpec], text_of: Strung) -> None:
        self.numbers: dict[str, int] = {}
        self.strings: dict[str, Texts] = {}
        self.given: dict[str, int] = {}
        self._node = node
        self._tags = tags
        self._text_of = text_of
        self._positional: list[Number | Strings] = []

    def take(self) -> None:
        """RFC 5228 §2.6.2: tagged arguments come before the positional ones, in any order."""
        arguments = iter(self._node.arguments)
        for argument in arguments:
            if not isinstance(argument, Tag):
                self._positional.append(argument)
                continue
            spec = self._known(argument)
            if self._positional:
                text = (
                    f"unexpected tagged argument ':{argument.name}' behind the other arguments of {called(self._node)}"
                )
                raise Misplaced(argument.at, text, "tags come first")
            self.given[spec.name] = argument.at
            if spec.value is not None:
                following = next(arguments, None)
                if following is None or isinstance(following, Tag):
                    raise Misplaced(argument.at, f"':{spec.name}' needs {spec.value.value} behind it")
                if not self._gives(spec.name, following, spec.value):
                    text = f"':{spec.name}' expects {spec.value.value}, but {_shown(following)} was found"
                    raise Misplaced(following.at, text)

    def _known(self, tag: Tag) -> TagSpec:
        spec = self._tags.get(tag.name)
        if spec is None:
            hint = nearest(tag.name, self._tags) or "an extension may be missing in 'require'"
            text = f"unknown tagged argument ':{tag.name}' for {called(self._node)}"
            raise Misplaced(tag.at, text, hint, is_said_once=True)
        for name in self.given:
            if self._tags[name].exclusive == spec.exclusive:
                same = "twice" if name == spec.name else f"together with ':{name}'"
                raise Misplaced(tag.at, f"':{spec.name}' {same} in one {self._node.name!r}")
        return spec

    def place(self, parameters: Sequence[Parameter]) -> None:
        left = len(self._positional)
        skipped = max(0, len(parameters) - left)
        wanted = []
        for parameter in parameters:
            if parameter.is_optional and skipped:
                skipped -= 1
                continue
            wanted.append(parameter)
        if left > len(wanted):
            extra = self._positional[len(wanted)]
            raise Misplaced(extra.at, f"one argument too many for {called(self._node)}", _usage(parameters))
        if left < len(wanted):
            raise Misplaced(
                self._node.at, f"{called(self._node)} requires {_counted(wanted)}, but {_are(left)} specified"
            )
        for number, (parameter, argument) in enumerate(zip(wanted, self._positional, strict=True), 1):
            if not self._gives(parameter.name, argument, parameter.kind):
                which = f"{parameter.kind.value} as argument {number} ({parameter.name})"
                text = f"{called(self._node)} expects {which}, but {_shown(argument)} was found"
                raise Misplaced(argument.at, text)

    def _gives(self, name: str, argument: Argument, kind: Kind) -> bool:
        """False for an argument of another kind."""
        if isinstance(argument, Number) and kind is Kind.NUMBER:
            self.numbers[name] = argument.value
            return True
        if isinstance(argument, Strings) and kind is not Kind.NUMBER and (kind is Kind.STRINGS or not argument.is_list):
            found = texts([self._text_of(item, argument.at) for item in argument.items], argument.at)
            if kind is Kind.CONSTANT and found.constants is None:
                raise Misplaced(argument.at, f"{name} must be known beforehand, and variables are not")
            self.strings[name] = found
            return True
        return False


def called(node: Command | Test) -> str:
    return f"the {node.name} {'command' if isinstance(node, Command) else 'test'}"


def _counted(wanted: Sequence[Parameter]) -> str:
    """With what they are, for whoever left one out."""
    plural = "s" if len(wanted) > 1 else ""
    return f"{len(wanted)} positional argument{plural} ({', '.join(one.name for one in wanted)})"


def _are(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'}"


def _usage(parameters: Sequence[Parameter]) -> str:
    return f"it takes {', '.join(one.name for one in parameters)}" if parameters else "it takes none"


def _shown(argument: Argument) -> str:
    match argument:
        case Number():
            return "a number"
        case Strings(is_list=True):
            return "a list of strings"
        case Strings():
            return "a string"
        case Tag():
            return f"the tag ':{argument.name}'"


def check_tests(node: Command | Test, signature: Signature, tags: Container[str], tests: Container[str]) -> None:
    """tags: of this one; tests: all that there are. Raises Misplaced."""
    given = len(node.tests)
    if signature.tests is Tests.NONE and given:
        raise Misplaced(node.tests[0].at, *_instead_of_test(node, node.tests[0].name, tags, tests))
    # RFC 5228 §3.1, §5.2, §5.3: a test is not a list of one, nor the other way round.
    if signature.tests is Tests.ONE and (given != 1 or node.has_list):
        raise Misplaced(node.at, f"{called(node)} takes one test", "allof and anyof make one of several")
    if signature.tests is Tests.MANY and not node.has_list:
        raise Misplaced(node.at, f"{called(node)} takes tests, in parentheses")


def _instead_of_test(node: Command | Test, name: str, tags: Container[str], tests: Container[str]) -> tuple[str, ...]:
    """What probably was meant by a name that stands where no test belongs."""
    if name in tags:
        return (f"missing colon in front of {name!r}, a tag of {called(node)}",)
    if name in tests or isinstance(node, Test):
        return (f"{called(node)} accepts no sub-tests, but one is specified", "a semicolon may be missing before it")
    return (f"missing semicolon behind {called(node)}, before {name!r}",)


def check_block(node: Command, signature: Signature) -> None:
    """Raises Misplaced."""
    if signature.has_block and node.block is None:
        raise Misplaced(node.at, f"{called(node)} needs a block: {{ … }}")
    if not signature.has_block and node.block is not None:
        raise Misplaced(node.at, f"{called(node)} takes no block", "a semicolon ends it")
