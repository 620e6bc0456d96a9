"""Which values of a spec administrators may change from a browser, how they are asked for, and what is made of what a
person types. Pure.

Only what is listed here: never a reference to a secret or a file, nor what this program runs or connects to.
"""

import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from functools import cache

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mailstack.model.errors import Invalid
from mailstack.spec.explain import type_at
from mailstack.spec.insertion import Entry
from mailstack.spec.model import Spec
from mailstack.spec.values import size_text
from mailstack.spec.yaml_values import Value

ACCOUNTS, ALIASES, LISTS, DOMAINS = "accounts", "aliases", "lists", "domains"
TARGETS = "targets"
"""What the value of an alias is called, which has no key of its own."""
NULL = "null"
_OF_SPAM = ("spam.scoring", "spam.junk_at", "spam.reject_at")
_KEYS: Mapping[str, Sequence[str]] = {
    ACCOUNTS: (
        "name",
        "quota",
        "addresses",
        "roles",
        "can",
        "forward",
        "limits.recipients_per_hour",
        "limits.recipients_per_day",
        "limits.messages_per_hour",
        "limits.messages_per_day",
        *_OF_SPAM,
    ),
    ALIASES: (TARGETS,),
    LISTS: (
        "name",
        "description",
        "members",
        "owners",
        "post",
        "subject_prefix",
        "reply_to",
        "unsubscribe",
    ),
    DOMAINS: (
        "catch_all",
        "alias_of",
        "subaddress_separators",
        "autoconfig",
        "discovery",
        "dkim.algorithms",
        "dkim.rotate_every",
        "dkim.expire_after",
        "spf.include",
        "spf.all",
        "dmarc.policy",
        "dmarc.subdomains",
        "dmarc.nonexistent",
        "dmarc.testing",
        "dmarc.strict",
        "dmarc.reports_to",
        "mta_sts.mode",
        "mta_sts.max_age",
        "tls_rpt.reports_to",
        *_OF_SPAM,
    ),
}
OF_NEW: Mapping[str, Sequence[str]] = {
    ACCOUNTS: ("name", "quota", "addresses", "roles", "can"),
    ALIASES: (TARGETS,),
    LISTS: ("name", "members", "owners", "post"),
    DOMAINS: ("catch_all", "alias_of", "autoconfig", "dmarc.policy", "mta_sts.mode"),
}
"""What is asked of an entry that is to be made."""
_ONE_OR_SEVERAL = frozenset({(ALIASES, TARGETS), (ACCOUNTS, "forward"), (LISTS, "post")})
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?")
_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60))


class Form(StrEnum):
    TEXT = "text"
    SWITCH = "switch"
    CHOICE = "choice"
    CHOICES = "choices"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """path: below its entry. hint: what it is for, in one sentence. choices: for CHOICE and CHOICES. can_be_null: null
    means something there. is_required: no entry is without it."""

    section: str
    name: str
    path: tuple[str, ...]
    form: Form
    choices: tuple[str, ...]
    hint: str
    can_be_null: bool
    is_required: bool
    is_number: bool


@cache
def keys_of(section: str) -> Mapping[str, Key]:
    """By name. Raises Invalid for a section of which nothing may be changed."""
    if section not in _KEYS:
        raise Invalid(f"nothing of {section} is changed from here")
    return {name: _key(section, name) for name in _KEYS[section]}


def _key(section: str, name: str) -> Key:
    path = () if name == TARGETS else tuple(name.split("."))
    whole = (section, "*", *path)
    owner, kind = type_at(Spec, whole[:-1]), type_at(Spec, whole)
    form, choices = _form_of(kind)
    if (section, name) in _ONE_OR_SEVERAL:
        form = Form.LIST
    hint, can_be_null, is_required = "Where its mail goes.", False, True
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        field = owner.model_fields[path[-1]]
        hint = re.split(r"(?<=[a-z)])\. ", field.description or "")[0].rstrip(".") + "."
        can_be_null = types.NoneType in typing.get_args(field.annotation)
        is_required = len(path) == 1 and field.is_required()
    return Key(
        section=section,
        name=name,
        path=path,
        form=form,
        choices=choices,
        hint=hint,
        can_be_null=can_be_null,
        is_required=is_required,
        is_number=kind in (int, float),
    )


def _form_of(kind: object) -> tuple[Form, tuple[str, ...]]:
    if kind is bool:
        return Form.SWITCH, ("true", "false")
    if words := _words(kind):
        return Form.CHOICE, words
    if typing.get_origin(kind) is not tuple:
        return Form.TEXT, ()
    item = typing.get_args(kind)[0]
    words = _words(typing.get_args(item)[0] if typing.get_origin(item) is typing.Annotated else item)
    return (Form.CHOICES, words) if words else (Form.LIST, ())


def _words(kind: object) -> tuple[str, ...]:
    if typing.get_origin(kind) is typing.Literal:
        return tuple(map(str, typing.get_args(kind)))
    return tuple(str(each.value) for each in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def entry_of(key: Key, text: str, former: Value) -> Entry:
    """What a person typed, as the spec has it; "" is for the caller. former: what stands there. Raises Invalid."""
    is_several = key.form in (Form.LIST, Form.CHOICES)
    parts = text.replace(",", " ").split() if is_several else [text.strip()]
    if not all(part.isprintable() for part in parts):
        raise Invalid(f"{key.name} is one line, without control characters")
    if not is_several:
        return _one(key, parts[0])
    if len(parts) == 1 and (key.section, key.name) in _ONE_OR_SEVERAL and not isinstance(former, tuple):
        return parts[0]
    return parts


def _one(key: Key, text: str) -> Entry:
    if text == NULL and key.can_be_null:
        return None
    if key.form is Form.SWITCH and text in key.choices:
        return text == "true"
    if key.is_number and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def default_of(key: Key) -> object:
    """What an entry has that says nothing; None for nothing."""
    kind = type_at(Spec, (key.section, "*"))
    if not key.path or not isinstance(kind, type) or not issubclass(kind, BaseModel):
        return None
    first, *rest = key.path
    found: object = kind.model_fields[first].get_default()
    for name in rest:
        found = getattr(found, name, None)
    return None if found is PydanticUndefined else found


def words_of(key: Key, value: object) -> list[str]:
    """A value, of a file or of the models, in the words of the spec."""
    if value is None or value == "":
        return []
    if isinstance(value, tuple | list):
        return [word for item in value for word in words_of(key, item)]
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, dict):  # of `forward`, in its long form
        return words_of(key, value.get("to"))
    if isinstance(value, Enum):
        return [str(value.value)]
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, timedelta):
        return [_duration(value)]
    if isinstance(value, int) and key.name == "quota":
        return [size_text(value)]
    return [f"{value:g}" if isinstance(value, float) else str(value)]


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    return next((f"{seconds // unit}{name}" for name, unit in _UNITS if seconds and not seconds % unit), f"{seconds}s")
