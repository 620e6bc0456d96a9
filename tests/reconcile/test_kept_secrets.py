"""Secrets that cannot be read where a plan is made: kept for the very same resource, and for nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.instant import Instant
from mailstack.model.resource import Kind
from mailstack.reconcile.binding import digests_of
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.plan import document
from mailstack.reconcile.providers.certs import self_signed
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.secrets import SecretMissing
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

NOW = Instant(1_790_000_000_000)
ALICE = "alice@example.com"
RELAY = {"host": "relay.example.net", "username": "env/USER", "password": "env/PW"}


def reconciler(state: MemoryState, secrets: dict[str, str], *, keeps: bool = True) -> Reconciler:
    def resolve(reference: str, _directory: Path) -> str:
        if reference not in secrets:
            raise SecretMissing(f"{reference} was not sent")
        return secrets[reference]

    return Reconciler(
        state=state,
        clock=lambda: NOW,
        hash_password=lambda plain: f"$2b$12${plain:a<53}",
        brake=Brake(holders=nobody),
        resolve=resolve,
        keeps_secrets=keeps,
    )


async def applied(spec: SpecValue, secrets: dict[str, str]) -> MemoryState:
    state = MemoryState()
    first = reconciler(state, secrets)
    await first.apply(await first.plan(spec))
    return state


async def faults_of(state: MemoryState, spec: SpecValue, *, keeps: bool = True) -> list[str]:
    with pytest.raises(SpecInvalid) as invalid:
        await reconciler(state, {}, keeps=keeps).plan(spec)
    return [fault.message for fault in invalid.value.faults]


async def test_a_password_that_cannot_be_read_is_what_the_server_has() -> None:
    spec = spec_value({"accounts": {ALICE: {"password": "env/PW"}}})
    state = await applied(spec, {"env/PW": "open sesame"})
    assert (await reconciler(state, {}).plan(spec)).plan.is_empty


async def test_another_field_of_the_account_may_change_and_the_password_stays() -> None:
    state = await applied(spec_value({"accounts": {ALICE: {"password": "env/PW"}}}), {"env/PW": "open sesame"})
    before = await state.secrets(Kind.ACCOUNT)
    assert before[ALICE]["password"]
    renamed = spec_value({"accounts": {ALICE: {"password": "env/PW", "name": "Alice"}}})
    second = reconciler(state, {})
    await second.apply(await second.plan(renamed))
    assert await state.secrets(Kind.ACCOUNT) == before
    # Whoever can read it finds that it has not changed.
    assert (await reconciler(state, {"env/PW": "open sesame"}).plan(renamed)).plan.is_empty
    changed = (await reconciler(state, {"env/PW": "another"}).plan(renamed)).plan
    assert [field.name for change in changed.changes for field in change.fields] == ["password"]


async def test_an_account_that_is_new_needs_its_password() -> None:
    state = await applied(spec_value({}), {})
    told = await faults_of(state, spec_value({"accounts": {ALICE: {"password": "env/PW"}}}))
    assert told == ["env/PW was not sent"]


async def test_an_account_that_had_no_password_needs_it() -> None:
    state = await applied(spec_value({"accounts": {ALICE: {}}}), {})
    assert await faults_of(state, spec_value({"accounts": {ALICE: {"password": "env/PW"}}})) == ["env/PW was not sent"]


async def test_an_account_that_moves_takes_its_password_along() -> None:
    state = await applied(spec_value({"accounts": {ALICE: {"password": "env/PW"}}}), {"env/PW": "open sesame"})
    moved = spec_value(
        {
            "accounts": {"a@example.com": {"password": "env/PW"}},
            "moved": [{"from": ALICE, "to": "a@example.com"}],
        }
    )
    (change,) = (await reconciler(state, {}).plan(moved)).plan.changes
    assert (change.name, change.moved_from, change.fields) == ("a@example.com", ALICE, ())


async def test_a_relay_keeps_its_login() -> None:
    spec = spec_value({"relays": {"out": RELAY}})
    state = await applied(spec, {"env/USER": "us", "env/PW": "open sesame"})
    assert (await reconciler(state, {}).plan(spec)).plan.is_empty


@pytest.mark.parametrize("change", [{"host": "evil.example"}, {"port": 2525}, {"tls": "implicit"}])
async def test_a_login_that_only_the_server_knows_does_not_go_to_another_relay(change: dict[str, object]) -> None:
    state = await applied(spec_value({"relays": {"out": RELAY}}), {"env/USER": "us", "env/PW": "open sesame"})
    told = await faults_of(state, spec_value({"relays": {"out": {**RELAY, **change}}}))
    assert sorted(told) == ["env/PW was not sent", "env/USER was not sent"]


async def test_a_key_is_kept_for_its_own_certificate_only(tmp_path: Path) -> None:
    chain, key = self_signed(("mail.example.com",), NOW)
    (tmp_path / "mail.pem").write_text(chain)
    files = [{"certificate": str(tmp_path / "mail.pem"), "key": "env/KEY"}]
    spec = spec_value({"tls": {"issuer": "files", "files": files}})
    state = await applied(spec, {"env/KEY": key})
    assert (await reconciler(state, {}).plan(spec)).plan.is_empty
    (tmp_path / "mail.pem").write_text(self_signed(("mail.example.com",), NOW)[0])
    assert await faults_of(state, spec) == ["env/KEY was not sent"]


GUESSES: dict[str, dict[str, object]] = {
    "the same": {"accounts": {ALICE: {"password": "env/PW"}}, "relays": {"out": RELAY}},
    "another host of the relay": {
        "accounts": {ALICE: {"password": "env/PW"}},
        "relays": {"out": {**RELAY, "host": "other.example.net"}},
    },
    "a login that is no reference": {
        "accounts": {ALICE: {"password": "env/PW"}},
        "relays": {"out": {**RELAY, "username": "us"}},
    },
    "an account that moves twice": {
        "accounts": {"c@example.com": {"password": "env/PW"}},
        "relays": {"out": RELAY},
        "moved": [{"from": ALICE, "to": "b@example.com"}, {"from": "b@example.com", "to": "c@example.com"}],
    },
    "a domain that moves": {
        "domains": {"example.net": {}},
        "accounts": {"alice@example.net": {"password": "env/PW"}},
        "relays": {"out": RELAY},
        "moved": [{"from": "example.com", "to": "example.net"}],
    },
}


@pytest.mark.parametrize("spec", GUESSES.values(), ids=GUESSES)
async def test_a_plan_that_tells_no_guesses_is_the_same_for_right_and_wrong_ones(spec: dict[str, object]) -> None:
    before = spec_value(GUESSES["the same"])
    state = await applied(before, {"env/USER": "us", "env/PW": "open sesame"})
    right, wrong = {"env/USER": "us", "env/PW": "open sesame"}, {"env/USER": "them", "env/PW": "a guess"}
    plans = [
        (await replace(reconciler(state, secrets), tells_guesses=False).plan(spec_value(spec))).plan
        for secrets in (right, wrong)
    ]
    assert document(plans[0]) == document(plans[1])
    subjects = [warning.subject for warning in plans[0].warnings if "(secret, may change)" in warning.text]
    assert [subject.partition(" ")[0] for subject in subjects] == ["account", "relay"]
    assert not any(digests_of(plans[0].changes).values())


async def test_a_hash_is_no_guess_and_is_compared() -> None:
    spec = spec_value({"accounts": {ALICE: {"password": "env/PW"}}})
    state = await applied(spec, {"env/PW": f"$2b$12${'a' * 53}"})
    blind = replace(reconciler(state, {"env/PW": f"$2b$12${'b' * 53}"}), tells_guesses=False)
    plan = (await blind.plan(spec)).plan
    assert [field.name for change in plan.changes for field in change.fields] == ["password"]
    assert all(digests_of(plan.changes).values())


async def test_elsewhere_a_secret_that_is_missing_is_a_fault() -> None:
    spec = spec_value({"accounts": {ALICE: {"password": "env/PW"}}})
    state = await applied(spec, {"env/PW": "open sesame"})
    assert await faults_of(state, spec, keeps=False) == ["env/PW was not sent"]


@pytest.mark.parametrize(("has_key", "told"), [(True, []), (False, ["not on this machine"])])
async def test_what_is_shown_to_an_authority_is_read_on_this_machine(has_key: bool, told: list[str]) -> None:
    def here(_reference: str, _directory: Path) -> str:
        if not has_key:
            raise SecretMissing("not on this machine")
        return "key of the account"

    acme = {"directory": "https://ca.example.net/d", "eab": {"key_id": "us", "key": "env/EAB"}}
    spec = spec_value({"tls": {"issuer": "acme", "acme": acme}})
    planning = replace(reconciler(MemoryState(), {}), resolve_for_dns=here)
    try:
        await planning.plan(spec)
        faults = []
    except SpecInvalid as invalid:
        faults = [fault.message for fault in invalid.faults]
    assert faults == told
