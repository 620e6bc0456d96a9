"""The addresses of lists that nobody declares."""

import pytest

from mailstack.model.address import parse_address
from mailstack.services.lists.names import Purpose, address_for, bounce_path, owners_of, purpose_of
from tests.support.mailing_lists import make_list

TEAM = make_list("team@example.com")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("team-owner@x.example", ("team@x.example", Purpose.OWNER, "")),
        ("Team-Request@x.example", ("team@x.example", Purpose.REQUEST, "")),
        ("a-b-bounces@x.example", ("a-b@x.example", Purpose.BOUNCES, "")),
        ("team-bounces+Bob=Y.example@x.example", ("team@x.example", Purpose.BOUNCES, "bob=y.example")),
        ("team-unsubscribe+a+b@x.example", ("team@x.example", Purpose.UNSUBSCRIBE, "a+b")),
        ("c++-dev-unsubscribe@x.example", ("c++-dev@x.example", Purpose.UNSUBSCRIBE, "")),
        (
            "c++-dev-bounces+a-owner+b=y.example@x.example",
            ("c++-dev@x.example", Purpose.BOUNCES, "a-owner+b=y.example"),
        ),
        ("team-owner-request@x.example", ("team-owner@x.example", Purpose.REQUEST, "")),
        ("-owner@x.example", None),
        ("team-owners@x.example", None),
        ("team+owner@x.example", None),
        ("team@x.example", None),
        ("owner@x.example", None),
    ],
)
def test_purposes(address: str, expected: tuple[str, Purpose, str] | None) -> None:
    assert purpose_of(parse_address(address)) == expected


def test_addresses_are_read_as_they_are_written() -> None:
    for purpose in (Purpose.OWNER, Purpose.REQUEST, Purpose.BOUNCES, Purpose.UNSUBSCRIBE):
        assert purpose_of(parse_address(address_for(TEAM, purpose))) == (TEAM.address, purpose, "")


@pytest.mark.parametrize(
    ("member", "path"),
    [
        ("bob@y.example", "team-bounces+bob=y.example@example.com"),
        ("b\u00f6b@y.example", "team-bounces+489857a@example.com"),
        (f"{'b' * 60}@y.example", "team-bounces+5f495cb@example.com"),
    ],
)
def test_a_bounce_names_its_member_in_a_path_that_every_server_takes(member: str, path: str) -> None:
    assert bounce_path(TEAM, member) == path
    longest = make_list(f"{'l' * 48}@example.com")
    assert len(bounce_path(longest, member).partition("@")[0]) <= 64


def test_the_postmaster_stands_for_owners_nobody_named() -> None:
    assert owners_of(TEAM) == ("postmaster@example.com",)
    assert owners_of(make_list("t@example.com", owners=("a@x.example",))) == ("a@x.example",)
