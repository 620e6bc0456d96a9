"""`tests`: what the spec's author expects of it, mail by mail and record by record.

The shapes only; what a test may not expect at once is spec.check_tests', and app.spec_tests runs them.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid
from mailstack.model.mailbox import INBOX
from mailstack.spec.sections.outbound import DIRECT
from mailstack.spec.sections.rules import ScoreMatch
from mailstack.spec.sections.section import OrElse, Section
from mailstack.spec.values import (
    AddressKey,
    AddressKeys,
    DomainName,
    FilePath,
    IpAddress,
    parse_address_key,
    parse_addresses,
)

NULL_PATH = "<>"
POSTMASTER = "postmaster"
ANY_CODE = ""
# An address kept for documentation, and a name: RFC 2606 §3.
SOME_CLIENT = "192.0.2.1"
SOME_HELO = "client.example"

MAX_PATH_CHARACTERS = 1_000
# RFC 5322 §2.2: ftext, printable but for the colon.
_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# RFC 3463 §2: status-code = class "." subject "." detail; RFC 5321 §4.2.1: a reply code.
_CODE = re.compile(r"[45]\.[0-9]{1,3}\.[0-9]{1,3}|[45][0-9]{2}")
_RECORD_TYPE = re.compile(r"[A-Z][A-Z0-9]{0,15}")


def parse_path(text: str) -> str:
    """An address as MAIL and RCPT have it, in the sender's own spelling; what is no address else, the server says."""
    if _CONTROL.search(text) or text != text.strip() or len(text) > MAX_PATH_CHARACTERS:
        raise ValueError("not an address: control characters, blanks around it, or far too long")
    if "<" in text or ">" in text:
        raise ValueError("not an address alone (without name and angle brackets)")
    if "@" not in text and text.casefold() != POSTMASTER:
        raise ValueError("not an address: it needs an @")
    return text


def parse_reverse_path(text: str) -> str:
    return "" if text == NULL_PATH else parse_path(text)


def parse_helo(text: str) -> str:
    if not text.isascii() or not text.isprintable() or not text or " " in text or len(text) > 255:
        raise ValueError("not a name for EHLO (up to 255 printable characters without blanks)")
    return text


def parse_field_name(text: str) -> str:
    if not _FIELD_NAME.fullmatch(text):
        raise ValueError("not the name of a header field")
    return text


def parse_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("a header field is one line, without control characters")
    return text


def parse_code(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _CODE.fullmatch(text):
        raise ValueError('not a code of refusal (such as "5.7.1" or 550)')
    return text


def parse_refusal(value: object) -> object:
    """A code stands for a refusal of everything with it, true for one with any."""
    if value is True:
        return {}
    if isinstance(value, dict):
        return value
    return {"code": parse_code(value)}


def parse_by_address(value: object) -> object:
    """One address or a list of them stands for a mapping with nothing behind the colons."""
    addresses = (value,) if isinstance(value, str) else value
    if isinstance(addresses, tuple) and all(isinstance(address, str) for address in addresses):
        if len(set(addresses)) < len(addresses):
            raise ValueError("the same address twice")
        return dict.fromkeys(addresses)
    return value


def parse_mailboxes(value: object) -> object:
    if value is None:
        return (INBOX,)
    return (value,) if isinstance(value, str) else value


def parse_mailbox(text: str) -> str:
    if not text or _CONTROL.search(text):
        raise ValueError("not the name of a mailbox")
    return INBOX if text.upper() == INBOX else text


def parse_answer(value: object) -> bool | tuple[str, ...]:
    """Whether anybody answers, or who does."""
    if isinstance(value, bool):
        return value
    texts = parse_addresses(value)
    if not isinstance(texts, tuple) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("true, false, or accounts are needed here: one or several")
    return tuple(map(parse_address_key, texts))


def parse_texts(value: object) -> object:
    """One text stands for a list of one."""
    return value if isinstance(value, tuple | dict) else (value,)


def parse_record_name(text: str) -> str:
    labels = text.rstrip(".").split(".")
    try:
        # Label by label: IDNA (RFC 5891) knows no underscores. A wildcard is a label of its own.
        name = ".".join("*" if label == "*" and not at else domain_key(label) for at, label in enumerate(labels))
        domain_key(name.removeprefix("*."))
    except Invalid:
        raise ValueError("not a name of DNS (such as _dmarc.example.com)") from None
    return name


def parse_record_type(text: str) -> str:
    if not _RECORD_TYPE.fullmatch(text.upper()):
        raise ValueError("not a type of record (such as MX or TXT)")
    return text.upper()


_ADDRESSES_OR_MAPPING = (
    {"type": "string"},
    {"type": "array", "items": {"type": "string"}, "minItems": 1},
)


def _by_address(values: dict[str, object]) -> WithJsonSchema:
    mapping = {"type": "object", "additionalProperties": values, "minProperties": 1}
    return WithJsonSchema({"anyOf": [*_ADDRESSES_OR_MAPPING, mapping]})


_CODE_FORM = {"type": "string", "pattern": f"^({_CODE.pattern})$"}
_TEXT_OR_TEXTS = WithJsonSchema({"anyOf": [*_ADDRESSES_OR_MAPPING]})

EnvelopePath = Annotated[str, AfterValidator(parse_path)]
EnvelopePaths = Annotated[
    tuple[EnvelopePath, ...], BeforeValidator(parse_addresses), Field(min_length=1), _TEXT_OR_TEXTS
]
ReversePath = Annotated[str, AfterValidator(parse_reverse_path)]
"""NULL_PATH is the empty text."""
FieldName = Annotated[str, AfterValidator(parse_field_name)]
Line = Annotated[str, AfterValidator(parse_line)]
Helo = Annotated[str, AfterValidator(parse_helo)]
MailboxPath = Annotated[str, AfterValidator(parse_mailbox)]
Copies = Annotated[tuple[MailboxPath, ...], BeforeValidator(parse_mailboxes), Field(min_length=1)]
"""The mailboxes that one account has a copy in, one entry for each copy."""
Deliveries = Annotated[
    dict[AddressKey, Copies],
    BeforeValidator(parse_by_address),
    Field(min_length=1),
    _by_address({"anyOf": [*_ADDRESSES_OR_MAPPING]}),
]
Forwards = Annotated[
    dict[AddressKey, str | None],
    BeforeValidator(parse_by_address),
    Field(min_length=1),
    _by_address({"type": "string"}),
]
"""By address: the way that the mail goes, a relay's name or DIRECT; None where any will do."""
Answer = Annotated[
    bool | tuple[str, ...],
    BeforeValidator(parse_answer),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, *_ADDRESSES_OR_MAPPING]}),
]
Hosts = Annotated[tuple[DomainName, ...], BeforeValidator(parse_texts), Field(min_length=1), _TEXT_OR_TEXTS]
Texts = Annotated[tuple[str, ...], BeforeValidator(parse_texts), Field(min_length=1), _TEXT_OR_TEXTS]
Code = Annotated[
    str,
    BeforeValidator(parse_code),
    WithJsonSchema({"anyOf": [_CODE_FORM, {"type": "integer"}]}),
]
RecordName = Annotated[str, AfterValidator(parse_record_name)]
RecordType = Annotated[str, AfterValidator(parse_record_type), Field(examples=["MX", "TXT"])]


class Send(Section):
    """A mail that the server is given, as another server or an account's mail program would hand it over."""

    from_: ReversePath | None = Field(
        default=None,
        alias="from",
        description="The sender of the envelope; <> for the null path of bounces. Only with `as` it may be left out.",
    )
    to: EnvelopePaths = Field(description="The recipients of the envelope: one or several.")
    subject: Line | None = Field(default=None, description="Default: the test's name.")
    headers: dict[FieldName, Line] = Field(
        default={}, description="Further header fields, or others instead of those that every mail gets."
    )
    body: str | None = Field(default=None, description="The text of the message. Default: one line.")
    eml: FilePath | None = Field(
        default=None, description="A file with the whole message instead, header and all. Relative to this file."
    )
    client_ip: IpAddress = Field(default=SOME_CLIENT, description="Whose address the connection comes from.")
    helo: Helo = Field(default=SOME_HELO, description="What the client calls itself.")
    mx: dict[DomainName, Hosts] = Field(
        default={},
        description="By domain elsewhere, the mail exchangers that routes by `mx` shall see: one or several. Tests ask"
        " no DNS. Default: the domain itself.",
    )
    as_: AddressKey | None = Field(
        default=None,
        alias="as",
        description="The account that submits the mail, logged in. Default: nobody; the mail comes from outside.",
    )


class Question(Section):
    """A record that the spec would publish, whoever publishes it."""

    name: RecordName = Field(description="Its fully qualified name.")
    type: RecordType = Field(description="Its type: MX, TXT, A, …")


class Refusal(Section):
    code: Code = Field(
        default=ANY_CODE, description='The enhanced status code ("5.7.1") or the reply code (550). Default: any.'
    )
    text: str = Field(default="", description="Words that the reply holds, in any case of letters.")
    to: Annotated[tuple[EnvelopePath, ...], BeforeValidator(parse_addresses), _TEXT_OR_TEXTS] = Field(
        default=(), description="Which of the recipients are refused, where others are not. Default: the whole mail."
    )
    by: Annotated[tuple[AddressKey, ...], BeforeValidator(parse_addresses), _TEXT_OR_TEXTS] = Field(
        default=(),
        description="Accounts by their login whose scripts refuse the mail, where others take it: its sender hears of"
        " it in a notice.",
    )


Rejection = Annotated[Refusal, BeforeValidator(parse_refusal), OrElse(_CODE_FORM, {"type": "integer"}, {"const": True})]


def parse_scored(value: object) -> object:
    """Whether it is junk stands for a section that says that."""
    if isinstance(value, bool):
        return {"junk": value}
    if isinstance(value, str | int | float):
        raise ValueError("true, false or points such as {at_least: 5} are needed here")
    return value


class Scored(ScoreMatch):
    junk: bool | None = Field(default=None, description="Whether it has the points of junk.")


class Expectation(Section):
    """What must come of it. Of a mail, everything is told: a copy or a refusal that is not expected fails the test."""

    delivered: Deliveries | None = Field(
        default=None,
        description="Who gets the mail: accounts by their login, one or several, or with the mailbox of each"
        " (or mailboxes, one for each copy). Default mailbox: INBOX.",
    )
    forwarded: Forwards | None = Field(
        default=None,
        description="Addresses elsewhere that the mail goes on to, by a forward, a rule or a script: one or several, or"
        f" with the way of each: a relay's name or {DIRECT}.",
    )
    rejected: Rejection | None = Field(
        default=None,
        description='The mail is refused: with this code ("5.7.1" or 550), or with a code and words of the text, or'
        " true for any. A refusal that passes (4.…) counts too.",
    )
    discarded: AddressKeys | None = Field(
        default=None,
        description="Accounts by their login whose scripts throw the mail away: nobody has it, and no sender hears so.",
    )
    notified: AddressKeys | None = Field(
        default=None, description="Addresses that a script tells of the mail (notify with mailto:): one or several."
    )
    answered: Answer | None = Field(
        default=None,
        description="Accounts by their login whose scripts answer the sender (vacation), or true for any, false for"
        " none. Without it, answers are not looked at.",
    )
    not_delivered: AddressKeys | None = Field(
        default=None,
        description="Accounts that must not get the mail. Alone it says nothing about what else becomes of it.",
    )
    spam: Annotated[Scored, BeforeValidator(parse_scored), OrElse({"type": "boolean"})] | None = Field(
        default=None,
        description="Whether it has the points of junk with everybody who would get it, or how many: {at_least: 5},"
        " {under: 2}. Only the rules count: a test asks no DNS, and has learned nothing. Alone it says nothing about"
        " what else becomes of the mail.",
    )
    contains: Texts | None = Field(
        default=None, description="For dns: each of these texts is part of some value of the record."
    )
    equals: Texts | None = Field(default=None, description="For dns: these are the values, all of them, in any order.")
    absent: bool | None = Field(default=None, description="For dns: there is no such record; false: there is one.")
    count: int | None = Field(default=None, ge=0, description="For dns: how many values there are.")


class SpecTest(Section):
    """One mail or one record, and what is expected. It has `send` or `dns`, and begins with nothing delivered."""

    name: Line = Field(min_length=1, max_length=200, description="What it promises, unlike that of any other test.")
    send: Send | None = Field(default=None, description="The mail that is handed over.")
    dns: Question | None = Field(default=None, description="The record that is asked for.")
    expect: Expectation = Field(description="What must come of it.")
