"""`accounts` and their defaults: who logs in and who has mailboxes."""

from typing import Annotated

from pydantic import BeforeValidator, Field, Strict

from mailstack.model.principal import Ability, Role
from mailstack.model.sending_limits import DEFAULT_LIMITS
from mailstack.spec.rules import Rules
from mailstack.spec.sections.section import OrElse, Section
from mailstack.spec.sections.sieve import ScriptFile
from mailstack.spec.sections.spam import SpamOrOff
from mailstack.spec.values import AddressKey, AddressKeys, MovedName, Password, Shown, Size

Roles = tuple[Annotated[Role, Strict(strict=False)], ...]
Abilities = tuple[Annotated[Ability, Strict(strict=False)], ...]


Count = Annotated[int, Field(ge=1)]


class SubmissionLimits(Section):
    """How much an account may submit in any hour and any day, counted for all its programs and all nodes together; what
    is beyond is put off (452) until there is room again. null: no limit. They are a brake on whoever has stolen a
    password; a program that writes to many needs others."""

    recipients_per_hour: Count | None = Field(
        default=DEFAULT_LIMITS.recipients_per_hour,
        description="Of all its messages, each RCPT counted once: a list or alias is one. Default: 500.",
    )
    recipients_per_day: Count | None = Field(
        default=DEFAULT_LIMITS.recipients_per_day, description="The same in a day. Default: 2000."
    )
    messages_per_hour: Count | None = Field(
        default=DEFAULT_LIMITS.messages_per_hour, description="However many they are for. Default: no limit."
    )
    messages_per_day: Count | None = Field(
        default=DEFAULT_LIMITS.messages_per_day, description="The same in a day. Default: no limit."
    )


class AccountDefaults(Section):
    quota: Size | None = Field(default=None, description="Of accounts that name none. Default: no limit.")
    can: Abilities = Field(
        default=tuple(Ability), min_length=1, description="Of accounts that name none. Default: everything."
    )
    limits: SubmissionLimits = Field(
        default=SubmissionLimits(),
        description="Of accounts that have none; each of them where an account does not name it.",
    )


class Defaults(Section):
    account: AccountDefaults = Field(
        default=AccountDefaults(), description="For every account that does not say otherwise."
    )


def parse_forward(value: object) -> object:
    """One address or a list of them stands for forwarding there, with a copy kept."""
    return {"to": value} if isinstance(value, str | tuple) else value


class Forward(Section):
    """Mail to the account goes on to other addresses. What goes elsewhere has a reverse path of this server (SRS) and
    its ARC seal; what fails DMARC stays here."""

    to: AddressKeys = Field(description="Where it goes: addresses here or elsewhere.")
    keep: bool = Field(
        default=True,
        description="Whether the account gets a copy. If not, its mailboxes get only what may not go on.",
    )


ForwardOrTargets = Annotated[
    Forward,
    BeforeValidator(parse_forward),
    OrElse({"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}),
]


class Account(Section):
    """Someone who logs in under an address and has mailboxes."""

    name: Shown = Field(default="", max_length=200, description="Who it is, for people to read.")
    password: Password = Field(
        default=None,
        description="A hash ($argon2id$, $2b$, {SHA512-CRYPT}), a SCRAM verifier as PostgreSQL writes it"
        " (SCRAM-SHA-256$…), a hash and a verifier after a space, or a reference to one of these or to the password:"
        " env/NAME, file/PATH. Where a verifier is missing, the first login that sends the password makes it."
        " A password that the user changes stays until this one changes. Without this key the account has"
        " only a password of its user's own (`mailstack account password`); nobody can log in before there is one.",
    )
    roles: Roles = Field(default=(), description="Rights over the server.")
    quota: Size | None = Field(default=None, description="How much mail the account may keep; null for no limit.")
    addresses: tuple[AddressKey, ...] = Field(default=(), description="Further addresses of the same mailbox.")
    can: Abilities = Field(
        default=tuple(Ability),
        min_length=1,
        description="What the account is for: receive mail, read it by IMAP, submit mail. Default: everything.",
    )
    limits: SubmissionLimits = Field(
        default=SubmissionLimits(),
        description="How much it may submit. Default of each: as defaults.account.limits has it.",
    )
    forward: ForwardOrTargets | None = Field(
        default=None,
        description="Where the account's mail goes on to: an address, a list of them, or {to: …, keep: false} for an"
        " account that is to have no copy.",
    )
    sieve: ScriptFile | None = Field(
        default=None,
        description="The account's Sieve script, kept in a file: its user sees it and cannot change it. Without it, and"
        " without rules, scripts are the user's own.",
    )
    spam: SpamOrOff | None = Field(
        default=None,
        description="What becomes of spam to it: {junk_at: …, reject_at: …}, or off, so that nobody looks whether its"
        " mail is spam. What it leaves out is as its domain has it.",
    )
    rules: Rules = Field(
        default=(),
        description="What becomes of its mail, instead of a Sieve script: each rule in turn, with whatever mail it is"
        " for. `mailstack sieve show` shows them as Sieve.",
    )


class Moved(Section):
    """An account that has a new address, or a domain whose accounts have: mail, UIDs and passwords stay."""

    from_: MovedName = Field(alias="from", description="The address or domain that it had. It is no longer declared.")
    to: MovedName = Field(description="The address or domain that it has now, as accounts or domains declare it.")
