"""Who mail belongs to: accounts and what they may do."""

from dataclasses import dataclass, field
from enum import StrEnum

from mailstack.model.app_password import AppPassword
from mailstack.model.ids import AccountId
from mailstack.model.sending_limits import DEFAULT_LIMITS, SendingLimits
from mailstack.model.spam import SpamPolicy


class Role(StrEnum):
    ADMIN = "admin"


class Ability(StrEnum):
    """`can:` of an account in the spec; an account that lists none has all."""

    RECEIVE = "receive"
    READ = "read"  # IMAP, JMAP
    SUBMIT = "submit"


ALL_ABILITIES = frozenset(Ability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Where mail to an account goes on to: address keys, of this server's or of others' domains. keep: the account gets
    it as well."""

    targets: tuple[str, ...]
    keep: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """login: the account's own address key; addresses: further ones, keys. quota_bytes: None is unlimited. forward:
    None where mail stays. limits: of what it submits. spam: None for what its domain has.

    password_hash: $argon2id$…, $2b$…, $6$…, or "" for an account without a password: nobody can log in. app_password:
    of who is logged in, what they came in by; None for the account's own password, and where nobody has logged in.
    web_session: likewise, its digest.
    """

    account_id: AccountId
    login: str
    name: str
    addresses: tuple[str, ...]
    roles: frozenset[Role]
    abilities: frozenset[Ability]
    quota_bytes: int | None
    password_hash: str
    forward: Forward | None = None
    limits: SendingLimits = DEFAULT_LIMITS
    spam: SpamPolicy | None = None
    app_password: AppPassword | None = None
    web_session: bytes | None = field(default=None, repr=False)

    @property
    def address_keys(self) -> tuple[str, ...]:
        """All that mean it and nobody else."""
        return (self.login, *self.addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasTargets:
    """Address keys, of this server's or of others' domains."""

    targets: tuple[str, ...]


class Posters(StrEnum):
    """Who may post to a list; its owners always may."""

    MEMBERS = "members"
    OWNERS = "owners"
    ANYONE = "anyone"
    NAMED = "named"  # those of MailingList.posters


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """address, members, owners, posters: address keys. has_unsubscribe: members may leave by themselves.
    replies_to_list: else to the author."""

    address: str
    name: str
    description: str
    members: tuple[str, ...]
    owners: tuple[str, ...]
    post: Posters
    posters: tuple[str, ...]
    subject_prefix: str
    replies_to_list: bool
    has_unsubscribe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain whose mail is received here. catch_all: an address key. alias_of: whose addresses it shares."""

    name: str
    catch_all: str | None
    subaddress_separators: str
    alias_of: str | None
