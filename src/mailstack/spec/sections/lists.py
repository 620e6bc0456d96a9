"""`lists`: addresses whose mail goes to their members, each of whom may leave."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from mailstack.spec.sections.section import Section
from mailstack.spec.values import AddressKeys, Shown, parse_address_key

MAX_LIST_LOCAL_PART = 48
"""So that -unsubscribe fits behind it, and most members' addresses behind -bounces."""
WORDS = ("members", "owners", "anyone")

# RFC 2919 §2: list-label = dot-atom-text, so that the address can be made an identifier. RFC 5322 §3.2.3: atext.
_LIST_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def parse_list_address(text: str) -> str:
    key = parse_address_key(text)
    local_part = key.rpartition("@")[0]
    if not _LIST_LOCAL_PART.fullmatch(local_part) or len(local_part) > MAX_LIST_LOCAL_PART:
        raise ValueError(f"not the address of a list (ASCII, and at most {MAX_LIST_LOCAL_PART} octets before the @)")
    return key


def parse_posters(value: object) -> str | tuple[str, ...]:
    """A word, or the addresses of those who may: one text stands for a list of one."""
    if isinstance(value, str):
        if value in WORDS:
            return value
        value = (value,)
    wanted = f"{', '.join(WORDS)} or addresses are needed here"
    if not isinstance(value, tuple) or not value or not all(isinstance(item, str) for item in value):
        raise ValueError(wanted)
    for item in value:
        if "@" not in item:
            raise ValueError(f"{wanted}, not {item}")
    return tuple(parse_address_key(item) for item in value)


ListAddress = Annotated[str, AfterValidator(parse_list_address)]
PostersOf = Annotated[
    str | tuple[str, ...],
    BeforeValidator(parse_posters),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [*WORDS]},
                {"type": "string", "pattern": "@"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]


class MailingList(Section):
    """An address whose mail goes to its members, as RFC 2369 and RFC 2919 have it. Nothing is archived."""

    name: Shown = Field(default="", max_length=100, description="What it is called, for people to read.")
    description: Shown = Field(default="", max_length=300, description="What it is for, in one line.")
    members: AddressKeys = Field(
        description="Who gets its mail: addresses of accounts and aliases here, or elsewhere; not of other lists. Who"
        " unsubscribes stays named here, and gets nothing until `mailstack list resubscribe`."
    )
    owners: AddressKeys = Field(
        default=(),
        description="Who gets bounces, and mail to NAME-owner; they may always post. Default: the domain's postmaster.",
    )
    post: PostersOf = Field(
        default="members",
        description="Who may post: members, owners, anyone, or the addresses of those who may. An author counts only"
        " where a login, DMARC, SPF or DKIM shows that the address is theirs.",
    )
    subject_prefix: Shown = Field(
        default="",
        max_length=60,
        description="What is put before each subject, such as [team]. It breaks the author's signature: where their"
        " domain has a DMARC policy, the mail then shows the list in From, and the author in Reply-To.",
    )
    reply_to: Literal["author", "list"] = Field(
        default="author", description="Whom an answer goes to, where the author does not say otherwise."
    )
    unsubscribe: bool = Field(
        default=True, description="Whether members may leave by a button of their mail program, or by mail."
    )
