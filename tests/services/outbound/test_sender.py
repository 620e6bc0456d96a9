"""Whose address is whose, and paths as they are written."""

import pytest

from mailstack.model.address import Address
from mailstack.model.errors import Forbidden, Invalid
from mailstack.services.outbound.sender import forward_address, require_own
from mailstack.store.memory.accounts import MemoryAccounts
from tests.support.mailing_lists import make_list
from tests.support.memory_accounts import make_domain
from tests.support.outbound_world import ALICE, make_directory


@pytest.mark.parametrize(
    "text",
    [
        "alice@example.com",
        "ALICE@Example.COM",
        "a.example@example.com",
        "alice+lists@example.com",
        "alice@example.net",  # shares the addresses of example.com
        "alice+x@example.net",
    ],
)
async def test_own_addresses(text: str) -> None:
    await require_own(make_directory(), ALICE, text)


@pytest.mark.parametrize(
    "text",
    [
        "bob@example.com",
        "sales@example.com",  # an alias is nobody's own
        "both@example.com",
        "alice@elsewhere.test",
        "+alice@example.com",
        "nobody@example.com",
        "alice@[192.0.2.1]",
    ],
)
async def test_others_are_forbidden(text: str) -> None:
    with pytest.raises(Forbidden):
        await require_own(make_directory(), ALICE, text)


@pytest.mark.parametrize("text", ["anybody@all.test", "team@all.test", "team-owner@all.test", "all@all.test"])
async def test_who_gets_the_mail_of_an_address_may_not_write_as_it(text: str) -> None:
    """A catch-all, a list, an alias to the account alone."""
    accounts = MemoryAccounts(
        (ALICE,),
        aliases={"all@all.test": (ALICE.login,)},
        lists=(make_list("team@all.test", ALICE.login, owners=(ALICE.login,)),),
        domains=(make_domain("example.com"), make_domain("all.test", catch_all=ALICE.login)),
    )
    with pytest.raises(Forbidden):
        await require_own(accounts, ALICE, text)


@pytest.mark.parametrize("text", ["", "alice", "@example.com", "alice@", "a b@example.com", "alice@exa mple.com"])
async def test_what_is_no_address_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        await require_own(make_directory(), ALICE, text)


@pytest.mark.parametrize(
    ("path", "local_part", "domain"),
    [
        ("a@B.example", "a", "b.example"),
        ('"a b"@b.example', "a b", "b.example"),  # RFC 5321 §4.1.2
        ('"a\\"b"@b.example', 'a"b', "b.example"),
        ("Postmaster", "Postmaster", ""),  # RFC 5321 §4.5.1
        ("x@[192.0.2.1]", "x", "[192.0.2.1]"),
    ],
)
def test_forward_paths(path: str, local_part: str, domain: str) -> None:
    assert forward_address(path) == Address(local_part=local_part, domain=domain)


@pytest.mark.parametrize("path", ["", "nobody", "@x.example", "a@", "a@b..c"])
def test_bad_forward_paths(path: str) -> None:
    with pytest.raises(Invalid):
        forward_address(path)
