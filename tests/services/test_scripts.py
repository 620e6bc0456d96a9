"""Scripts of accounts: names, sizes, and that nothing is kept which does not compile."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.errors import DomainError, Forbidden, Invalid, NotFound, QuotaExceeded, TooLarge, TooMany
from mailstack.model.ids import AccountId
from mailstack.model.resource import Kind, Resource, ScriptBody, fields_of
from mailstack.model.script import ScriptQuota
from mailstack.ports.store import Store
from mailstack.services.scripts import AccountScripts, checked_name
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.faults import Broken
from mailstack.sieve.limits import LIMITS
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import apply, created, destroyed, make_account

QUOTA = ScriptQuota(scripts=2, octets=30_000)
KEEP = b"keep;\r\n"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "store", clock=FakeClock(), bus=RecordingBus())
    yield opened
    await opened.close()


@pytest.fixture
async def account_id(store: Store) -> AccountId:
    return await make_account(store)


@pytest.fixture
def scripts(store: Store) -> AccountScripts:
    limits = replace(LIMITS, script_octets=20_000)
    return AccountScripts(store.scripts, store.accounts, EXTENSIONS, quota=QUOTA, limits=limits)


def files_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


async def test_a_life(scripts: AccountScripts, account_id: AccountId) -> None:
    await scripts.put(account_id, "a", KEEP)
    await scripts.activate(account_id, "a")
    await scripts.rename(account_id, "a", "b")
    assert [(one.name, one.is_active) for one in await scripts.all(account_id)] == [("b", True)]
    assert await scripts.read(account_id, "b") == KEEP

    await scripts.activate(account_id, None)
    await scripts.remove(account_id, "b")
    assert await scripts.all(account_id) == []


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"#comment\r\nInvalidSieveCommand;\r\n", "line 2"),  # RFC 5804 §2.6
        (b'require "nonsense"; keep;', "line 1"),
        (b"keep;\r\n" * 1_000 + b"kep;", "line 1001"),  # large enough for a thread
        (b"keep; # \xff", "line 1"),
    ],
)
async def test_what_does_not_compile_is_not_kept(
    scripts: AccountScripts, account_id: AccountId, content: bytes, where: str
) -> None:
    await scripts.put(account_id, "a", KEEP)
    with pytest.raises(Broken, match=where):
        await scripts.put(account_id, "a", content)
    with pytest.raises(Broken, match=where):
        await scripts.check(account_id, content)

    assert await scripts.read(account_id, "a") == KEEP


@pytest.mark.parametrize(
    ("content", "refusal"),
    [(b"", Invalid), (b"#" * 20_001, TooLarge), (b"#" * 16_000, QuotaExceeded)],
)
async def test_what_is_not_kept_for_its_size(
    scripts: AccountScripts, account_id: AccountId, content: bytes, refusal: type[DomainError]
) -> None:
    await scripts.put(account_id, "a", b"#" * 15_000)
    with pytest.raises(refusal):
        await scripts.put(account_id, "b", content)
    if content:
        with pytest.raises(refusal):
            await scripts.check_space(account_id, "b", len(content))

    await scripts.check_space(account_id, "a", 16_000)


async def test_a_check_looks_at_no_quota(scripts: AccountScripts, account_id: AccountId) -> None:
    await scripts.put(account_id, "a", KEEP)
    await scripts.put(account_id, "b", KEEP)
    with pytest.raises(TooMany):
        await scripts.put(account_id, "c", KEEP)
    await scripts.check(account_id, KEEP)  # RFC 5804 §2.12


async def test_a_name_is_the_same_however_it_is_composed(scripts: AccountScripts, account_id: AccountId) -> None:
    await scripts.put(account_id, "u\N{COMBINING DIAERESIS}ber", KEEP)
    await scripts.put(account_id, "\N{LATIN SMALL LETTER U WITH DIAERESIS}ber", KEEP)
    await scripts.activate(account_id, "u\N{COMBINING DIAERESIS}ber")

    assert [one.name for one in await scripts.all(account_id)] == ["\N{LATIN SMALL LETTER U WITH DIAERESIS}ber"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/", ".", "a\\b", "%s", "'; DROP TABLE script", "a" * 512])
async def test_path_traversal_in_the_sieve_store(
    scripts: AccountScripts, account_id: AccountId, tmp_path: Path, name: str
) -> None:
    before = files_below(tmp_path)
    await scripts.put(account_id, name, KEEP)

    assert await scripts.read(account_id, name) == KEEP
    assert files_below(tmp_path) == before
    with pytest.raises(NotFound):
        await scripts.read(account_id, name + "x" if len(name) < 512 else "x")


@pytest.mark.parametrize("name", ["a", " ", "\N{GRINNING FACE}" * 128, "a" * 512])
def test_a_name(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("", Invalid),
        ("a\0b", Invalid),
        ("a\r\nb", Invalid),
        ("\x7f", Invalid),
        ("\x85", Invalid),
        ("\u2028", Invalid),
        ("\u2029", Invalid),
        ("a" * 513, Invalid),
        ("\N{GRINNING FACE}" * 129, Invalid),
        ("a" + "\N{COMBINING DIAERESIS}\N{COMBINING DOT BELOW}" * 100_000, Invalid),
    ],
)
def test_what_is_no_name(name: str, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        checked_name(name)


async def test_a_script_of_the_spec_is_the_only_one_until_the_spec_lets_go(
    store: Store, scripts: AccountScripts, account_id: AccountId
) -> None:
    await scripts.put(account_id, "own", KEEP)
    await scripts.activate(account_id, "own")
    account = await store.accounts.account(account_id)
    assert account is not None
    fields = fields_of(ScriptBody(content="# of the spec\nkeep;\n", origin="file"))
    managed = Resource(kind=Kind.SCRIPT, name=account.login, fields=fields)
    await apply(store, created(managed))
    assert [(one.name, one.size_octets, one.is_active) for one in await scripts.all(account_id)] == [
        ("mailstack", 22, True)
    ]
    assert await scripts.read(account_id, "mailstack") == b"# of the spec\r\nkeep;\r\n"
    with pytest.raises(NotFound):
        await scripts.read(account_id, "own")
    await scripts.check(account_id, KEEP)
    for refused in (
        scripts.put(account_id, "mailstack", KEEP),
        scripts.put(account_id, "other", KEEP),
        scripts.check_space(account_id, "other", 5),
        scripts.activate(account_id, None),
        scripts.activate(account_id, "mailstack"),
        scripts.rename(account_id, "mailstack", "mine"),
        scripts.remove(account_id, "own"),
    ):
        with pytest.raises(Forbidden, match="kept in the server's configuration"):
            await refused
    await apply(store, destroyed(managed))
    assert [(one.name, one.is_active) for one in await scripts.all(account_id)] == [("own", True)]
    assert await scripts.read(account_id, "own") == KEEP
