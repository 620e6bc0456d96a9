"""Names, passwords and abilities; the cache of successes; one cost for every failure."""

import contextlib
from collections.abc import Collection

import pytest
import structlog

from mailstack.model.errors import AuthenticationFailed, Forbidden, TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import Clock
from mailstack.model.password import main_hash, verifier_of
from mailstack.model.principal import Ability, Account
from mailstack.model.scram import NORMAL_ITERATIONS, is_password_of
from mailstack.services.identity import login as login_module
from mailstack.services.identity.login import (
    CACHE_LIFETIME_MS,
    LOGGED_NAME,
    LOOK_EVERY_MS,
    TOLD_EVERY_MS,
    Login,
    LoginOrigin,
)
from mailstack.services.identity.passwords import HashCost, hash_password, make_verifier, verify_password
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.app_passwords import MemoryAppPasswords
from mailstack.store.memory.verifiers import MemoryVerifiers
from tests.support.fake_clock import FakeClock
from tests.support.login_delays import no_delays
from tests.support.memory_accounts import make_account
from tests.support.recording_bus import RecordingBus

ORIGIN = LoginOrigin(service="imap", peer_host="192.0.2.9")
HASH = hash_password("secret", cost=HashCost.LOW)
ALICE = make_account("alice@example.com", addresses=("a.example@example.com",), password_hash=HASH)
NO_READING = make_account("noreply@example.com", abilities=frozenset({Ability.SUBMIT}), password_hash=HASH)
NO_PASSWORD = make_account("shared@example.com")
TWICE = [make_account(f"info@{domain}", password_hash=HASH) for domain in ("example.com", "example.net")]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that were computed against, in order; the computing itself is real."""
    seen: list[str] = []

    def counted(password_hash: str, plain: str) -> bool:
        seen.append(password_hash)
        return verify_password(password_hash, plain)

    monkeypatch.setattr(login_module, "verify_password", counted)
    return seen


def make_login(
    clock: Clock | None = None, accounts: MemoryAccounts | None = None, *, waits: list[float] | None = None
) -> Login:
    directory = accounts or MemoryAccounts(
        (ALICE, NO_READING, NO_PASSWORD, *TWICE), aliases={"sales@example.com": ("alice@example.com",)}
    )
    return Login(
        directory,
        MemoryVerifiers(directory),
        MemoryAppPasswords(directory, RecordingBus()),
        no_delays(waits),
        domains=("example.com", "example.net"),
        clock=clock or FakeClock(),
        cache_key=b"k" * 32,
    )


@pytest.mark.parametrize(
    "name", ["alice@example.com", "ALICE@Example.COM", "a.example@example.com", "alice", "Alice", "a.example"]
)
async def test_an_account_is_found_by_any_of_its_names(name: str) -> None:
    assert await make_login().authenticate(name, "secret", ability=Ability.READ, origin=ORIGIN) == ALICE


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice@example.com", "wrong"),
        ("alice@example.com", ""),
        pytest.param("alice@example.com", HASH, id="the hash itself"),
        ("nobody@example.com", "secret"),
        ("shared@example.com", ""),
        ("sales@example.com", "secret"),
        ("info", "secret"),
        ("", "secret"),
        ("@", "secret"),
        ("a b@example.com", "secret"),
        ("alice@elsewhere.example", "secret"),
    ],
)
async def test_everything_else_fails_alike_and_costs_one_hash(name: str, password: str, hashed: list[str]) -> None:
    with pytest.raises(AuthenticationFailed):
        await make_login().authenticate(name, password, ability=Ability.READ, origin=ORIGIN)
    assert len(hashed) == 1


async def test_the_decoy_costs_what_the_last_account_did(hashed: list[str]) -> None:
    login = make_login()
    await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
    with pytest.raises(AuthenticationFailed):
        await login.authenticate("nobody", "secret", ability=Ability.READ, origin=ORIGIN)
    assert hashed == [HASH, HASH]


async def test_an_ability_that_is_missing_is_forbidden_once_the_password_is_right() -> None:
    login = make_login()
    assert await login.authenticate("noreply", "secret", ability=Ability.SUBMIT, origin=ORIGIN) == NO_READING
    with pytest.raises(Forbidden):
        await login.authenticate("noreply", "secret", ability=Ability.READ, origin=ORIGIN)
    with pytest.raises(AuthenticationFailed):
        await login.authenticate("noreply", "wrong", ability=Ability.READ, origin=ORIGIN)


async def test_a_recent_success_costs_no_hash_until_it_is_old(hashed: list[str]) -> None:
    clock = FakeClock()
    login = make_login(clock)
    for wait, computed in ((0, 1), (CACHE_LIFETIME_MS - 1, 1), (1, 2), (CACHE_LIFETIME_MS - 1, 2), (1, 3)):
        clock.advance(wait)
        await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
        assert len(hashed) == computed


async def test_a_changed_password_forgets_the_success(hashed: list[str]) -> None:
    accounts = MemoryAccounts((ALICE,))
    login = make_login(accounts=accounts)
    await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
    accounts.put(with_hash(ALICE, hash_password("other", cost=HashCost.LOW)))
    with pytest.raises(AuthenticationFailed):
        await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
    assert len(hashed) == 2


async def test_failures_are_not_remembered(hashed: list[str]) -> None:
    login = make_login()
    for _ in range(3):
        with pytest.raises(AuthenticationFailed):
            await login.authenticate("alice", "wrong", ability=Ability.READ, origin=ORIGIN)
    assert len(hashed) == 3


async def test_memory_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_module, "CACHE_ENTRIES", 2)
    accounts = [make_account(f"u{number}@example.com", password_hash=HASH) for number in range(4)]
    login = make_login(accounts=MemoryAccounts(accounts))
    for account in accounts:
        await login.authenticate(account.login, "secret", ability=Ability.READ, origin=ORIGIN)
    assert len(login._proved) == 2


async def test_what_is_remembered_holds_no_password() -> None:
    login = make_login()
    await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
    assert b"secret" not in b"".join(login._proved)


@pytest.mark.parametrize(
    ("name", "password", "event", "facts"),
    [
        ("alice", "secret", "logged in", {"account": "alice@example.com"}),
        ("alice", "wrong", "login failed", {"reason": "wrong name or password"}),
        ("nobody", "wrong", "login failed", {"reason": "wrong name or password"}),
        ("noreply", "secret", "login refused", {"account": "noreply@example.com", "ability": "read"}),
    ],
)
async def test_every_login_is_one_line_that_names_the_peer(
    name: str, password: str, event: str, facts: dict[str, str]
) -> None:
    login = make_login()
    with structlog.testing.capture_logs() as lines, contextlib.suppress(AuthenticationFailed, Forbidden):
        await login.authenticate(name, password, ability=Ability.READ, origin=ORIGIN)
    expected = {"event": event, "log_level": "info", "service": "imap", "peer": "192.0.2.9", "user": name}
    assert lines == [expected | {"proof": "password"} | facts]


async def test_a_name_that_was_tried_is_logged_in_short_and_printable() -> None:
    with structlog.testing.capture_logs() as lines, pytest.raises(AuthenticationFailed):
        await make_login().authenticate("a\r\n\x1b\udc80" + "x" * 1_000, "wrong", ability=Ability.READ, origin=ORIGIN)
    assert lines[0]["user"] == "a????" + "x" * (LOGGED_NAME - 5)


def with_hash(account: Account, password_hash: str) -> Account:
    return make_account(account.login, addresses=account.addresses, password_hash=password_hash)


ONLY_HASH = with_hash(ALICE, main_hash(HASH))


async def test_the_first_password_that_is_sent_makes_the_verifier_that_was_missing() -> None:
    accounts = MemoryAccounts((ONLY_HASH,))
    login = make_login(accounts=accounts)
    await login.look_for_verifiers()
    assert not login.has_verifiers
    await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
    assert login.has_verifiers
    now = await accounts.account(ALICE.account_id)
    assert now is not None
    assert main_hash(now.password_hash) == ONLY_HASH.password_hash
    verifier = verifier_of(now.password_hash)
    assert verifier is not None
    assert verifier.iterations == NORMAL_ITERATIONS
    assert is_password_of(verifier, b"secret")


async def test_a_wrong_password_makes_no_verifier() -> None:
    accounts = MemoryAccounts((ONLY_HASH,))
    with pytest.raises(AuthenticationFailed):
        await make_login(accounts=accounts).authenticate("alice", "wrong", ability=Ability.READ, origin=ORIGIN)
    assert await accounts.account(ALICE.account_id) == ONLY_HASH


async def test_a_verifier_that_came_leaves_a_success_remembered(hashed: list[str]) -> None:
    login = make_login(accounts=MemoryAccounts((ONLY_HASH,)))
    for _ in range(2):
        await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
    assert len(hashed) == 1


async def test_an_account_with_a_verifier_alone_may_send_its_password() -> None:
    verifier = make_verifier("secret", cost=HashCost.LOW)
    login = make_login(accounts=MemoryAccounts((with_hash(ALICE, str(verifier)),)))
    await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
    with pytest.raises(AuthenticationFailed):
        await login.authenticate("alice", "wrong", ability=Ability.READ, origin=ORIGIN)


async def test_nobody_proves_a_made_up_verifier() -> None:
    login = make_login()
    candidate = await login.candidate("nobody@example.com", ORIGIN)
    assert candidate.account is None
    with pytest.raises(AuthenticationFailed):
        await login.admit(candidate, ability=Ability.READ, origin=ORIGIN)


async def test_a_store_that_cannot_be_read_leaves_what_is_offered_as_it_was() -> None:
    accounts = MemoryAccounts((ALICE,))
    clock = FakeClock()
    login = Login(
        accounts,
        Unreadable(accounts),
        MemoryAppPasswords(accounts, RecordingBus()),
        no_delays(),
        domains=(),
        clock=clock,
        cache_key=b"k" * 32,
    )
    await login.look_for_verifiers()
    assert not login.has_verifiers
    await login.authenticate("alice@example.com", "secret", ability=Ability.READ, origin=ORIGIN)


async def test_verifiers_are_looked_for_now_and_then_only() -> None:
    accounts, clock = MemoryAccounts((ONLY_HASH,)), FakeClock()
    login = make_login(clock, accounts)
    await login.look_for_verifiers()
    accounts.put(ALICE)
    await login.look_for_verifiers()
    assert not login.has_verifiers
    clock.advance(LOOK_EVERY_MS)
    await login.look_for_verifiers()
    assert login.has_verifiers


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("nobody", "secret"),
        ("shared@example.com", ""),
        pytest.param("noreply", "secret", id="the right password of an account that may not"),
    ],
)
async def test_every_kind_of_failure_is_held_back_alike(name: str, password: str) -> None:
    waits: list[float] = []
    login = make_login(waits=waits)
    for _ in range(6):
        with pytest.raises((AuthenticationFailed, Forbidden)):
            await login.authenticate(name, password, ability=Ability.READ, origin=ORIGIN)
    assert waits == [1, 2, 4]


async def test_a_right_password_waits_for_nothing_whoever_tried_before() -> None:
    waits: list[float] = []
    login = make_login(waits=waits)
    for number in range(6):
        elsewhere = LoginOrigin(service="imap", peer_host=f"192.0.2.{number}")
        with pytest.raises(AuthenticationFailed):
            await login.authenticate("alice", "wrong", ability=Ability.READ, origin=elsewhere)
    assert waits == [1, 2, 4]
    await login.authenticate("alice", "secret", ability=Ability.READ, origin=ORIGIN)
    assert waits == [1, 2, 4]


class Unreadable(MemoryVerifiers):
    async def iterations(self) -> Collection[int]:
        raise TryAgainLater("the database is away")

    async def keep(self, account_id: AccountId, *, before: str, after: str) -> bool:
        raise TryAgainLater(f"the database is away from {account_id}: {len(before)}, {len(after)}")


async def test_a_login_for_each_request_is_told_once_in_a_while() -> None:
    clock = FakeClock()
    login = make_login(clock)

    async def told(host: str, username: str = "alice@example.com") -> int:
        origin = LoginOrigin(service="jmap", peer_host=host, is_repeated=True)
        with structlog.testing.capture_logs() as logs:
            await login.authenticate(username, "secret", ability=Ability.SUBMIT, origin=origin)
        return sum(entry["event"] == "logged in" for entry in logs)

    here, there = "192.0.2.9", "192.0.2.10"
    told_of = [await told(here), await told(here), await told(there), await told(here, "noreply@example.com")]
    clock.advance(TOLD_EVERY_MS)
    assert [*told_of, await told(here)] == [1, 0, 1, 1, 1]
