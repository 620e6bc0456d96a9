"""`extracttext`: the text of the part that a `foreverypart` is at goes into a variable. RFC 5703 §7."""

from mailstack.formats.charsets import knows
from mailstack.formats.words import parameter
from mailstack.sieve.arguments import Arguments
from mailstack.sieve.check import Compiler
from mailstack.sieve.entity import Entity
from mailstack.sieve.ext.variables import MODIFIER_TAGS, modified, modifiers_of, store, target
from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import CommandSpec, Extension, Kind, Parameter, Signature, TagSpec
from mailstack.sieve.run import Run, Step


def _extracttext(arguments: Arguments, compiler: Compiler) -> Step:
    if "variables" not in compiler.required:
        raise Misplaced(arguments.at, "'extracttext' without variables", "require 'variables' first")
    if not compiler.loops:
        raise Misplaced(arguments.at, "'extracttext' outside of 'foreverypart'")
    key, is_global = target(arguments, compiler)
    modifiers = modifiers_of(arguments, compiler)
    first = arguments.number("first") if arguments.has("first") else None

    def step(run: Run) -> None:
        text = run.bounded(_text(run, run.part or run.message)[:first], run.limits.variable_octets)
        store(run, key, modified(run, text, modifiers), is_global=is_global)

    return step


def _text(run: Run, entity: Entity) -> str:
    """RFC 5703 §7: nothing where the transfer encoding or the charset is not known, and of what is no text."""
    charset = parameter(entity.part.parameters, b"charset")
    if not entity.is_text or (charset and not knows(charset)):
        return ""
    return entity.text(run.limits.part_octets)


EXTENSION = Extension(
    name="extracttext",
    commands=(
        CommandSpec(
            name="extracttext",
            signature=Signature(
                parameters=(Parameter(name="name", kind=Kind.CONSTANT),),
                tags=(TagSpec(name="first", value=Kind.NUMBER), *MODIFIER_TAGS),
            ),
            compile=_extracttext,
        ),
    ),
)
