"""Logging in by an app password: beside a name, and alone as a bearer token."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import structlog

from mailstack.model.app_password import AppPassword, AppService, app_password_text
from mailstack.model.errors import AuthenticationFailed, Forbidden, TryAgainLater
from mailstack.model.ids import AppPasswordId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.principal import Ability, Account
from mailstack.model.scram import is_password_of
from mailstack.services.identity import login as login_module
from mailstack.services.identity import web_logins
from mailstack.services.identity.app_passwords import SERVICE_OF
from mailstack.services.identity.login import Login, LoginOrigin
from mailstack.services.identity.passwords import HashCost, hash_password, verify_password
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.app_passwords import MemoryAppPasswords
from mailstack.store.memory.verifiers import MemoryVerifiers
from tests.support.app_passwords import app_password_for
from tests.support.fake_clock import FakeClock
from tests.support.login_delays import no_delays
from tests.support.memory_accounts import make_account
from tests.support.recording_bus import RecordingBus

ORIGIN = LoginOrigin(service="imap", peer_host="192.0.2.9")
HASH = hash_password("secret", cost=HashCost.LOW)
ALICE = make_account("alice@example.com", password_hash=HASH)
BOB = make_account("bob@example.com", password_hash=HASH)
ONLY_SENDS = make_account("printer@example.com", password_hash=HASH, abilities=frozenset({Ability.SUBMIT}))
LOCKED = make_account("locked@example.com")
NOBODYS = app_password_text(bytes(32))[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """hashed: the hashes that were computed against, in order."""

    login: Login
    accounts: MemoryAccounts
    app_passwords: MemoryAppPasswords
    clock: FakeClock
    waits: list[float]
    hashed: Sequence[str]

    async def enter(
        self, password: str, name: str = "alice", *, ability: Ability = Ability.READ, service: str = "imap"
    ) -> Account:
        origin = replace(ORIGIN, service=service)
        return await self.login.authenticate(name, password, ability=ability, origin=origin)

    async def bear(self, token: str, *, service: str = "jmap") -> Account:
        return await self.login.authenticate_bearer(
            token, ability=Ability.READ, origin=replace(ORIGIN, service=service)
        )

    async def made(
        self, account: Account = ALICE, *services: AppService, expires_at: int | None = None
    ) -> tuple[AppPassword, str]:
        return await app_password_for(
            self.app_passwords, account.account_id, *services, now=self.clock(), expires_at=expires_at
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    hashed: list[str] = []

    def counted(password_hash: str, plain: str) -> bool:
        hashed.append(password_hash)
        return verify_password(password_hash, plain)

    monkeypatch.setattr(login_module, "verify_password", counted)
    accounts, clock, waits = MemoryAccounts((ALICE, BOB, ONLY_SENDS, LOCKED)), FakeClock(), list[float]()
    app_passwords = MemoryAppPasswords(accounts, RecordingBus())
    login = Login(
        accounts,
        MemoryVerifiers(accounts),
        app_passwords,
        no_delays(waits),
        domains=("example.com",),
        clock=clock,
        cache_key=b"k" * 32,
    )
    return World(login=login, accounts=accounts, app_passwords=app_passwords, clock=clock, waits=waits, hashed=hashed)


async def test_it_lets_in_as_the_accounts_own_password_does_and_costs_no_hash(world: World) -> None:
    made, text = await world.made()
    first = await world.enter(text)
    assert first == replace(ALICE, app_password=made)
    for again in (await world.enter(text, "Alice@Example.com"), await world.bear(text)):
        assert replace(again, app_password=None) == ALICE
        assert again.app_password == replace(made, used_at=world.clock())
    assert world.hashed == []
    assert (await world.enter("secret")).app_password is None


async def test_it_outlives_the_accounts_own_password(world: World) -> None:
    _, text = await world.made()
    world.accounts.put(replace(ALICE, password_hash=hash_password("other", cost=HashCost.LOW)))
    assert (await world.enter(text)).login == ALICE.login


async def test_it_is_for_the_account_that_it_was_made_for(world: World) -> None:
    _, text = await world.made(BOB)
    for name in ("alice", "nobody", ""):
        with pytest.raises(AuthenticationFailed):
            await world.enter(text, name)
    assert (await world.bear(text)).login == BOB.login


@pytest.mark.parametrize("name", ["alice", "nobody", "locked"])
@pytest.mark.parametrize("password", [NOBODYS, "wrong"])
async def test_one_that_nobody_has_costs_what_any_wrong_password_does(world: World, name: str, password: str) -> None:
    with pytest.raises(AuthenticationFailed):
        await world.enter(password, name)
    assert len(world.hashed) == 1


async def test_one_that_has_expired_or_was_revoked_is_none(world: World) -> None:
    expired, text = await world.made(expires_at=world.clock() + 10)
    revoked, other = await world.made()
    await world.enter(text)
    world.clock.advance(10)
    await world.app_passwords.revoke(ALICE.account_id, revoked.app_password_id)
    for one in (text, other):
        with pytest.raises(AuthenticationFailed):
            await world.enter(one)
        with pytest.raises(AuthenticationFailed):
            await world.bear(one)
    (left,) = await world.app_passwords.of_account(ALICE.account_id)
    assert left.app_password_id == expired.app_password_id


async def test_nobody_logs_in_to_an_account_without_a_password(world: World) -> None:
    _, text = await world.made(LOCKED)
    with pytest.raises(AuthenticationFailed):
        await world.enter(text, "locked")
    with pytest.raises(AuthenticationFailed):
        await world.bear(text)


@pytest.mark.parametrize("service", SERVICE_OF)
async def test_it_is_good_for_what_it_was_made_for_and_nothing_else(world: World, service: str) -> None:
    _, right = await world.made(ALICE, SERVICE_OF[service])
    _, wrong = await world.made(ALICE, *(each for each in AppService if each is not SERVICE_OF[service]))
    assert (await world.enter(right, service=service)).login == ALICE.login
    with pytest.raises(Forbidden):
        await world.enter(wrong, service=service)
    with pytest.raises(Forbidden):
        await world.bear(wrong, service=service)


async def test_pages_on_which_passwords_are_changed_take_none(world: World) -> None:
    _, text = await world.made()
    with pytest.raises(Forbidden):
        await world.enter(text, service=web_logins.SERVICE)
    with pytest.raises(Forbidden):
        await world.bear(text, service=web_logins.SERVICE)


async def test_it_is_none_once_its_account_is_gone(world: World) -> None:
    _, text = await world.made()
    world.accounts.become((BOB,), {}, (), (), {})
    for entering in (world.enter(text), world.bear(text)):
        with pytest.raises(AuthenticationFailed):
            await entering


async def test_it_is_good_for_no_more_than_its_account(world: World) -> None:
    _, text = await world.made(ONLY_SENDS)
    entered = await world.enter(text, "printer", ability=Ability.SUBMIT, service="submissions")
    assert entered.login == ONLY_SENDS.login
    with pytest.raises(Forbidden):
        await world.enter(text, "printer")
    with pytest.raises(Forbidden):
        await world.bear(text)


async def test_every_way_to_fail_is_held_back_alike(world: World) -> None:
    _, not_for_this = await world.made(ALICE, AppService.SUBMISSION)
    for _ in range(6):
        with pytest.raises(Forbidden):
            await world.enter(not_for_this)
    assert world.waits == [1, 2, 4]


async def test_tokens_that_are_none_are_held_back_by_their_address(world: World) -> None:
    for _ in range(6):
        with pytest.raises(AuthenticationFailed):
            await world.bear(NOBODYS)
    assert world.waits == [1, 2, 4]
    assert world.hashed == []


async def test_its_last_use_is_noted_once_an_hour(world: World) -> None:
    made, text = await world.made()
    noted = []
    for wait in (0, 1, HOUR_MS - 2, 1):
        world.clock.advance(wait)
        await world.enter(text)
        (now,) = await world.app_passwords.of_account(ALICE.account_id)
        noted.append(now.used_at)
    assert noted == [made.created_at] * 3 + [made.created_at + HOUR_MS]


async def test_no_login_fails_over_a_use_that_cannot_be_noted(world: World) -> None:
    _, text = await world.made()
    unwritable = Unwritable(world.accounts, RecordingBus())
    login = Login(
        world.accounts,
        MemoryVerifiers(world.accounts),
        unwritable,
        no_delays(),
        domains=("example.com",),
        clock=world.clock,
        cache_key=b"k" * 32,
    )
    with structlog.testing.capture_logs() as lines:
        await login.authenticate("alice", text, ability=Ability.READ, origin=ORIGIN)
    assert [line["event"] for line in lines] == ["logged in", "use of app password not noted"]


@pytest.mark.parametrize(
    ("name", "password", "event", "facts"),
    [
        ("alice", "right", "logged in", {"account": "alice@example.com", "app_password": "ID"}),
        ("alice", "for another", "login refused", {"account": "alice@example.com", "app_password": "ID"}),
        ("alice", NOBODYS, "login failed", {"reason": "wrong name or password"}),
        ("", "right", "logged in", {"user": "alice@example.com", "account": "alice@example.com", "app_password": "ID"}),
        ("", NOBODYS, "login failed", {"reason": "no such token"}),
    ],
)
async def test_every_login_is_one_line_that_says_by_which(
    world: World, name: str, password: str, event: str, facts: dict[str, str]
) -> None:
    made, right = await world.made()
    other, wrong = await world.made(ALICE, AppService.MANAGESIEVE)
    text = {"right": right, "for another": wrong}.get(password, password)
    with structlog.testing.capture_logs() as lines, contextlib.suppress(AuthenticationFailed, Forbidden):
        await (world.enter(text, name) if name else world.bear(text, service="imap"))
    app_password_id = other.app_password_id if password == "for another" else made.app_password_id
    expected = {"event": event, "log_level": "info", "service": "imap", "peer": "192.0.2.9", "user": name} | facts
    expected["proof"] = "password" if name else "token"
    assert lines == [{key: app_password_id if value == "ID" else value for key, value in expected.items()}]
    assert not any(secret in str(lines) for secret in (right, wrong, NOBODYS))


async def test_who_comes_with_each_request_is_told_of_by_each_app_password(world: World) -> None:
    origin = replace(ORIGIN, service="jmap", is_repeated=True)
    texts = ["secret", *[(await world.made())[1] for _ in range(2)]]
    with structlog.testing.capture_logs() as lines:
        for text in texts * 2:
            await world.login.authenticate("alice", text, ability=Ability.SUBMIT, origin=origin)
    assert len({line.get("app_password") for line in lines}) == len(lines) == 3


async def test_a_name_may_say_which_and_is_then_of_that_alone(world: World) -> None:
    one, text = await world.made()
    _, other = await world.made()
    name = f"Alice@example.com/{one.app_password_id}"
    assert (await world.enter(text, name)).app_password == one
    for wrong in (other, "secret", NOBODYS):
        with pytest.raises(AuthenticationFailed):
            await world.enter(wrong, name)
    assert len(world.hashed) == 3


async def test_a_name_that_says_which_is_proved_by_its_verifier(world: World) -> None:
    one, text = await world.made(ALICE, AppService.IMAP)
    candidate = await world.login.candidate(f"alice@example.com/{one.app_password_id}", ORIGIN)
    assert is_password_of(candidate.verifier, text.encode())
    admitted = await world.login.admit(candidate, ability=Ability.READ, origin=ORIGIN)
    assert admitted == replace(ALICE, app_password=one)
    for_jmap = replace(ORIGIN, service="jmap")
    with pytest.raises(Forbidden):
        await world.login.admit(candidate, ability=Ability.READ, origin=for_jmap)
    (noted,) = await world.app_passwords.of_account(ALICE.account_id)
    assert noted.used_at == world.clock()


async def test_who_names_none_that_is_good_is_shown_a_made_up_verifier(world: World) -> None:
    expired, _ = await world.made(expires_at=world.clock() + 1)
    bobs, _ = await world.made(BOB)
    locked, _ = await world.made(LOCKED)
    world.clock.advance(1)
    ids = (expired.app_password_id, bobs.app_password_id, "0" * 8)
    names = [*(f"alice@example.com/{each}" for each in ids), f"locked@example.com/{locked.app_password_id}"]
    salts = set()
    for name in (*names, f"nobody@example.com/{bobs.app_password_id}"):
        first, second = [await world.login.candidate(name, ORIGIN) for _ in range(2)]
        assert (first.account, first.verifier) == (None, second.verifier)
        salts.add(first.verifier.salt)
        with pytest.raises(AuthenticationFailed):
            await world.login.admit(first, ability=Ability.READ, origin=ORIGIN)
    assert len(salts) == 5


class Unwritable(MemoryAppPasswords):
    async def note_use(self, app_password_id: AppPasswordId, *, at: Instant) -> None:
        raise TryAgainLater(f"the database is away: {app_password_id}, {at}")
