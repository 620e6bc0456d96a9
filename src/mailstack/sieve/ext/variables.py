"""`set`, the test `string`, and `${name}` in all strings. RFC 5229."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence

from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.faults import Misplaced, RuntimeFault
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec, TestSpec
from mailstack.sieve.run import Cell, Check, Run, Step
from mailstack.sieve.text import octets_of

# RFC 5229 §3: variable-name = num-variable / identifier; namespace = identifier "." *sub-namespace
_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"
NAME = re.compile(_IDENTIFIER)
_NAMESPACED = re.compile(rf"({_IDENTIFIER}(?:\.{_IDENTIFIER})*)\.({_IDENTIFIER}|[0-9]+)")

Read = Callable[[Run], str]


def reference(compiler: Compiler, at: int, name: str) -> Read | None:
    """What `${name}` is. Raises Misplaced for a namespace that there is not."""
    if name.isdecimal() and name.isascii():
        digits = name.lstrip("0")
        if len(digits) > len(str(compiler.limits.match_variables)) or int(name[-9:]) > compiler.limits.match_variables:
            raise Misplaced(at, f"${{{name}}}: there are match variables up to {compiler.limits.match_variables}")
        number = int(name[-9:])
        return lambda run: run.matches[number] if number < len(run.matches) else ""
    if NAME.fullmatch(name):
        # RFC 5229 §3: names do not differ by case; a variable that nobody set is empty.
        key = name.lower()
        return lambda run: read(run, key)
    if found := _NAMESPACED.fullmatch(name):
        if _is_global(found[1], compiler) and NAME.fullmatch(found[2]):
            key = found[2].lower()
            return lambda run: read(run, key, is_global=True)
        first, _, rest = name.partition(".")
        for extension in compiler.active:
            if first.lower() in extension.read_only:
                return extension.read_only[first.lower()](rest)
        raise Misplaced(at, f"${{{name}}}: there is no namespace {found[1]!r}")
    return None


def _is_global(namespace: str, compiler: Compiler) -> bool:
    return any(namespace.lower() in extension.namespaces for extension in compiler.active)


def read(run: Run, key: str, *, is_global: bool = False) -> str:
    """key: lower-case."""
    cell = (run.global_variables if is_global else run.variables).get(key)
    return "" if cell is None else cell[0]


def store(run: Run, key: str, text: str, *, is_global: bool = False) -> None:
    """key: lower-case. Raises RuntimeFault for one variable too many."""
    _cell(run, run.global_variables if is_global else run.variables, key)[0] = run.bounded(
        text, run.limits.variable_octets
    )


def share(run: Run, key: str) -> None:
    """RFC 6609 §3.4.1: from here on, the variable of that name is the one that all scripts have."""
    run.variables[key] = _cell(run, run.global_variables, key)


def _cell(run: Run, variables: dict[str, Cell], key: str) -> Cell:
    cell = variables.get(key)
    if cell is None:
        if len(run.variables) + len(run.global_variables) >= run.limits.variables:
            raise RuntimeFault(f"more than {run.limits.variables} variables")
        cell = variables[key] = [""]
    return cell


def _upper(text: str) -> str:
    return text.upper()


def _lower(text: str) -> str:
    return text.lower()


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _quote_wildcard(text: str) -> str:
    return re.sub(r"([*?\\])", r"\\\1", text)


def _length(text: str) -> str:
    return str(len(text))


# RFC 5229 §4.1: those of a higher precedence come first; of one precedence only one may be given.
MODIFIERS: dict[int, dict[str, Callable[[str], str]]] = {
    40: {"lower": _lower, "upper": _upper},
    30: {"lowerfirst": _lower_first, "upperfirst": _upper_first},
    20: {"quotewildcard": _quote_wildcard},
    10: {"length": _length},
}


def _set(arguments: Arguments, compiler: Compiler) -> Step:
    key, is_global = target(arguments, compiler)
    value = arguments.text("value")
    modifiers = modifiers_of(arguments, compiler)

    def step(run: Run) -> None:
        store(run, key, modified(run, value.of(run), modifiers), is_global=is_global)

    return step


def modified(run: Run, text: str, modifiers: Sequence[Callable[[str], str]]) -> str:
    """What becomes too long is cut, but never within what stands for one character, such as `%41` for A."""
    most = run.limits.variable_octets
    for modify in modifiers:
        made = modify(text)
        if octets_of(made) > most:
            run.spend(len(text) >> 4)
            fitting = bisect_left(range(1, len(text)), True, key=lambda count: octets_of(modify(text[:count])) > most)
            made = modify(text[:fitting])
        text = made
    return text


def modifiers_of(arguments: Arguments, compiler: Compiler) -> list[Callable[[str], str]]:
    """Those that were given, in the order in which they are to be applied."""
    known = {name: (precedence, modify) for precedence, row in MODIFIERS.items() for name, modify in row.items()}
    for extension in compiler.active:
        known |= extension.modifiers
    given = [known[name] for name in arguments.tags if name in known]
    return [modify for _, modify in sorted(given, key=lambda one: -one[0])]


def target(arguments: Arguments, compiler: Compiler) -> tuple[str, bool]:
    """The variable that `name` says, and whether it is the one that all scripts share."""
    name = arguments.constant("name")
    at = arguments.place("name")
    if len(name) > compiler.limits.variable_name_characters:
        raise Misplaced(
            at, f"a variable with a name of more than {compiler.limits.variable_name_characters} characters"
        )
    namespace, dot, rest = name.rpartition(".")
    if dot and _is_global(namespace, compiler) and NAME.fullmatch(rest):
        return rest.lower(), True
    if not NAME.fullmatch(name):
        # RFC 5229 §3: match variables cannot be set.
        raise Misplaced(at, f"{name!r} is no name of a variable", "letters, digits and _, and no digit first")
    compiler.declare(name.lower(), at)
    return name.lower(), False


def _string(arguments: Arguments, compiler: Compiler) -> Check:
    source = arguments.texts("source")
    matcher = compiler.matcher(arguments)
    if arguments.one_of("match type") == "count":
        # RFC 5229 §5: an empty string is not counted.
        return lambda run: matcher(run, [text for text in source.of(run) if text])
    return lambda run: matcher(run, source.of(run))


MODIFIER_TAGS = tuple(
    TagSpec(name=name, group=f"precedence {precedence}") for precedence, row in MODIFIERS.items() for name in row
)
EXTENSION = Extension(
    name="variables",
    commands=(
        CommandSpec(
            name="set",
            signature=Signature(
                parameters=(
                    Parameter(name="name", kind=Kind.CONSTANT),
                    Parameter(name="value", kind=Kind.STRING),
                ),
                tags=MODIFIER_TAGS,
            ),
            compile=_set,
        ),
    ),
    tests=(
        TestSpec(
            name="string",
            signature=Signature(
                parameters=(
                    Parameter(name="source", kind=Kind.STRINGS),
                    Parameter(name="key list", kind=Kind.STRINGS),
                ),
                compares=True,
            ),
            compile=_string,
        ),
    ),
    reference=reference,
)
