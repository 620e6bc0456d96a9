"""ports.scripts on every engine."""

import asyncio
from dataclasses import replace

import pytest

from mailstack.model.errors import AlreadyExists, Conflict, DomainError, InUse, NotFound, QuotaExceeded, TooMany
from mailstack.model.ids import AccountId, ScriptId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.model.resource import Kind, Resource, ScriptBody, fields_of
from mailstack.model.script import Activation, EditedScripts, ScriptEdit, ScriptQuota
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.stores import account_resource, apply, created, destroyed, make_account

QUOTA = ScriptQuota(scripts=3, octets=100)


async def put(store: Store, account_id: AccountId, *names: str, content: bytes = b"keep;") -> None:
    for name in names:
        await store.scripts.put(account_id, name, content, quota=QUOTA)


async def listed(store: Store, account_id: AccountId) -> list[tuple[str, int, bool]]:
    return [(one.name, one.size_octets, one.is_active) for one in await store.scripts.all(account_id)]


async def test_a_script_is_kept_by_its_name(store: Store, account_id: AccountId) -> None:
    for name in ("b", "../../etc/passwd", "Überfluß " * 14, "B"):
        content = name.encode() + b"\x00\r\n"
        await store.scripts.put(account_id, name, content, quota=ScriptQuota(scripts=4, octets=1_000))
        assert await store.scripts.read(account_id, name) == content

    assert [one.name for one in await store.scripts.all(account_id)] == sorted(
        ["b", "../../etc/passwd", "Überfluß " * 14, "B"]
    )
    assert len({one.script_id for one in await store.scripts.all(account_id)}) == 4


async def test_there_is_none_at_first(store: Store, account_id: AccountId) -> None:
    assert await store.scripts.all(account_id) == []
    assert (await store.scripts.running(account_id)).active is None
    await store.scripts.activate(account_id, None)  # RFC 5804 §2.8: not an error


async def test_what_is_put_again_stays_what_it_was(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b")
    await store.scripts.activate(account_id, "a")
    before = await store.scripts.all(account_id)
    await put(store, account_id, "a", content=b"discard;")

    assert await listed(store, account_id) == [("a", 8, True), ("b", 5, False)]
    assert [one.script_id for one in await store.scripts.all(account_id)] == [one.script_id for one in before]
    assert (await store.scripts.running(account_id)).active == b"discard;"


async def test_one_is_active(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a")
    await put(store, account_id, "b", content=b"stop;")
    await store.scripts.activate(account_id, "a")
    await store.scripts.activate(account_id, "b")
    await store.scripts.activate(account_id, "b")
    assert await listed(store, account_id) == [("a", 5, False), ("b", 5, True)]
    assert (await store.scripts.running(account_id)).active == b"stop;"

    await store.scripts.activate(account_id, None)
    assert (await store.scripts.running(account_id)).active is None


async def test_a_renamed_one_stays_active(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b")
    await store.scripts.activate(account_id, "a")
    await store.scripts.rename(account_id, "a", "c")
    assert await listed(store, account_id) == [("b", 5, False), ("c", 5, True)]


async def test_a_removed_one_is_gone(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b")
    await store.scripts.remove(account_id, "a")
    assert await listed(store, account_id) == [("b", 5, False)]


async def test_what_there_is_not(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a")
    await store.scripts.activate(account_id, "a")
    for asked in (
        store.scripts.read(account_id, "A"),
        store.scripts.activate(account_id, "b"),
        store.scripts.rename(account_id, "b", "c"),
        store.scripts.remove(account_id, "b"),
    ):
        with pytest.raises(NotFound):
            await asked
    assert await listed(store, account_id) == [("a", 5, True)]


async def test_a_name_that_is_taken(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b")
    with pytest.raises(AlreadyExists):
        await store.scripts.rename(account_id, "a", "b")
    assert await listed(store, account_id) == [("a", 5, False), ("b", 5, False)]


async def test_the_active_one_is_not_removed(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a")
    await store.scripts.activate(account_id, "a")
    with pytest.raises(InUse):
        await store.scripts.remove(account_id, "a")
    assert await listed(store, account_id) == [("a", 5, True)]


@pytest.mark.parametrize(
    ("name", "size_octets", "refusal"),
    [
        ("d", 1, TooMany),
        ("a", 91, QuotaExceeded),  # b and c have 10
        ("a", 90, None),
    ],
)
async def test_quotas(
    store: Store, account_id: AccountId, name: str, size_octets: int, refusal: type[DomainError] | None
) -> None:
    await put(store, account_id, "a", "b", "c")
    before = await listed(store, account_id)
    if refusal is None:
        await store.scripts.check_space(account_id, name, size_octets, quota=QUOTA)
        await put(store, account_id, name, content=b"x" * size_octets)
        return
    with pytest.raises(refusal):
        await store.scripts.check_space(account_id, name, size_octets, quota=QUOTA)
    with pytest.raises(refusal):
        await put(store, account_id, name, content=b"x" * size_octets)
    assert await listed(store, account_id) == before


async def test_each_account_has_its_own(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    await put(store, account_id, "a", "b", "c")
    await put(store, other, "a", content=b"stop;")
    await store.scripts.activate(account_id, "a")
    await store.scripts.activate(other, "a")

    assert (await store.scripts.running(account_id)).active == b"keep;"
    assert (await store.scripts.running(other)).active == b"stop;"


async def test_nobody_has_no_scripts(store: Store) -> None:
    nobody = AccountId("0" * 16)
    with pytest.raises(NotFound):
        await put(store, nobody, "a")
    assert await listed(store, nobody) == []


async def test_of_two_who_activate_at_once_one_is_last(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b", "c")
    await asyncio.gather(*(store.scripts.activate(account_id, name) for name in "abcabcabc"))

    assert [is_active for _, _, is_active in await listed(store, account_id)].count(True) == 1


async def test_of_many_who_put_at_once_no_more_than_the_quota_do(store: Store, account_id: AccountId) -> None:
    results = await asyncio.gather(*(put(store, account_id, name) for name in "abcdef"), return_exceptions=True)

    assert [isinstance(result, TooMany) for result in results].count(True) == 3
    assert len(await listed(store, account_id)) == 3


async def test_they_go_when_the_trash_lets_the_account_go(
    store: Store, account_id: AccountId, clock: FakeClock
) -> None:
    await put(store, account_id, "a")
    await apply(store, destroyed(account_resource("alice@example.com")))
    await store.trash.purge(now=Instant(clock() + 29 * DAY_MS))
    assert await listed(store, account_id) == [("a", 5, False)]

    await store.trash.purge(now=Instant(clock() + 31 * DAY_MS))
    assert await listed(store, account_id) == []


NEITHER = Activation()


async def ids_of(store: Store, account_id: AccountId) -> dict[str, ScriptId]:
    return {one.name: one.script_id for one in await store.scripts.all(account_id)}


async def edit(
    store: Store,
    account_id: AccountId,
    *edits: ScriptEdit,
    activation: Activation = NEITHER,
    if_number: int | None = None,
) -> EditedScripts:
    return await store.scripts.edit(account_id, edits, activation=activation, quota=QUOTA, if_number=if_number)


def outcomes(edited: EditedScripts) -> list[str]:
    return [type(one).__name__ if isinstance(one, DomainError) else "" for one in edited.outcomes]


def new(name: str | None, content: bytes = b"keep;") -> ScriptEdit:
    return ScriptEdit(script_id=None, name=name, content=content)


async def test_edits_are_done_at_once(store: Store, account_id: AccountId) -> None:
    await put(store, account_id, "a", "b", "c")
    await store.scripts.activate(account_id, "a")
    ids = await ids_of(store, account_id)
    edited = await edit(
        store,
        account_id,
        new("c", b"stop;"),  # c makes room
        ScriptEdit(script_id=ids["a"], name="b"),  # and these change names
        ScriptEdit(script_id=ids["b"], name="a", content=b"discard;"),
        ScriptEdit(script_id=ids["c"], is_removed=True),
        activation=Activation(edit=0),
    )
    assert outcomes(edited) == ["", "", "", ""]
    assert await listed(store, account_id) == [("a", 8, False), ("b", 5, False), ("c", 5, True)]
    after = await ids_of(store, account_id)
    assert (after["a"], after["b"]) == (ids["b"], ids["a"])
    assert after["c"] not in ids.values()
    assert (edited.activated, edited.deactivated) == (after["c"], ids["a"])
    assert await store.scripts.read(account_id, "a") == b"discard;"


@pytest.mark.parametrize(
    ("edits", "expected", "names"),
    [
        ((new("a"),), ["AlreadyExists"], "abc"),
        ((new("d"),), ["TooMany"], "abc"),
        ((ScriptEdit(script_id=ScriptId("0" * 16), name="d"),), ["NotFound"], "abc"),
        ((ScriptEdit(script_id=ScriptId("a"), is_removed=True),), ["InUse"], "abc"),
        ((ScriptEdit(script_id=ScriptId("b"), name="c"),), ["AlreadyExists"], "abc"),
        # What would have made room stays.
        ((ScriptEdit(script_id=ScriptId("a"), name="d"), ScriptEdit(script_id=ScriptId("b"), name="c")),
         ["", "AlreadyExists"], "bcd"),
        ((ScriptEdit(script_id=ScriptId("b"), name="c"), ScriptEdit(script_id=ScriptId("c"), content=b"stop;")),
         ["AlreadyExists", ""], "abc"),
        ((ScriptEdit(script_id=ScriptId("b"), name="d"), ScriptEdit(script_id=ScriptId("c"), name="d")),
         ["", "AlreadyExists"], "acd"),
        ((ScriptEdit(script_id=ScriptId("b"), content=b"x" * 91),), ["QuotaExceeded"], "abc"),
        ((ScriptEdit(script_id=ScriptId("b"), content=b"x" * 90),), [""], "abc"),
        ((ScriptEdit(script_id=ScriptId("b"), content=b"x" * 95), ScriptEdit(script_id=ScriptId("c"), is_removed=True)),
         ["", ""], "ab"),
    ],
    ids=range(11),
)  # fmt: skip
async def test_edits_that_cannot_be(
    store: Store, account_id: AccountId, edits: tuple[ScriptEdit, ...], expected: list[str], names: str
) -> None:
    """Script ids of the table are names."""
    await put(store, account_id, "a", "b", "c")
    await store.scripts.activate(account_id, "a")
    ids = await ids_of(store, account_id)
    named = [replace(one, script_id=one.script_id and ids.get(one.script_id, one.script_id)) for one in edits]
    edited = await edit(store, account_id, *named, activation=Activation(script_id=ids["b"]))
    assert outcomes(edited) == expected
    assert "".join(await ids_of(store, account_id)) == names
    # RFC 9661 §2.4: only if all succeed.
    assert edited.activated == (None if any(expected) else ids["b"])


@pytest.mark.parametrize(
    ("activation", "active"),
    [
        (Activation(), "a"),
        (Activation(deactivates=True), ""),
        (Activation(script_id=ScriptId("b")), "b"),
        (Activation(script_id=ScriptId("b"), deactivates=True), "b"),
        (Activation(script_id=ScriptId("a")), "a"),
        (Activation(script_id=ScriptId("nothing")), "a"),
        (Activation(script_id=ScriptId("nothing"), deactivates=True), ""),
    ],
    ids=range(7),
)
async def test_which_is_active_after_edits(
    store: Store, account_id: AccountId, activation: Activation, active: str
) -> None:
    await put(store, account_id, "a", "b")
    await store.scripts.activate(account_id, "a")
    ids = await ids_of(store, account_id)
    wanted = replace(activation, script_id=ids.get(activation.script_id or "", activation.script_id))
    edited = await edit(store, account_id, activation=wanted)
    assert [name for name, _, is_active in await listed(store, account_id) if is_active] == [*active]
    assert edited.activated == (ids["b"] if active == "b" else None)
    assert edited.deactivated == (None if active == "a" else ids["a"])
    assert edited.number - edited.number_before == {"a": 0, "": 1, "b": 2}[active]


async def test_a_new_one_without_a_name_is_called_as_its_id(store: Store, account_id: AccountId) -> None:
    edited = await edit(store, account_id, new(None), new(None))
    assert sorted(await ids_of(store, account_id)) == sorted(map(str, edited.outcomes))


async def test_every_change_is_in_the_journal(store: Store, account_id: AccountId) -> None:
    async def number() -> int:
        return await store.object_journal.number(account_id, ObjectKind.SCRIPT)

    numbers = [await number()]
    for change in (
        lambda: put(store, account_id, "a"),
        lambda: put(store, account_id, "a"),
        lambda: store.scripts.activate(account_id, "a"),
        lambda: store.scripts.activate(account_id, "a"),
        lambda: store.scripts.rename(account_id, "a", "b"),
        lambda: store.scripts.activate(account_id, None),
        lambda: store.scripts.remove(account_id, "b"),
        lambda: edit(store, account_id, new("c"), if_number=6),
    ):
        await change()
        numbers.append(await number())
    assert numbers == [0, 1, 2, 3, 3, 4, 5, 6, 7]
    with pytest.raises(Conflict):
        await edit(store, account_id, new("d"), if_number=6)
    changes = await store.object_journal.changed(account_id, ObjectKind.SCRIPT, JournalPoint(0), limit=10)
    assert changes.created == [*(await ids_of(store, account_id)).values()]


async def test_the_specs_script_begins_the_journal_anew(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    body = fields_of(ScriptBody(content="keep;", origin="file"))
    await apply(store, created(Resource(kind=Kind.SCRIPT, name="alice@example.com", fields=body)))
    assert await store.object_journal.number(account_id, ObjectKind.SCRIPT) == 1
    assert await store.object_journal.number(other, ObjectKind.SCRIPT) == 0
