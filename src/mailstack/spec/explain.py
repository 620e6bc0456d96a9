"""What pydantic found, in the user's words: what is wrong, what is allowed, what was probably meant.

Found values are shown for words of a fixed choice only, for anything else may be a secret in the wrong place.
"""

import re
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path, printable
from mailstack.spec.nearest import Vocabulary, did_you_mean
from mailstack.spec.unsupported import is_key_of_later

NOT_YET = "not supported yet"


def explain(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Fault]:
    return [_explain_one(found, document, model) for found in error.errors(include_url=False) if not _is_echo(found)]


def _is_echo(found: ErrorDetails) -> bool:
    """Faults that only follow from another one: pydantic counts a list's sound items, and derives no default."""
    if found["type"] == "too_short":
        return len(found["input"]) >= int(found["ctx"]["min_length"])
    return found["type"] == "default_factory_not_called"


def _explain_one(found: ErrorDetails, document: Document, model: type[BaseModel]) -> Fault:
    path = tuple(found["loc"])
    is_key = bool(path) and path[-1] == "[key]"
    if is_key:
        path = path[:-1]
    kind, written = found["type"], document.written(path)
    if kind == "extra_forbidden":
        return document.fault(written, _unknown_key(path, model), at_key=True)
    if kind == "missing":
        return document.fault(written, _missing_key(path, model), at_key=True)
    if kind in ("literal_error", "enum"):
        return document.fault(written, _unknown_word(path, found["input"], model))
    return document.fault(written, _message(found), at_key=is_key)


def _unknown_key(path: Path, model: type[BaseModel]) -> str:
    if is_key_of_later(path):
        return NOT_YET
    keys = _keys(type_at(model, path[:-1]))
    return f"unknown key (allowed: {keys.listed()}){did_you_mean(keys, path[-1])}"


def _missing_key(path: Path, model: type[BaseModel]) -> str:
    owner = type_at(model, path[:-1])
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        for name, field in owner.model_fields.items():
            if path[-1] in (name, field.alias) and field.description:
                return f"this key is required ({_first_words(field.description)})"
    return "this key is required"


def _first_words(description: str) -> str:
    return re.split(r"[.:] ", description)[0].rstrip(".")


def _unknown_word(path: Path, word: object, model: type[BaseModel]) -> str:
    words = _words(type_at(model, path))
    shown = f"'{printable(word)}'" if isinstance(word, str) else _kind_of(word)
    return f"{shown} is not allowed here (allowed: {words.listed()}){did_you_mean(words, word)}"


def _message(found: ErrorDetails) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    wanted = _WANTED_TYPES.get(kind)
    if wanted:
        return f"{wanted} is needed here, not {_kind_of(found['input'])}{_remedy(kind, found['input'])}"
    bound = _BOUNDS.get(kind)
    if bound:
        return bound(context)
    return found["msg"]


def _remedy(kind: str, value: object) -> str:
    if kind == "string_type" and isinstance(value, int | float):
        return " (put it in quotes)"
    return " (put it in brackets)" if kind == "tuple_type" and isinstance(value, str) else ""


def _kind_of(value: object) -> str:
    for kind, name in _KIND_NAMES:
        if isinstance(value, kind):
            return name
    return "nothing"


_WANTED_TYPES: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
}
_KIND_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number with a fraction"),
    (str, "text"),
    (tuple, "a list"),
    (dict, "a mapping"),
)
_BOUNDS: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    "greater_than_equal": lambda context: f"too small (at least {_quantity(context['ge'])})",
    "greater_than": lambda context: f"too small (more than {_quantity(context['gt'])})",
    "less_than_equal": lambda context: f"too large (at most {_quantity(context['le'])})",
    "too_long": lambda context: f"too many entries (at most {context['max_length']})",
    "too_short": lambda context: f"too few entries (at least {context['min_length']})",
    "string_too_short": lambda _: "the text is empty",
    "string_too_long": lambda context: f"the text is too long (at most {context['max_length']} characters)",
}


def _quantity(bound: object) -> str:
    """Sizes as the spec writes them; other numbers are small."""
    if isinstance(bound, int):
        for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
            if bound >= 1 << 16 and bound % unit == 0:
                return f"{bound // unit}{name}"
    return str(bound)


def type_at(model: type[BaseModel], path: Path) -> object:
    """The type that the models give to the value at a path; None where they know none."""
    current: object = model
    for part in path:
        current = _step(_bare(current), part)
    return _bare(current)


def _step(owner: object, part: str | int) -> object:
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        for name, field in owner.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
        return None
    arguments = typing.get_args(owner)
    if typing.get_origin(owner) is dict:
        return arguments[1]
    return arguments[0] if typing.get_origin(owner) is tuple else None


def _bare(annotation: object) -> object:
    """Without Annotated[…] and without the None of an optional value."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return _bare(next(choice for choice in typing.get_args(annotation) if choice is not type(None)))
    return annotation


@cache
def _keys(owner: object) -> Vocabulary:
    if not isinstance(owner, type) or not issubclass(owner, BaseModel):
        return Vocabulary(())
    return Vocabulary(field.alias or name for name, field in owner.model_fields.items())


@cache
def _words(annotation: object) -> Vocabulary:
    if typing.get_origin(annotation) is Literal:
        return Vocabulary(map(str, typing.get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return Vocabulary(str(member.value) for member in annotation)
    return Vocabulary(())
