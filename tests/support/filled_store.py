"""A store with rows in every table, and all rows of a store on SQLite, table by table."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import apsw

from mailstack.model.acquaintance import Acquaintance, Tie
from mailstack.model.app_password import AppPassword, AppService
from mailstack.model.bad_address import SuppressRule
from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.conduct import Ban, Offence
from mailstack.model.delivery import Deferred, Delivered, OutgoingMail, Settlement, SmtpReply
from mailstack.model.greylist import GreyEntry
from mailstack.model.header_value import EmailAddress
from mailstack.model.ids import AccountId, AppPasswordId, MessageId, TokenId
from mailstack.model.instant import Instant
from mailstack.model.issuance import IssuanceFailure
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.published import PublishedSet
from mailstack.model.reputation import Counts
from mailstack.model.resource import AliasBody, DomainBody, ForwardBody, Kind, LimitsBody, Resource, fields_of
from mailstack.model.rights import Grant, parse_rights
from mailstack.model.scram import MIN_ITERATIONS, SALT_OCTETS, derive_verifier
from mailstack.model.script import ScriptQuota
from mailstack.model.sending_identity import SendingIdentity
from mailstack.model.sieve_memory import Purpose
from mailstack.model.source import Source
from mailstack.model.spam_lesson import Said, Settled, Taught
from mailstack.model.tls_policy import (
    KnownStsPolicy,
    LeastTls,
    StsFetchFailure,
    StsMode,
    StsPolicy,
    TlsFailure,
    TlsUsed,
)
from mailstack.model.token import Scope, Token
from mailstack.model.vacation import NO_VACATION, Vacation
from mailstack.model.warm_up import WarmDay
from mailstack.model.web_session import WebSession
from mailstack.ports.store import Store
from mailstack.services.mailbox.indexing import catch_up
from tests.support import journal
from tests.support.email_submissions import mail_of, submission
from tests.support.hand_notes import hand_note
from tests.support.push import push_subscription
from tests.support.quota import quota
from tests.support.stores import (
    account_of,
    account_resource,
    apply,
    created,
    destroyed,
    mailbox_with,
    new_message,
    raw_message,
    uids,
)

ALICE, BOB, EVE = "alice@example.com", "bob@example.com", "eve@example.com"
UNUSED = "unused@example.com"
LARGE_BYTES = 300_000
MESSAGES = 90
OK = SmtpReply(code=250, status="2.0.0", text="taken")
LATER = SmtpReply(code=451, status="4.7.5", text="not trusted")

Rows = Mapping[str, list[tuple[object, ...]]]
"""By `table` of the system, and `account/table`."""


async def fill(store: Store) -> AccountId:
    """Returns Alice's account: messages small and large, moved, copied, flagged and gone; Eve is in the trash, and
    `unused` never had mail. The queue is left with a mail whose number is not the last."""
    await _fill_system(store)
    alice = (await account_of(store, ALICE)).account_id
    bob = (await account_of(store, BOB)).account_id
    eve = (await account_of(store, EVE)).account_id
    await _fill_account(store, alice, bob)
    for other in (bob, eve):
        inbox = await mailbox_with(store, other, MailboxRole.INBOX)
        await store.messages.append(other, inbox, [new_message(1), new_message(0, size_bytes=LARGE_BYTES)])
    await apply(store, destroyed(account_resource(EVE)))
    return alice


async def _fill_system(store: Store) -> None:
    alias = AliasBody(targets=(ALICE,))
    forward = ForwardBody(targets=("x@x.example",), keep=True)
    domain = DomainBody(catch_all=ALICE, subaddress_separators="+", alias_of=None, dkim_algorithms=("ed25519",))
    await apply(
        store,
        created(Resource(kind=Kind.DOMAIN, name="example.com", fields=fields_of(domain), digests={})),
        created(Resource(kind=Kind.ALIAS, name="p@example.com", fields=fields_of(alias), digests={})),
        *(created(account_resource(login), password=f"hash of {login}") for login in (ALICE, BOB, EVE)),
        created(account_resource(UNUSED, forward=forward, limits=LimitsBody(messages_per_day=9)), password="a hash"),
    )
    await store.state.write_as_user(Kind.ACCOUNT, BOB, {"password": "his own"})
    spf = PublishedSet(name="example.com", type="TXT", ttl_s=300, values=("v=spf1 -all",))
    await store.state.note_published("example.com", [spf])
    until = Instant(await store.now() + 1_000_000)
    await store.challenges.put(Challenge(kind=ChallengeKind.HTTP_01, name="token", value="proof", until=until))
    await store.tokens.add(
        Token(
            token_id=TokenId("0123456789"),
            name="ci",
            secret_hash=bytes(range(32)),
            scopes=frozenset({Scope.PLAN}),
            maker=TokenId(""),
            created_at=Instant(1_000),
            expires_at=None,
        )
    )
    await store.issuance.failed(
        IssuanceFailure(
            name="mx", order="first", reason="closed", tries=1, failed_at=Instant(100), retry_at=Instant(400)
        )
    )
    now = await store.now()
    await store.bans.put(Ban(peer="192.0.2.1", reason=Offence.FAILED_LOGIN, since=now, until=until))
    await store.greylist.keep({"a triplet": GreyEntry(first_at=now, until=until, passes=1)})
    policy = StsPolicy(mode=StsMode.ENFORCE, max_age_s=86_400, mx=("mx.example.net", "*.example.net"))
    known = KnownStsPolicy(domain="example.net", policy_id="a1", policy=policy, fetched_at=now)
    await store.sts_policies.keep(known, refresh_at=until, ends_at=until)
    unfetched = StsFetchFailure(
        policy_id="a2", failure=TlsFailure.STS_WEBPKI_INVALID, detail="certificate has expired", failed_at=now
    )
    await store.sts_policies.failed("example.net", unfetched, retry_at=until)
    await store.unsubscribed.add("team@example.com", BOB, now=now)
    await store.hand_notes.add([hand_note(1)])
    await store.submitted.add((await account_of(store, BOB)).account_id, began_at=Instant(600_000), recipients=2)
    await store.warm_days.add(WarmDay(provider="example.net", day=Instant(0), taken=7, troubles=1))
    await store.bad_addresses.refused("x@x.example", LATER, now=now, rule=SuppressRule())
    bob = (await account_of(store, BOB)).account_id
    await store.app_passwords.add(
        AppPassword(
            app_password_id=AppPasswordId("k3f9x2m7"),
            account_id=bob,
            name="phone",
            digest=bytes(range(32)),
            verifier=derive_verifier(b"secret", salt=b"s" * SALT_OCTETS, iterations=MIN_ITERATIONS),
            services=frozenset({AppService.IMAP, AppService.JMAP}),
            created_at=Instant(1_000),
            expires_at=until,
            used_at=Instant(2_000),
        ),
        most=1,
    )
    await store.email_submissions.add(bob, submission("s1"), [mail_of(submission("s1"))], now=now, most=9)
    await store.web_sessions.add(
        WebSession(
            digest=bytes(range(32)),
            account_id=bob,
            password_mark=bytes(32),
            created_at=Instant(1_000),
            used_at=Instant(2_000),
            peer_host="192.0.2.1",
            agent="Firefox",
        ),
        most=1,
    )
    await store.scripts.put(bob, "../häuser", b"keep;\x00", quota=ScriptQuota(scripts=2, octets=100))
    await store.scripts.activate(bob, "../häuser")
    away = Vacation(is_enabled=True, begins_at=now, text="Grüße", html="<p>Gr&uuml;&szlig;e</p>")
    await store.vacations.replace(bob, NO_VACATION, away, script=b"stop;")
    for purpose in Purpose:
        await store.sieve_memory.note(bob, purpose, [("x@x.example", until), ("y@y.example", until)])
    number = await journal.note(store, bob, created="ab", destroyed="a", now=now)
    await store.push_subscriptions.add(push_subscription(bob), now=now, at_most=1)
    own = SendingIdentity(identity_id="I1", email=BOB, name=None, reply_to=[EmailAddress("B", BOB)], bcc=())
    await store.sending_identities.write(bob, created=[own], if_number=number)
    await store.reputation.add({(-1, 0): Counts(0.1, 1e300), (-1, 2**63 - 1): Counts(-3.0, 1 / 3)})
    await store.acquaintances.note({Acquaintance(bob, tie, -(2**63)): until for tie in Tie})
    lesson = MessageId(1)
    await store.spam_lessons.note(bob, [lesson], Said.SPAM)
    taught = Taught(message_id=lesson, said=Said.SPAM, update=b"own", shared_update=b"shared", bands=(1, 2))
    learned = Settled(account_id=bob, table=b"a table", taught=[taught], passed_over=(), shared_updates=[b"one"])
    await store.spam_tables.replace_shared(b"a base", after=0)
    await store.spam_lessons.settle(learned)
    await store.locks.acquire("a lease", "somebody", now=await store.now(), until=until)
    await store.queue.enqueue([_mail(500), _mail(LARGE_BYTES)], next_at=Instant(1_500))
    (last,) = await store.queue.enqueue([_mail(600)], next_at=Instant(1_000))
    for item in await store.queue.lease("one", now=Instant(1_200), until=Instant(2_000), quota=quota(10)):
        assert item.mail_id == last
        await store.queue.settle("one", [Settlement(item_id=item.item_id, outcome=Delivered(reply=OK, host="mx"))])
    (tried,) = await store.queue.lease("one", now=Instant(1_500), until=Instant(2_000), quota=quota(1))
    untrusted = TlsUsed(
        policy="sts",
        least=LeastTls.REQUIRED,
        version="TLSv1.3",
        cipher="AES",
        failure=TlsFailure.CERTIFICATE_NOT_TRUSTED,
    )
    source = Source("192.0.2.2", "out.example.com")
    deferred = Deferred(reply=LATER, host="mx", tls=untrusted, relay="a mark", source=source)
    settled = Settlement(item_id=tried.item_id, outcome=deferred, next_at=Instant(1_500), is_delay_told=True)
    await store.queue.settle("one", [settled])


def _mail(size_bytes: int) -> OutgoingMail:
    return OutgoingMail(
        reverse_path=ALICE,
        recipients=("x@x.example", "y@y.example"),
        raw=raw_message(size_bytes=size_bytes),
        queued_at=Instant(1_000),
        is_8bit=True,
        smtp_utf8=False,
        trace_id="trace",
        is_suspicious=True,
    )


async def _fill_account(store: Store, alice: AccountId, bob: AccountId) -> None:
    inbox = await mailbox_with(store, alice, MailboxRole.INBOX)
    old = await store.mailboxes.create(alice, parent_id=None, name="Old")
    young = await store.mailboxes.create(alice, parent_id=None, name="Jünger")
    # A mailbox that lies in a younger one.
    await store.mailboxes.rename(alice, old.mailbox_id, parent_id=young.mailbox_id, name="Old")
    await store.mailboxes.subscribe_absent(alice, "Gone/Long ago", is_subscribed=True)
    messages = [
        new_message(number, keywords=frozenset({"$work"} if number % 3 else ()), message_id=f"<{number}@x>")
        for number in range(MESSAGES)
    ]
    await store.messages.append(alice, inbox, messages)
    large = [new_message(number, size_bytes=LARGE_BYTES + number) for number in range(2)]
    await store.messages.append(alice, old.mailbox_id, [*large, new_message(7, references=["<1@x>"])])
    seen = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({"\\Seen"}), is_deleted=False)
    await store.messages.change_flags(alice, inbox, uids(1, 2, 3), seen)
    await store.messages.copy(alice, inbox, uids(2, 5), young.mailbox_id)
    await store.messages.move(alice, inbox, uids(9), young.mailbox_id)
    gone = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)
    await store.messages.change_flags(alice, inbox, uids(2, 4), gone)
    await store.messages.expunge(alice, inbox)
    await store.annotations.change(alice, inbox, [("/shared/note", b"\0\xff")], viewer=alice, limit=10)
    await store.annotations.change(alice, None, [("/private/a", b"1")], viewer=alice, limit=10)
    await store.sharing.change(alice, inbox, Grant(identifier=BOB, account_id=bob, rights=parse_rights("lr")))
    await store.sharing.subscribe(bob, alice, inbox, is_subscribed=True)
    await store.sharing.subscribe(alice, bob, inbox, is_subscribed=True)
    await catch_up(store.search, alice)


def rows_in(path: Path) -> Rows:
    """Of every table that is not SQLite's own, in the order of all their columns; without the names of files."""
    found = dict(_rows_of(path / "system.db"))
    for file in sorted(path.glob("accounts/*/*/mail.db")) + sorted(path.glob("trash/*/mail.db")):
        where = "trash" if "trash" in file.parts else file.parent.name
        found |= {f"{where}/{table}": rows for table, rows in _rows_of(file).items()}
    return found


def _rows_of(file: Path) -> Rows:
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        listed = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'search_index%'"
        tables = [str(name) for (name,) in connection.execute(listed)]
        return {table: _rows(connection, table) for table in tables}


def _rows(connection: apsw.Connection, table: str) -> list[tuple[object, ...]]:
    columns = [str(name) for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    kept = ", ".join(f"{name} IS NULL" if name == "file" else name for name in columns)
    return sorted(connection.execute(f"SELECT {kept} FROM {table}"), key=repr)  # noqa: S608 - this module's own words
