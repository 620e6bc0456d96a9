"""One fact each: what a desired resource beside a live one makes of a plan."""

from collections.abc import Mapping

import pytest

from mailstack.model.ids import Generation
from mailstack.model.resource import Json, Kind, Operation, Resource, Snapshot
from mailstack.reconcile.diff import diff
from mailstack.reconcile.plan import Change, FieldChange, Mark
from mailstack.reconcile.wanted import Wanted


def resource(
    name: str = "a", fields: Mapping[str, Json] | None = None, digests: Mapping[str, str] | None = None
) -> Resource:
    return Resource(kind=Kind.ACCOUNT, name=name, fields=fields or {}, digests=digests or {})


def changes(wanted: list[Wanted], *live: Resource) -> tuple[Change, ...]:
    held = {(item.kind, item.name): item for item in live}
    snapshot = Snapshot(generation=Generation(1), spec_hash="", resources=held)
    return tuple(step.change for step in diff(wanted, snapshot))


def fields_of_the_change(wanted: Wanted, *live: Resource) -> tuple[FieldChange, ...]:
    (change,) = changes([wanted], *live)
    return change.fields


def test_what_is_live_as_desired_is_no_change() -> None:
    same = resource(fields={"n": 1}, digests={"password": "d"})
    assert changes([Wanted(resource=same)], same) == ()


def test_what_is_not_live_is_created() -> None:
    (change,) = changes([Wanted(resource=resource())])
    assert (change.operation, change.kind, change.name) == (Operation.CREATE, "account", "a")


def test_what_is_not_desired_is_destroyed() -> None:
    (change,) = changes([], resource("gone"))
    assert (change.operation, change.name, change.fields) == (Operation.DESTROY, "gone", ())


def test_another_name_is_another_resource() -> None:
    found = changes([Wanted(resource=resource("new"))], resource("old"))
    assert [(change.operation, change.name) for change in found] == [
        (Operation.CREATE, "new"),
        (Operation.DESTROY, "old"),
    ]


def test_a_changed_field_shows_old_and_new_and_its_neighbours_nothing() -> None:
    wanted = Wanted(resource=resource(fields={"quota": 2, "name": "A"}))
    assert fields_of_the_change(wanted, resource(fields={"quota": 1, "name": "A"})) == (
        FieldChange(name="quota", old=1, new=2),
    )


@pytest.mark.parametrize("value", [None, "", []])
def test_a_created_resource_does_not_show_fields_that_say_nothing(value: Json) -> None:
    assert fields_of_the_change(Wanted(resource=resource(fields={"n": 0, "x": value}))) == (
        FieldChange(name="n", new=0),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [({"password": "1"}, {"password": "2"}), ({}, {"password": "2"})],
)
def test_a_secret_shows_only_that_it_changed(old: dict[str, str], new: dict[str, str]) -> None:
    wanted = Wanted(resource=resource(digests=new), secrets={"password": "plain"})
    assert fields_of_the_change(wanted, resource(digests=old)) == (FieldChange(name="password", mark=Mark.SECRET),)


def test_a_secret_taken_away_shows_as_removed() -> None:
    found = fields_of_the_change(Wanted(resource=resource()), resource(digests={"password": "1"}))
    assert found == (FieldChange(name="password", mark=Mark.SECRET_REMOVED),)


def test_what_apply_makes_is_known_afterwards() -> None:
    wanted = Wanted(resource=resource(fields={"public": ""}), made=("public", "private"))
    assert fields_of_the_change(wanted) == (
        FieldChange(name="public", mark=Mark.UNKNOWN),
        FieldChange(name="private", mark=Mark.SECRET),
    )


def test_what_is_made_anew_shows_what_it_replaces() -> None:
    wanted = Wanted(resource=resource(fields={"public": ""}), made=("public", "private"), reason="renewed")
    live = resource(fields={"public": "old"}, digests={"private": "d"})
    assert fields_of_the_change(wanted, live) == (
        FieldChange(name="public", old="old", mark=Mark.UNKNOWN),
        FieldChange(name="private", mark=Mark.SECRET),
    )


def test_a_field_of_an_older_version_goes() -> None:
    assert fields_of_the_change(Wanted(resource=resource()), resource(fields={"old": 1})) == (
        FieldChange(name="old", old=1, new=None),
    )
