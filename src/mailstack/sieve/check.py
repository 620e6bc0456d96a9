"""The tree of commands to a script that runs: names and arguments are checked, and each node becomes one closure.

All faults are found in one go. What depends on `require` is settled here, and costs a run nothing. RFC 5228 §2.10.5,
§3; RFC 5463 (`ihave` decides at compiling which branches there are).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from mailstack.sieve.arguments import Arguments, bind, check_block, check_tests
from mailstack.sieve.faults import Broken, Misplaced, nearest, placed
from mailstack.sieve.language import (
    ADDRESS_PART,
    MATCH_TYPE,
    CommandSpec,
    Comparator,
    Extension,
    Kind,
    Matcher,
    MatchType,
    Parameter,
    Signature,
    TagSpec,
    Tests,
    TestSpec,
)
from mailstack.sieve.limits import LIMITS, Limits
from mailstack.sieve.match import DEFAULT_COMPARATOR
from mailstack.sieve.message import AddressPart
from mailstack.sieve.parser import parse, with_line_ends
from mailstack.sieve.run import Check, Flow, Include, Run, Script, Step, Traced
from mailstack.sieve.syntax import Command, Test
from mailstack.sieve.text import Text, template


def compile_script(
    source: bytes,
    extensions: Sequence[Extension],
    *,
    limits: Limits = LIMITS,
    is_traced: bool = False,
) -> Script:
    """source: UTF-8, with line ends of either kind. is_traced: a run notes what it does, and takes longer.
    Raises Broken with all that is wrong."""
    text = _decoded(source, limits)
    commands, faults = parse(text, limits=limits)
    compiler = Compiler(text, extensions, limits, is_traced=is_traced)
    steps: tuple[Step, ...] = ()
    with suppress(_Enough):
        steps = compiler.script(commands)
    found = sorted([*faults, *compiler.faults], key=lambda fault: fault.at)
    if found:
        raise Broken([placed(text, fault) for fault in found[: limits.faults]])
    return Script(text, frozenset(compiler.required), steps, tuple(compiler.includes))


def _decoded(source: bytes, limits: Limits) -> str:
    if len(source) > limits.script_octets:
        raise Broken([placed("", Misplaced(0, f"a script of more than {limits.script_octets} bytes"))])
    try:
        # RFC 5228 §2.1: scripts are UTF-8; some editors write a mark at the beginning.
        return with_line_ends(source.decode("utf-8-sig"))
    except UnicodeDecodeError as fault:
        before = source[: fault.start].decode("utf-8", "replace")
        raise Broken([placed(before, Misplaced(len(before), "bytes that are not UTF-8"))]) from None


def available(_run: Run) -> bool:
    """What `ihave` says of extensions that there are: known at compiling."""
    return True


def unavailable(_run: Run) -> bool:
    """And of others: what only runs if they are there is not looked at."""
    return False


_REPEATED = 10
"""So many times more faults are looked at than are told, for those that are told once."""


class _Enough(Exception):
    """There are as many faults as anybody reads, and to look for more takes time."""


class Compiler:
    """What the script has required so far, and what it may say therefore."""

    def __init__(self, text: str, extensions: Sequence[Extension], limits: Limits, *, is_traced: bool = False) -> None:
        self.faults: list[Misplaced] = []
        self.required: set[str] = set()
        self.limits = limits
        self.active: list[Extension] = []
        self.loops: list[str] = []
        self.includes: list[Include] = []
        self.shared: set[str] = set()
        self.variables: set[str] = set()
        self._said: set[str] = set()
        self._repeated = 0
        self._text = text
        self._is_traced = is_traced
        self._known = {extension.name: extension for extension in extensions}
        self._comparators: dict[str, Comparator] = {}
        self._match_types: dict[str, MatchType] = {}
        self._address_parts: dict[str, Callable[[Run], AddressPart]] = {}
        self._commands: dict[str, CommandSpec] = dict(CONTROL)
        self._tests: dict[str, TestSpec] = {}
        self._tags: dict[str, dict[str, TagSpec]] = {}
        self._use(self._known[""])

    def script(self, commands: Sequence[Command]) -> tuple[Step, ...]:
        # RFC 5228 §3.2: require comes before anything else.
        count = 0
        while count < len(commands) and commands[count].name == "require":
            with self.noting():
                self._require(commands[count])
            count += 1
        return self.block(commands[count:])

    def block(self, commands: Sequence[Command]) -> tuple[Step, ...]:
        steps: list[Step] = []
        at = 0
        while at < len(commands):
            end = at + 1
            if commands[at].name in ("if", "elsif", "else"):
                # Behind an elsif without its if, those that follow are not faults of their own.
                while end < len(commands) and commands[end].name in ("elsif", "else"):
                    end += 1
            with self.noting():
                steps.append(self._chain(commands[at:end]) if commands[at].name == "if" else self._step(commands[at]))
            at = end
        return tuple(steps)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """A fault within ends what is within, and not the search for others."""
        try:
            yield
        except Misplaced as fault:
            self.note(fault)

    def note(self, fault: Misplaced) -> None:
        if fault.text in self._said:
            self._repeated += 1
            if self._repeated > _REPEATED * self.limits.faults:
                raise _Enough
            return
        if fault.is_said_once:
            self._said.add(fault.text)
        self.faults.append(fault)
        if len(self.faults) >= self.limits.faults:
            raise _Enough

    def supports(self, name: str) -> bool:
        return bool(name) and name in self._known

    def changes_strings(self, name: str) -> bool:
        return self._known[name].unescape is not None or self._known[name].reference is not None

    def require(self, name: str, at: int) -> None:
        """Raises Misplaced for what is not supported."""
        if not self.supports(name):
            names = sorted(filter(None, self._known))
            raise Misplaced(
                at, f"there is no extension {name!r}", nearest(name, names) or f"there are {', '.join(names)}"
            )
        extension = self._known[name]
        self.required.add(name)
        for implied in extension.implies:
            self.require(implied, at)
        if extension not in self.active:
            self._use(extension)

    def declare(self, variable: str, at: int) -> None:
        """variable: lower-case; the script sets it, and has it for itself unless it is `shared`. Raises Misplaced."""
        if variable in self.shared:
            return
        if variable not in self.variables and len(self.variables) >= self.limits.variables:
            raise Misplaced(at, f"more than {self.limits.variables} variables", is_said_once=True)
        self.variables.add(variable)

    def comparator(self, arguments: Arguments) -> Comparator:
        if not arguments.has("comparator"):
            return DEFAULT_COMPARATOR
        name = arguments.constant("comparator")
        if name not in self._comparators:
            hint = f'require "comparator-{name}" first' if self.supports(f"comparator-{name}") else ""
            hint = hint or nearest(name, self._comparators)
            raise Misplaced(arguments.place("comparator"), f"there is no comparator {name!r}", hint)
        return self._comparators[name]

    def matcher(self, arguments: Arguments) -> Matcher:
        """How a test compares: by its match type and comparator tags, with its `keys`."""
        # RFC 5228 §2.7.1: ":is" where nothing is said.
        match_type = self._match_types[arguments.one_of(MATCH_TYPE) or "is"]
        comparator = self.comparator(arguments)
        matcher = match_type.compile(arguments, comparator)
        if not comparator.steps:
            return matcher

        keys = arguments.texts("key list")

        def counted(run: Run, values: Sequence[str]) -> bool:
            folded = [*values, *(keys.of(run) if keys.constants is None else ())]
            run.spend(sum(map(len, folded)) * comparator.steps >> 8)
            return matcher(run, values)

        return counted

    def address_part(self, arguments: Arguments) -> Callable[[Run], AddressPart]:
        # RFC 5228 §2.7.4: ":all" where nothing is said.
        return self._address_parts[arguments.one_of(ADDRESS_PART) or "all"]

    def check(self, test: Test) -> Check:
        spec = self._tests.get(test.name)
        if spec is None:
            if test.name in self._commands:
                raise Misplaced(test.at, f"attempt to use command {test.name!r} as a test")
            raise self._unknown(test, "test", self._tests)
        check = spec.compile(self._bound(test, spec), self)
        return self._traced_check(test, check) if self._is_traced else check

    def _require(self, command: Command) -> None:
        check_block(command, CONTROL["require"].signature)
        arguments = self._bound(command, CONTROL["require"])
        for name in arguments.constants("extensions", "the name of an extension"):
            with self.noting():
                self.require(name, arguments.place("extensions"))

    def _use(self, extension: Extension) -> None:
        self.active.append(extension)
        self._commands |= {command.name: command for command in extension.commands}
        self._tests |= {test.name: test for test in extension.tests}
        self._comparators |= {comparator.name: comparator for comparator in extension.comparators}
        self._match_types |= {match_type.name: match_type for match_type in extension.match_types}
        self._address_parts |= extension.address_parts
        self._tags.clear()

    def _chain(self, commands: Sequence[Command]) -> Step:
        """if, and the elsif and else that follow it."""
        branches: list[tuple[Check, tuple[Step, ...]]] = []
        for index, command in enumerate(commands):
            if index and commands[index - 1].name == "else":
                self.note(Misplaced(command.at, f"{command.name!r} behind 'else'"))
                break
            check = self._condition(command)
            if check is unavailable:
                continue
            branches.append((check, self.block(command.block or ())))
            if check is available and command.name != "else":
                break
        return _branching(branches)

    def _condition(self, command: Command) -> Check:
        """Where it is wrong, the faults of its block are to be found all the same."""
        with self.noting():
            check_block(command, CONTROL[command.name].signature)
        with self.noting():
            arguments = self._bound(command, CONTROL[command.name])
            return available if command.name == "else" else self.check(arguments.node.tests[0])
        return lambda _run: False

    def _step(self, command: Command) -> Step:
        spec = self._commands.get(command.name)
        if spec is None:
            if command.name in self._tests:
                text = f"attempt to use test {command.name!r} as a command"
                raise Misplaced(command.at, text, "it belongs behind 'if'")
            raise self._unknown(command, "command", self._commands)
        arguments = self._bound(command, spec)
        check_block(command, spec.signature)
        step = spec.compile(arguments, self)
        return self._traced_step(command, step) if self._is_traced else step

    def _bound(self, node: Command | Test, spec: CommandSpec | TestSpec) -> Arguments:
        tags = self._tags.get(spec.name)
        if tags is None:
            tags = self._tags[spec.name] = {tag.name: tag for tag in self._tags_of(spec)}
        try:
            arguments = bind(node, spec.signature, tags, self._text_of)
        except Misplaced:
            # What is wrong with its tests may be the reason: a tag without its colon reads like one.
            with self.noting():
                check_tests(node, spec.signature, tags, self._tests)
            raise
        check_tests(node, spec.signature, tags, self._tests)
        return arguments

    def _tags_of(self, spec: CommandSpec | TestSpec) -> Iterator[TagSpec]:
        yield from spec.signature.tags
        for extension in self.active:
            yield from extension.tags.get(spec.name, ())
        if spec.signature.compares:
            yield TagSpec(name="comparator", value=Kind.CONSTANT)
            for match_type in self._match_types.values():
                yield TagSpec(name=match_type.name, value=match_type.value, group=MATCH_TYPE)
        if spec.signature.takes_address:
            for name in self._address_parts:
                yield TagSpec(name=name, group=ADDRESS_PART)

    def _text_of(self, value: str, at: int) -> Text:
        for extension in self.active:
            if extension.unescape is not None:
                value = extension.unescape(value, at)
        for extension in self.active:
            if extension.reference is not None:
                return template(value, partial(extension.reference, self, at))
        return Text(value)

    def _unknown(self, node: Command | Test, what: str, known: Mapping[str, object]) -> Misplaced:
        text = f"unknown {what} {node.name!r}"
        for name, extension in self._known.items():
            words = {one.name for one in extension.commands} | {one.name for one in extension.tests}
            if node.name in words:
                return Misplaced(node.at, text, f"require {name!r} first", is_said_once=True)
        return Misplaced(node.at, text, nearest(node.name, known), is_said_once=True)

    def _traced_step(self, command: Command, step: Step) -> Step:
        line = self.line(command.at)

        def traced(run: Run) -> Flow | None:
            run.trace.append(Traced(line, command.name))
            return step(run)

        return traced

    def _traced_check(self, test: Test, check: Check) -> Check:
        if check in (available, unavailable):
            return check
        line = self.line(test.at)

        def traced(run: Run) -> bool:
            found = check(run)
            run.trace.append(Traced(line, f"{test.name}: {'true' if found else 'false'}"))
            return found

        return traced

    def line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1


def _branching(branches: Sequence[tuple[Check, tuple[Step, ...]]]) -> Step:
    if len(branches) == 1:
        check, steps = branches[0]
        return lambda run: run.block(steps) if check(run) else None

    def step(run: Run) -> Flow | None:
        for check, steps in branches:
            if check(run):
                return run.block(steps)
        return None

    return step


def _misplaced(arguments: Arguments, _compiler: Compiler) -> Step:
    name = arguments.node.name
    if name == "require":
        raise Misplaced(arguments.at, "'require' behind other commands", "it belongs at the beginning of the script")
    raise Misplaced(arguments.at, f"{name!r} without an 'if' before it")


CONTROL = {
    name: CommandSpec(name=name, signature=signature, compile=_misplaced)
    for name, signature in {
        "require": Signature(parameters=(Parameter(name="extensions", kind=Kind.STRINGS),)),
        "if": Signature(tests=Tests.ONE, has_block=True),
        "elsif": Signature(tests=Tests.ONE, has_block=True),
        "else": Signature(has_block=True),
    }.items()
}
"""Commands that the compiler itself knows; RFC 5228 §3.1, §3.2."""
