"""App passwords as they are made: what an order has to say, and how many there may be."""

import re
from dataclasses import replace

import pytest

from mailstack.model.app_password import ALL_SERVICES, RANDOM_OCTETS, AppService, digest_of
from mailstack.model.errors import Invalid, NotFound, TooMany
from mailstack.model.ids import AccountId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.services.identity import app_passwords as app_passwords_module
from mailstack.services.identity.app_passwords import MAX_NAME, Order, app_password_in, is_use_to_note, issue
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.app_passwords import MemoryAppPasswords
from tests.support.app_passwords import app_password_for
from tests.support.memory_accounts import make_account
from tests.support.recording_bus import RecordingBus

NOW = Instant(1_000_000)
ALICE = make_account("alice@example.com")
PHONE = Order(name="phone", services=frozenset({AppService.IMAP}), expires_at=Instant(NOW + 1))


@pytest.fixture
def accounts() -> MemoryAccounts:
    return MemoryAccounts((ALICE,))


@pytest.fixture
def app_passwords(accounts: MemoryAccounts) -> MemoryAppPasswords:
    return MemoryAppPasswords(accounts, RecordingBus())


async def test_it_is_told_once_and_its_digest_is_kept(app_passwords: MemoryAppPasswords) -> None:
    made, text = await issue(app_passwords, ALICE.account_id, PHONE, now=NOW, random=bytes(range(RANDOM_OCTETS)))
    assert [made] == list(await app_passwords.of_account(ALICE.account_id))
    assert (made.name, made.services, made.created_at, made.expires_at) == ("phone", PHONE.services, NOW, NOW + 1)
    assert made.digest == digest_of(text)
    assert text not in repr(made)
    assert repr(made.digest) not in repr(made)


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (replace(PHONE, services=frozenset()), "at least one service"),
        (replace(PHONE, name=""), f"1 to {MAX_NAME} printable"),
        (replace(PHONE, name="  "), f"1 to {MAX_NAME} printable"),
        (replace(PHONE, name="a\nb"), f"1 to {MAX_NAME} printable"),
        (replace(PHONE, name="x" * (MAX_NAME + 1)), f"1 to {MAX_NAME} printable"),
        (replace(PHONE, expires_at=NOW), "cannot end before it begins"),
    ],
)
async def test_an_order_that_makes_no_sense(app_passwords: MemoryAppPasswords, order: Order, told: str) -> None:
    with pytest.raises(Invalid, match=re.escape(told)):
        await issue(app_passwords, ALICE.account_id, order, now=NOW, random=bytes(RANDOM_OCTETS))
    assert list(await app_passwords.of_account(ALICE.account_id)) == []


async def test_an_account_has_only_so_many(app_passwords: MemoryAppPasswords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_passwords_module, "MOST", 2)
    for _ in range(2):
        await app_password_for(app_passwords, ALICE.account_id)
    with pytest.raises(TooMany):
        await app_password_for(app_passwords, ALICE.account_id)
    with pytest.raises(NotFound):
        await app_password_for(app_passwords, AccountId("nobody"))


async def test_it_is_good_until_it_expires(accounts: MemoryAccounts, app_passwords: MemoryAppPasswords) -> None:
    made, text = await app_password_for(app_passwords, ALICE.account_id, expires_at=9)
    assert made.services == ALL_SERVICES
    assert await app_password_in(accounts, text, now=Instant(8)) == made
    assert await app_password_in(accounts, text, now=Instant(9)) is None
    assert await app_password_in(accounts, "secret", now=Instant(8)) is None


@pytest.mark.parametrize(
    ("used_at", "is_noted"), [(None, True), (Instant(0), True), (Instant(1), False), (Instant(HOUR_MS), False)]
)
async def test_a_use_is_noted_once_an_hour(
    app_passwords: MemoryAppPasswords, used_at: Instant | None, is_noted: bool
) -> None:
    made, _ = await app_password_for(app_passwords, ALICE.account_id)
    assert is_use_to_note(replace(made, used_at=used_at), Instant(HOUR_MS)) == is_noted
