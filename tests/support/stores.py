"""A store as tests see it, whatever the engine: all ports, and the pieces that most tests begin with."""

from collections.abc import Sequence

from mailstack.model.delivery import OutgoingMail
from mailstack.model.flags import NO_KEYWORDS, Keywords
from mailstack.model.ids import AccountId, Generation, MailboxId
from mailstack.model.instant import Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import NewMessage
from mailstack.model.numset import NumSet, numset_of
from mailstack.model.principal import ALL_ABILITIES, Account
from mailstack.model.resource import (
    AccountBody,
    ForwardBody,
    Kind,
    LimitsBody,
    Operation,
    Resource,
    ResourceChange,
    fields_of,
)
from mailstack.ports.store import Store
from tests.support.digests import digest_of


def account_resource(
    login: str,
    *addresses: str,
    name: str = "Alice",
    quota_bytes: int | None = None,
    forward: ForwardBody | None = None,
    limits: LimitsBody | None = None,
) -> Resource:
    body = AccountBody(
        name=name,
        addresses=addresses,
        roles=("admin",),
        abilities=tuple(sorted(ALL_ABILITIES)),
        quota_bytes=quota_bytes,
        forward=forward,
        limits=limits,
    )
    return Resource(kind=Kind.ACCOUNT, name=login, fields=fields_of(body), digests={"password": "0" * 64})


def created(resource: Resource, **secrets: str) -> ResourceChange:
    return ResourceChange(operation=Operation.CREATE, resource=resource, secrets=secrets)


def updated(resource: Resource, **secrets: str) -> ResourceChange:
    return ResourceChange(operation=Operation.UPDATE, resource=resource, secrets=secrets)


def moved(resource: Resource, old: str) -> ResourceChange:
    return ResourceChange(operation=Operation.MOVE, resource=resource, moved_from=old)


def destroyed(resource: Resource) -> ResourceChange:
    return ResourceChange(operation=Operation.DESTROY, resource=resource)


async def apply(store: Store, *changes: ResourceChange) -> Generation:
    base = await store.state.generation()
    return await store.state.commit(changes, base=base, spec_hash=f"spec {base + 1}")


async def account_of(store: Store, address_key: str) -> Account:
    found = await store.accounts.find(address_key)
    assert isinstance(found, Account)
    return found


async def make_account(store: Store, login: str = "alice@example.com") -> AccountId:
    await apply(store, created(account_resource(login), password="$argon2id$hash"))
    return (await account_of(store, login)).account_id


async def mailbox_with(store: Store, account_id: AccountId, role: MailboxRole) -> MailboxId:
    found = [mailbox for mailbox in await store.mailboxes.list(account_id) if mailbox.role is role]
    return found[0].mailbox_id


def raw_message(number: int = 0, *, size_bytes: int = 500) -> bytes:
    header = f"From: bob@x.example\r\nSubject: Number {number}\r\n\r\n".encode()
    return header + b"text " * ((size_bytes - len(header)) // 5)


def new_message(
    number: int = 0,
    *,
    size_bytes: int = 500,
    keywords: Keywords = NO_KEYWORDS,
    is_deleted: bool = False,
    message_id: str = "",
    references: Sequence[str] = (),
    subject: str = "A subject",
) -> NewMessage:
    raw = raw_message(number, size_bytes=size_bytes)
    return NewMessage(
        raw=raw,
        received_at=Instant(1_700_000_000_000 + number),
        digest=digest_of(raw, subject=subject, message_id=message_id, references=tuple(references)),
        keywords=keywords,
        is_deleted=is_deleted,
    )


def outgoing_mail() -> OutgoingMail:
    return OutgoingMail(
        reverse_path="alice@example.com",
        recipients=("bob@x.example",),
        raw=raw_message(),
        queued_at=Instant(1_000),
        is_8bit=True,
        smtp_utf8=False,
        trace_id="trace",
    )


def uids(*numbers: int) -> NumSet:
    return numset_of(numbers)
