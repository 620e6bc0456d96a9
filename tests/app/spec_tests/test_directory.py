"""What is written down of the directory's answers."""

from mailstack.app.spec_tests.directory import NotedAccounts
from mailstack.model.principal import Forward
from mailstack.store.memory.accounts import MemoryAccounts
from tests.support.mailing_lists import make_list
from tests.support.memory_accounts import make_account, make_domain

ALICE = make_account("alice@example.com", addresses=("a@example.com",))
GONE = make_account("gone@example.com", forward=Forward(targets=("x@y.example",), keep=False))
TARGETS = tuple(f"t{number}@x.example" for number in range(12))


def noted() -> NotedAccounts:
    return NotedAccounts(
        MemoryAccounts(
            (ALICE, GONE),
            aliases={"many@example.com": TARGETS},
            lists=(make_list("team@example.com", "a@x.example"),),
            domains=(
                make_domain("example.com", catch_all="alice@example.com"),
                make_domain("example.org", alias_of="example.com"),
            ),
        )
    )


async def test_answers_are_those_of_the_directory_behind() -> None:
    accounts = noted()
    assert await accounts.find("a@example.com") is ALICE
    assert await accounts.account(ALICE.account_id) is ALICE
    assert await accounts.domain("x.example") is None


async def test_each_answer_is_told_once_in_the_order_of_asking() -> None:
    accounts = noted()
    for _ in range(2):
        await accounts.domain("example.org")
        await accounts.domain("example.com")
        await accounts.domain("x.example")
        for name in ("whoever", "many", "team", "a", "alice", "gone"):
            await accounts.find(f"{name}@example.com")
    assert accounts.take_notes() == (
        "example.org is an alias of example.com",
        "x.example is not received here",
        "whoever@example.com belongs to nobody (catch_all of the domain: alice@example.com)",
        f"many@example.com is an alias of {', '.join(TARGETS[:10])} and 2 more",
        "team@example.com is a list of a@x.example",
        "a@example.com is an address of alice@example.com",
        "alice@example.com is an account (read, receive, submit)",
        "gone@example.com is an account (read, receive, submit) that forwards to x@y.example and keeps nothing",
    )
    assert accounts.take_notes() == ()
