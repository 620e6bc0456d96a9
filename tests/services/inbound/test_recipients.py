"""Who receives: the directory's rules as a table. RFC 5321 §3.6.2, §4.5.1, RFC 5233."""

import pytest

from mailstack.model.address import Address, parse_address
from mailstack.model.errors import Forbidden, NotFound
from mailstack.model.principal import Ability, Account
from mailstack.services.inbound.recipients import MAX_RESOLVED, Onward, Resolution, merge, resolve
from mailstack.store.memory.accounts import MemoryAccounts
from tests.support.memory_accounts import make_account, make_domain

ALICE = make_account("alice@example.com", addresses=("a.b+c@example.com", "alice@second.example"))
BOB = make_account("bob@example.com")
DEAF = make_account("deaf@example.com", abilities=frozenset({Ability.READ, Ability.SUBMIT}))
DASH = make_account("dash@second.example")

DIRECTORY = MemoryAccounts(
    (ALICE, BOB, DEAF, DASH),
    aliases={
        "sales@example.com": ("alice@example.com", "bob@example.com"),
        "all@example.com": ("sales@example.com", "bob@example.com", "friend@elsewhere.example", "deaf@example.com"),
        "out@example.com": ("Friend@elsewhere.example",),
        "chain@example.com": ("out@example.com", "x@elsewhere.example"),
        "detail@example.com": ("alice+detail@example.com",),
        "loop@example.com": ("pool@example.com",),
        "pool@example.com": ("loop@example.com", "bob@example.com"),
        "circle@example.com": ("circle@example.com",),
        "dead@example.com": ("gone@example.com",),
        "mixed@example.com": ("gone@example.com", "alice@example.com", "broken", "x@[127.0.0.1]"),
        "mute@example.com": ("deaf@example.com",),
        "list+owner@example.com": ("bob@example.com",),
    },
    domains=(
        make_domain("example.com"),
        make_domain("second.example", subaddress_separators="-+"),
        make_domain("plain.example", subaddress_separators=""),
        make_domain("twin.example", alias_of="example.com", catch_all="bob@example.com"),
        make_domain("lost.example", alias_of="undeclared.example"),
        make_domain("all.example", catch_all="alice@example.com"),
        make_domain("away.example", catch_all="x@elsewhere.example"),
    ),
)


@pytest.mark.parametrize(
    ("address", "accounts", "onward"),
    [
        ("alice@example.com", [ALICE], []),
        ("ALICE@EXAMPLE.COM", [ALICE], []),
        ("alice@second.example", [ALICE], []),
        ("alice+x@example.com", [ALICE], []),
        ("alice+x+y@example.com", [ALICE], []),
        ("alice+@example.com", [ALICE], []),
        ("a.b+c@example.com", [ALICE], []),  # the exact address before the one without detail
        ("list+owner@example.com", [BOB], []),
        ("dash-x+y@second.example", [DASH], []),
        ("dash+x-y@second.example", [DASH], []),
        ("sales@example.com", [ALICE, BOB], []),
        ("sales+x@example.com", [ALICE, BOB], []),
        ("all@example.com", [ALICE, BOB], ["friend@elsewhere.example"]),
        ("out@example.com", [], ["friend@elsewhere.example"]),
        ("detail@example.com", [ALICE], []),
        ("loop@example.com", [BOB], []),
        ("mixed@example.com", [ALICE], ["x@[127.0.0.1]"]),
        ("alice@twin.example", [ALICE], []),
        ("alice+x@twin.example", [ALICE], []),
        ("sales@twin.example", [ALICE, BOB], []),
        ("whoever@all.example", [ALICE], []),
        ("whoever@away.example", [], ["x@elsewhere.example"]),
        ("postmaster@all.example", [ALICE], []),
        ("postmaster@example.com", [BOB], []),
        ("PostMaster@twin.example", [BOB], []),
    ],
)
async def test_who_receives(address: str, accounts: list[Account], onward: list[str]) -> None:
    found = await resolve(DIRECTORY, parse_address(address), postmaster="bob@example.com")
    assert {account.login for account in found.accounts} == {account.login for account in accounts}
    assert len(found.accounts) == len(accounts)
    assert [target for each in found.onward for target in each.targets] == onward


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("nobody@example.com", NotFound),
        ("+alice@example.com", NotFound),
        ("alice-x@example.com", NotFound),
        ("alice+x@plain.example", NotFound),
        ("dead@example.com", NotFound),
        ("circle@example.com", NotFound),
        ("nobody@twin.example", NotFound),  # the twin's own catch-all does not count
        ("alice@lost.example", NotFound),
        ("deaf@example.com", Forbidden),
        ("mute@example.com", Forbidden),
        ("x@elsewhere.example", Forbidden),
        ("alice@sub.example.com", Forbidden),
        ("alice@[127.0.0.1]", Forbidden),
        ("alice@[IPv6:::1]", Forbidden),
    ],
)
async def test_who_does_not(address: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await resolve(DIRECTORY, parse_address(address), postmaster="bob@example.com")


async def test_postmaster_without_a_domain_is_the_admin() -> None:
    bare = Address(local_part="Postmaster", domain="")
    assert (await resolve(DIRECTORY, bare, postmaster="bob@example.com")).accounts == (BOB,)
    for address in (bare, parse_address("postmaster@example.com")):
        with pytest.raises(NotFound):
            await resolve(DIRECTORY, address)


async def test_an_alias_that_grew_out_of_bounds_is_refused_for_all() -> None:
    """Those who were left out would not know, nor would the sender."""
    wide = MemoryAccounts(
        (BOB,),
        aliases={
            "wide@example.com": tuple(f"x{number}@elsewhere.example" for number in range(MAX_RESOLVED)),
            "wider@example.com": tuple(f"x{number}@elsewhere.example" for number in range(MAX_RESOLVED + 1)),
            "both@example.com": ("bob@example.com", "deep0@example.com"),
            **{f"deep{number}@example.com": (f"deep{number + 1}@example.com",) for number in range(50)},
            "deep50@example.com": ("bob@example.com",),
        },
        domains=(make_domain("example.com"),),
    )
    (onward,) = (await resolve(wide, parse_address("wide@example.com"))).onward
    assert len(onward.targets) == MAX_RESOLVED
    for address in ("wider@example.com", "deep0@example.com", "both@example.com"):
        with pytest.raises(Forbidden):
            await resolve(wide, parse_address(address))
    assert (await resolve(wide, parse_address("deep40@example.com"))).accounts == (BOB,)


async def test_what_goes_on_does_so_from_the_address_that_leads_there() -> None:
    """Not from the one that was written: a chain of aliases here, a domain's alias, a detail."""
    for address in ("all@example.com", "all+x@example.com", "all@twin.example"):
        found = await resolve(DIRECTORY, parse_address(address))
        assert found.onward == (Onward(address="all@example.com", targets=("friend@elsewhere.example",)),)
    chain = await resolve(DIRECTORY, parse_address("chain@example.com"))
    assert [each.address for each in chain.onward] == ["out@example.com", "chain@example.com"]


def test_merged_resolutions_hold_everyone_once() -> None:
    one = Resolution(
        accounts=(ALICE, BOB),
        external=("x@elsewhere.example",),
        onward=(Onward(address="a@example.com", targets=("f@elsewhere.example", "g@elsewhere.example")),),
    )
    two = Resolution(
        accounts=(BOB,),
        external=("y@elsewhere.example", "x@elsewhere.example"),
        onward=(
            Onward(address="b@example.com", targets=("g@elsewhere.example", "y@elsewhere.example")),
            Onward(address="a@example.com", targets=("h@elsewhere.example",)),
        ),
    )
    assert merge([one, two]) == Resolution(
        accounts=(ALICE, BOB),
        external=("x@elsewhere.example", "y@elsewhere.example"),
        onward=(
            Onward(
                address="a@example.com",
                targets=("f@elsewhere.example", "g@elsewhere.example", "h@elsewhere.example"),
            ),
        ),
    )
