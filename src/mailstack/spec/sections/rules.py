"""Rules of an account: what becomes of its mail, for people who write no Sieve. spec.rules makes Sieve of them."""

import re
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mailstack.spec.sections.section import Section
from mailstack.spec.values import AddressKeys, Size, parse_domain, parse_shown

MAX_TEXTS = 500
MAX_TEXT = 1_000
MAX_REASON = 4_000
MAX_REDIRECTS = 8
"""As many as one run may have."""
MATCH_WORDS = ("contains", "is", "matches", "regex")
ACTION_WORDS = ("keep", "discard", "mark_read", "stop")
# RFC 5322 §3.6.8: field-name = 1*ftext, printable US-ASCII but for the colon.
_FIELD_NAME = re.compile(r"[!-9;-~]{1,100}")
_SYSTEM_FLAGS = ("Answered", "Deleted", "Draft", "Flagged", "Seen")
# RFC 9051 §9: flag-keyword = "$MDNSent" / … / atom; atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / …
_KEYWORD = re.compile(r'[^\x00-\x20\x7f-\U0010ffff(){%*"\\\]]{1,100}')
_LINE_END = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def parse_text(text: str) -> str:
    """Lines end in LF."""
    text = _LINE_END.sub("\n", text)
    if _CONTROL.search(text):
        raise ValueError("a text without control characters is needed here")
    return text


def parse_mailbox(text: str) -> str:
    if not text or not text.isprintable() or "\ufffd" in text:
        raise ValueError("not the name of a mailbox (such as Invoices or Lists/Team)")
    return text


def parse_flag(text: str) -> str:
    name = text.removeprefix("\\")
    system = next((flag for flag in _SYSTEM_FLAGS if flag.lower() == name.lower()), "")
    if system and name != text:
        return f"\\{system}"
    if system:
        raise ValueError(f'a flag of the system begins with a backslash; did you mean "\\{system}"?')
    if not _KEYWORD.fullmatch(text):
        raise ValueError(f"not a flag (a keyword such as $Important or work, or one of {_system_flags()})")
    return text


def _system_flags() -> str:
    return ", ".join(f"\\{flag}" for flag in _SYSTEM_FLAGS)


def parse_field_name(text: str) -> str:
    if not _FIELD_NAME.fullmatch(text):
        raise ValueError("not the name of a header field (such as X-Spam-Flag)")
    return text


def parse_regex(text: str) -> str:
    from mailstack.formats.expressions import why_no_expression  # only here: few specs have any

    reason = why_no_expression(text)
    if reason:
        raise ValueError(f"no regular expression: {reason}")
    return text


def parse_several(value: object) -> object:
    """One text stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def refuse_nothing(value: object) -> object:
    """`if:` with nothing behind it is a slip, and the rule would be for all mail."""
    if value is None:
        raise ValueError("a condition is needed here; leave the key out for all mail")
    return value


def parse_match(value: object) -> object:
    if isinstance(value, str | tuple):
        raise ValueError("how it compares is needed here: {contains: …}, {is: …}, {matches: …} or {regex: …}")
    return value


def parse_then(value: object) -> object:
    """A word, what is to be done, or a list of both."""
    items = value if isinstance(value, tuple) else (value,)
    return tuple(_action(item) for item in items)


def _action(item: object) -> object:
    if not isinstance(item, str):
        return item
    if item not in ACTION_WORDS:
        raise ValueError(
            f"not a word for what is to be done (allowed: {', '.join(ACTION_WORDS)}, or such as file_into: Invoices)"
        )
    return {item: True}


_TEXTS_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
)
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(parse_text)]
Several = Field(min_length=1, max_length=MAX_TEXTS)
Texts = Annotated[tuple[Text, ...], BeforeValidator(parse_several), Several, _TEXTS_SCHEMA]
Regexes = Annotated[
    tuple[Annotated[Text, AfterValidator(parse_regex)], ...], BeforeValidator(parse_several), Several, _TEXTS_SCHEMA
]
Domains = Annotated[
    tuple[Annotated[str, AfterValidator(parse_domain)], ...], BeforeValidator(parse_several), Several, _TEXTS_SCHEMA
]
Flags = Annotated[
    tuple[Annotated[str, AfterValidator(parse_flag)], ...], BeforeValidator(parse_several), Several, _TEXTS_SCHEMA
]
Mailbox = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(parse_mailbox)]
RuleName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(parse_shown)]
FieldName = Annotated[str, AfterValidator(parse_field_name)]


def said(section: Section) -> Sequence[str]:
    """What a section says: a key with nothing behind it says nothing."""
    return [name for name in section.model_fields_set if getattr(section, name) is not None]


class Match(Section):
    """How a text is compared: in one of these ways, with one text or with any of several, whatever their case."""

    contains: Texts | None = Field(default=None, description="It stands somewhere in it.")
    is_: Texts | None = Field(default=None, alias="is", description="It is the whole of it.")
    matches: Texts | None = Field(
        default=None, description="A pattern of the whole of it: * stands for any characters, ? for one."
    )
    regex: Regexes | None = Field(default=None, description="A regular expression (RE2) that is found somewhere in it.")

    @model_validator(mode="after")
    def _compares_in_one_way(self) -> "Match":
        if len(said(self)) != 1:
            raise ValueError(f"one of {', '.join(_words_of(type(self)))} is needed here")
        return self


class AddressMatch(Match):
    """As a match, of addresses without the names beside them."""

    domain: Domains | None = Field(default=None, description="What stands behind the @ is this.")


def _words_of(section: type[Section]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in section.model_fields.items())


class SizeMatch(Section):
    over: Size | None = Field(default=None, description="The mail is larger.")
    under: Size | None = Field(default=None, description="The mail is smaller.")

    @model_validator(mode="after")
    def _says_something(self) -> "SizeMatch":
        if not said(self):
            raise ValueError("over or under is needed here")
        return self


_Compared = BeforeValidator(parse_match)
Score = Annotated[float, Field(ge=0.1, le=1000)]
OfText = Annotated[Match, _Compared]
OfAddress = Annotated[AddressMatch, _Compared]


class ScoreMatch(Section):
    """What a mail scores, as docs/spam.md has it; where nobody has looked, neither holds."""

    at_least: Score | None = Field(default=None, description="It has so many points or more.")
    under: Score | None = Field(default=None, description="It has fewer points.")

    @model_validator(mode="after")
    def _says_something(self) -> "ScoreMatch":
        if not said(self):
            raise ValueError("at_least or under is needed here")
        if self.at_least is not None and self.under is not None and self.at_least >= self.under:
            raise ValueError(f"no mail has {self.at_least:g} points or more and fewer than {self.under:g}")
        return self


class MailParts(Section):
    """What a mail shows. Of several keys, all must hold."""

    from_: OfAddress | None = Field(default=None, alias="from", description="An address in From.")
    to: OfAddress | None = Field(default=None, description="An address in To or Cc.")
    subject: OfText | None = Field(default=None, description="The subject.")
    header: Annotated[dict[FieldName, OfText], Field(min_length=1)] | None = Field(
        default=None, description="By name: any other fields of the header."
    )
    size: SizeMatch | None = Field(default=None, description="The size of the whole mail.")
    list_: OfText | None = Field(
        default=None, alias="list", description="The id of the mailing list that sends it (List-Id, without brackets)."
    )
    body: OfText | None = Field(default=None, description="The text of the mail, without its header.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not said(self):
            raise ValueError("a condition is needed here, such as subject: {contains: invoice}")
        return self


class Condition(MailParts):
    """Which mail a rule is for. Of several keys, all must hold."""

    spam: ScoreMatch | None = Field(default=None, description="What it scores as spam.")
    any_: tuple["Condition", ...] | None = Field(
        default=None, alias="any", min_length=1, description="At least one of these conditions holds."
    )
    all_: tuple["Condition", ...] | None = Field(
        default=None, alias="all", min_length=1, description="All of these conditions hold."
    )
    not_: "Condition | None" = Field(default=None, alias="not", description="This condition does not hold.")


class Actions(Section):
    """What becomes of the mail. Without file_into, redirect, discard, reject or keep, it goes where it would have."""

    flag: Flags | None = Field(
        default=None, description="Flags and keywords that it gets, wherever this rule or a later one puts it."
    )
    mark_read: bool = Field(default=False, description="It counts as read.")
    file_into: Mailbox | None = Field(
        default=None, description="It goes into this mailbox, which is made if it is not there."
    )
    redirect: Annotated[AddressKeys, Field(max_length=MAX_REDIRECTS)] | None = Field(
        default=None, description="It goes on to these addresses."
    )
    copy_: bool = Field(
        default=False, alias="copy", description="With file_into or redirect: the mail stays where it was as well."
    )
    keep: bool = Field(default=False, description="It goes into INBOX.")
    discard: bool = Field(default=False, description="It goes nowhere. No later rule looks at it.")
    reject: Annotated[str, Field(min_length=1, max_length=MAX_REASON), AfterValidator(parse_text)] | None = Field(
        default=None, description="It is refused, and its sender told why. No later rule looks at it."
    )
    stop: bool = Field(default=False, description="No later rule looks at it.")

    @model_validator(mode="after")
    def _goes_together(self) -> "Actions":
        done = words_done(self)
        if not done:
            raise ValueError("something to do is needed here, such as file_into: Invoices")
        if self.copy_ and not {"file_into", "redirect"} & done:
            raise ValueError("copy goes with file_into or redirect")
        for word in ("discard", "reject"):
            if word in done and done - {word, "stop"}:
                raise ValueError(f"{word} goes with nothing else, for nothing else is done then")
        return self


def words_done(actions: Actions) -> set[str]:
    """Of what it says, what is not switched off."""
    return {name.rstrip("_") for name in actions.model_fields_set if getattr(actions, name)}


class _OrAlone:
    """In a JSON Schema: what may stand in the list may stand there without it, and so may the words."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        several = handler(core_schema)
        forms = [several["items"], {"enum": [*ACTION_WORDS]}]
        return {"anyOf": [*forms, {**several, "items": {"anyOf": forms}}]}


Then = Annotated[
    tuple[Actions, ...],
    BeforeValidator(parse_then),
    Field(min_length=1),
    _OrAlone(),
]


class Rule(Section):
    """One rule: what becomes of mail that a condition holds for."""

    name: RuleName = Field(description="What it is called.")
    if_: Annotated[Condition | None, BeforeValidator(refuse_nothing)] = Field(
        default=None, alias="if", description="Which mail it is for. Default: all."
    )
    then: Then = Field(description="What becomes of it: a word, what is to be done, or a list of them.")

    @property
    def words(self) -> set[str]:
        return set[str]().union(*map(words_done, self.then))

    @property
    def is_last(self) -> bool:
        """Whether no later rule looks at mail that it was for."""
        return not self.words.isdisjoint({"stop", "discard", "reject"})

    @model_validator(mode="after")
    def _goes_together(self) -> "Rule":
        for word in ("discard", "reject"):
            if word in self.words and self.words - {word, "stop"}:
                raise ValueError(f"{word} goes with nothing else, for nothing else is done then")
        return self
