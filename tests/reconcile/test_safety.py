"""What a plan warns of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from mailstack.model.ids import Generation
from mailstack.model.resource import Kind, Resource, Snapshot
from mailstack.reconcile.diff import diff
from mailstack.reconcile.safety import cautions, over_quota, unreachable
from mailstack.reconcile.wanted import Wanted
from tests.support.specs import spec_value


def account(name: str, *roles: str) -> Resource:
    return Resource(kind=Kind.ACCOUNT, name=name, fields={"roles": [*roles]})


def warned(live: Sequence[Resource], wanted: Sequence[Resource]) -> list[str]:
    held = {(item.kind, item.name): item for item in live}
    snapshot = Snapshot(generation=Generation(1), spec_hash="", resources=held)
    found = cautions(diff([Wanted(resource=item) for item in wanted], snapshot), snapshot)
    return [f"{item.subject}: {item.text}" for item in found]


def test_nothing_destroyed_is_nothing_to_warn_of() -> None:
    assert warned([account("a")], [account("a"), account("b")]) == []


def test_destroyed_accounts_are_named_and_their_mail_is_not_lost() -> None:
    (text,) = warned([account("a"), account("b")], [])
    assert text.startswith("accounts a, b: will be gone")
    assert text.endswith("mail that was there is kept for 30 days (mailstack restore)")


def test_many_are_counted() -> None:
    (text,) = warned([account(f"a{number}") for number in range(8)], [])
    assert text.startswith("accounts a0, a1, a2, a3, a4 and 3 more:")


def domain(name: str, catch_all: str | None = None) -> Resource:
    return Resource(kind=Kind.DOMAIN, name=name, fields={"catch_all": catch_all})


def alias(name: str) -> Resource:
    return Resource(kind=Kind.ALIAS, name=name, fields={"targets": ["b@example.com"]})


@pytest.mark.parametrize(
    ("live", "wanted", "fate"),
    [
        ([domain("example.com")], [domain("example.com")], "is refused"),
        ([domain("example.com")], [domain("example.com", "b@example.com")], "goes to the domain's catch_all;"),
        ([domain("example.com", "b@example.com")], [domain("example.com")], "is refused"),
        ([domain("example.com", "b@example.com")], [], "is refused"),
        ([domain("example.com")], [domain("example.com"), alias("a@example.com")], "goes to those who have the"),
    ],
)
def test_where_mail_to_a_destroyed_account_goes(live: list[Resource], wanted: list[Resource], fate: str) -> None:
    texts = warned([account("a@example.com"), *live], wanted)
    assert f"account a@example.com: will be gone: nobody can log in any more, new mail {fate}" in texts[0]


def test_a_further_address_of_another_account_takes_the_mail() -> None:
    taker = Resource(kind=Kind.ACCOUNT, name="b@example.com", fields={"addresses": ["a@example.com"]})
    (text,) = warned([account("a@example.com")], [taker])
    assert "new mail goes to those who have the address from then on" in text


def test_accounts_of_different_fates_are_told_apart() -> None:
    domains = [domain("example.com", "b@example.com"), domain("example.net")]
    texts = warned([account("a@example.com"), account("a@example.net"), *domains], domains)
    assert [text.partition(":")[0] for text in texts] == ["account a@example.com", "account a@example.net"]


def test_a_password_taken_away_is_a_warning() -> None:
    locked = replace(account("a"), digests={"password": "d"})
    assert warned([locked], [account("a")]) == ["account a: loses its password: nobody can log in"]
    assert warned([locked], [replace(locked, digests={"password": "e"})]) == []
    assert warned([account("a")], [locked]) == []


def test_a_destroyed_domain_is_named() -> None:
    assert warned([domain("example.com")], []) == ["domain example.com: will be gone: mail to it is refused"]


def quota(name: str, quota_bytes: int | None) -> Resource:
    return Resource(kind=Kind.ACCOUNT, name=name, fields={"quota_bytes": quota_bytes})


@pytest.mark.parametrize(
    ("before", "after", "held", "is_warned"),
    [
        (None, 100, 101, True),
        (None, 100, 100, False),
        (200, 100, 150, True),
        (200, None, 150, False),
        # It was over before, and this plan does not change that.
        (100, 100, 150, False),
    ],
)
async def test_a_quota_below_what_is_there_is_told(
    before: int | None, after: int | None, held: int, is_warned: bool
) -> None:
    async def held_bytes(logins: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(logins, held)

    live = Snapshot(generation=Generation(1), spec_hash="", resources={(Kind.ACCOUNT, "a"): quota("a", before)})
    found = await over_quota(diff([Wanted(resource=quota("a", after))], live), held_bytes)
    assert [warning.subject for warning in found] == (["account a"] if is_warned else [])


@pytest.mark.parametrize(
    ("endpoints", "told"),
    [([":25"], ""), (["192.0.2.1:25", ":2525"], ""), ([":2525"], "port 2525 instead"), ([], "no port at all")],
)
def test_a_server_that_nobody_can_deliver_to_is_told(endpoints: list[str], told: str) -> None:
    server = {"hostname": "mail.example.com", "listeners": {"smtp": endpoints}}
    texts = [warning.text for warning in unreachable(spec_value({"server": server}).spec)]
    assert [told in text for text in texts] == ([True] if told else [])
