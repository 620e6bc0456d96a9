"""Whose wishes count for whom."""

from mailstack.model.ids import AccountId
from mailstack.model.principal import ALL_ABILITIES, Account
from mailstack.model.spam import SpamPolicy
from mailstack.services.spam.policies import Policies

SERVER, DOMAIN, OWN = SpamPolicy(junk_at=5), SpamPolicy(junk_at=4), SpamPolicy(junk_at=3)
POLICIES = Policies(server=SERVER, domains={"strict.test": DOMAIN})


def account(login: str, spam: SpamPolicy | None = None) -> Account:
    return Account(
        account_id=AccountId("a"),
        login=login,
        name="",
        addresses=(),
        roles=frozenset(),
        abilities=ALL_ABILITIES,
        quota_bytes=None,
        password_hash="",
        spam=spam,
    )


def test_the_account_comes_before_the_domain_and_that_before_the_server() -> None:
    assert POLICIES.of(account("a@strict.test", OWN)) == OWN
    assert POLICIES.of(account("a@strict.test")) == DOMAIN
    assert POLICIES.of(account("a@other.test")) == SERVER
    assert POLICIES.of(None) == SERVER


def test_where_the_server_scores_nothing_nobody_has_it_otherwise() -> None:
    off = SpamPolicy(is_scored=False)
    policies = Policies(server=off, domains={"strict.test": DOMAIN})
    assert policies.of(account("a@strict.test", OWN)) == off
