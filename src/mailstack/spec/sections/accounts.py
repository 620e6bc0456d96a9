"""`accounts` and their defaults: who logs in and who has mailboxes."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from mailstack.model.principal import Ability, Role
from mailstack.spec.sections.section import Section
from mailstack.spec.values import AddressKey, MovedName, Password, Size

Roles = tuple[Annotated[Role, Strict(strict=False)], ...]
Abilities = tuple[Annotated[Ability, Strict(strict=False)], ...]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def parse_shown_name(text: str) -> str:
    # Not isprintable: names in some scripts need joiners. A NUL is what no PostgreSQL keeps in a text.
    if _CONTROL.search(text):
        raise ValueError("a name is one line, without control characters")
    return text


class AccountDefaults(Section):
    quota: Size | None = Field(default=None, description="Of accounts that name none. Default: no limit.")
    can: Abilities = Field(
        default=tuple(Ability), min_length=1, description="Of accounts that name none. Default: everything."
    )


class Defaults(Section):
    account: AccountDefaults = Field(
        default=AccountDefaults(), description="For every account that does not say otherwise."
    )


class Account(Section):
    """Someone who logs in under an address and has mailboxes."""

    name: Annotated[str, AfterValidator(parse_shown_name)] = Field(
        default="", max_length=200, description="Who it is, for people to read."
    )
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


class Moved(Section):
    """An account that has a new address, or a domain whose accounts have: mail, UIDs and passwords stay."""

    from_: MovedName = Field(alias="from", description="The address or domain that it had. It is no longer declared.")
    to: MovedName = Field(description="The address or domain that it has now, as accounts or domains declare it.")
