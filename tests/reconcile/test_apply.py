"""What is written, and in which order; which passwords are hashed."""

import pytest

from mailstack.model.instant import Instant
from mailstack.model.resource import Kind, Operation, Resource, ResourceChange
from mailstack.reconcile.apply import Workshop, writes_of
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import Change, FieldChange, Mark
from mailstack.reconcile.progress import Event, PasswordHashed
from mailstack.reconcile.wanted import Wanted, keyed_digest

DIGEST = keyed_digest(b"k" * 32)
BCRYPT = "$2b$12$" + "a" * 53


def step(operation: Operation, kind: Kind, name: str, *, password: str | None = None) -> Step:
    secrets = {} if password is None else {"password": password}
    digests = dict.fromkeys(secrets, "planned under another key")
    fields = (FieldChange(name="password", mark=Mark.SECRET),) if kind is Kind.ACCOUNT else ()
    resource = Resource(kind=kind, name=name, fields={}, digests=digests)
    change = Change(operation=operation, kind=kind.value, name=name, fields=fields)
    return Step(change=change, wanted=Wanted(resource=resource, secrets=secrets))


async def written(*steps: Step, events: list[Event] | None = None) -> tuple[ResourceChange, ...]:
    workshop = Workshop(
        digest=DIGEST,
        hash_password=lambda plain: f"hashed {plain}",
        clock=lambda: Instant(0),
        progress=(events if events is not None else []).append,
    )
    return await writes_of(steps, workshop)


@pytest.mark.parametrize(("password", "stored"), [("open sesame", "hashed open sesame"), (BCRYPT, BCRYPT), (None, "")])
async def test_plain_passwords_are_hashed_and_hashes_kept(password: str | None, stored: str) -> None:
    (change,) = await written(step(Operation.UPDATE, Kind.ACCOUNT, "a", password=password))
    assert change.secrets == {"password": stored}


async def test_digests_are_made_under_the_key_of_the_store_that_is_written() -> None:
    (change,) = await written(step(Operation.CREATE, Kind.ACCOUNT, "a", password="x"))
    assert change.resource.digests == {"password": DIGEST(Kind.ACCOUNT, "a", "password", "x")}


async def test_the_same_password_is_hashed_for_each_account() -> None:
    events: list[Event] = []
    steps = [step(Operation.CREATE, Kind.ACCOUNT, name, password="same") for name in ("a", "b")]
    await written(*steps, events=events)
    assert events == [PasswordHashed(done=1, total=2), PasswordHashed(done=2, total=2)]


async def test_what_leaves_makes_room_first() -> None:
    changes = await written(
        step(Operation.CREATE, Kind.ALIAS, "new"),
        step(Operation.CREATE, Kind.DOMAIN, "new"),
        step(Operation.UPDATE, Kind.ALIAS, "changed"),
        step(Operation.DESTROY, Kind.DOMAIN, "old"),
        step(Operation.DESTROY, Kind.ALIAS, "old"),
    )
    assert [(change.operation, change.resource.kind) for change in changes] == [
        (Operation.DESTROY, Kind.ALIAS),
        (Operation.DESTROY, Kind.DOMAIN),
        (Operation.UPDATE, Kind.ALIAS),
        (Operation.CREATE, Kind.DOMAIN),
        (Operation.CREATE, Kind.ALIAS),
    ]
