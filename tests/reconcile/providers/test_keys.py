"""Which keys a spec asks for, and what a plan says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailstack.mailauth.dkim.keys import pair_of
from mailstack.model.errors import Conflict, Invalid, NotFound
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.resource import DkimKeyBody, Kind, Operation, ResourceChange, Rotation, body_of
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.plan import Change, Plan, PlanWarning
from mailstack.reconcile.providers.keys import linger_ms
from mailstack.reconcile.providers.rotation import ask_rotation
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.faults import SpecInvalid
from tests.support.fake_clock import FakeClock
from tests.support.memory_dns import MemoryDns
from tests.support.memory_state import MemoryState
from tests.support.published import publish_keys
from tests.support.specs import spec_value

ED25519 = {"algorithms": ["ed25519"]}
NAME = "ed25519-1._domainkey.example.com"


@dataclass
class Server:
    """One that applies to memory, and whose DNS shows what a test puts there."""

    state: MemoryState = field(default_factory=MemoryState)
    dns: MemoryDns = field(default_factory=MemoryDns)
    clock: FakeClock = field(default_factory=lambda: FakeClock(1_790_000_000_000))
    secrets: dict[str, str] = field(default_factory=dict)

    async def plan(self, **dkim: object) -> Plan:
        return (await self._reconciler.plan(spec_value({"domains": {"example.com": {"dkim": dkim}}}))).plan

    async def apply(self, **dkim: object) -> dict[str, str]:
        """Returns what the plan did to keys: their state afterwards, or "gone"."""
        spec = spec_value({"domains": {"example.com": {"dkim": dkim}}})
        prepared = await self._reconciler.plan(spec)
        await self._reconciler.apply(prepared)
        assert (await self._reconciler.plan(spec)).plan.is_empty
        keys = await self.keys()
        names = [change.name for change in prepared.plan.changes if change.kind == Kind.DKIM_KEY]
        return {name.partition(".")[0]: keys[name].state if name in keys else "gone" for name in names}

    async def keys(self) -> Mapping[str, DkimKeyBody]:
        resources = (await self.state.snapshot((Kind.DKIM_KEY,))).resources
        return {name: body_of(DkimKeyBody, resource) for (_, name), resource in resources.items()}

    async def publish(self) -> None:
        publish_keys(self.dns, (await self.keys()).values())

    @property
    def _reconciler(self) -> Reconciler:
        return Reconciler(
            state=self.state,
            clock=self.clock,
            hash_password=str,
            brake=Brake(holders=nobody, allowed=EVERYTHING_ALLOWED),
            live_dns=self.dns,
            resolve=lambda reference, _: self.secrets[reference],
        )


def pem(key: Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL if not isinstance(key, Ed25519PrivateKey)
                             else PrivateFormat.PKCS8, NoEncryption()).decode()  # fmt: skip


def given(selector: str, algorithm: str = "ed25519") -> dict[str, object]:
    return {"selector": selector, "algorithm": algorithm, "private_key": f"file/{selector}"}


def the_key(plan: Plan) -> Change:
    (change,) = [change for change in plan.changes if change.kind == Kind.DKIM_KEY]
    return change


def key_warnings(plan: Plan) -> list[PlanWarning]:
    return [warning for warning in plan.warnings if warning.subject.startswith("dkim_key")]


async def test_a_key_is_made_published_seen_and_then_signs() -> None:
    server = Server()
    assert await server.apply(**ED25519) == {"ed25519-1": "published"}
    (warning,) = key_warnings(await server.plan(**ED25519))
    assert warning.subject == f"dkim_key {NAME}"
    assert warning.text.endswith("ns1 does not have it; until then mail goes out unsigned")
    await server.publish()
    change = the_key(await server.plan(**ED25519))
    assert change.reason == "seen at ns1"
    assert next((item.name, item.old, item.new) for item in change.fields) == ("state", "published", "signs")
    assert await server.apply(**ED25519) == {"ed25519-1": "signs"}
    assert key_warnings(await server.plan(**ED25519)) == []


async def test_what_is_at_the_selector_instead_is_told() -> None:
    server = Server()
    await server.apply(**ED25519)
    server.dns.servers["ns1"][NAME, "TXT"] = ("v=DKIM1; k=ed25519; p=AAAA",)
    (warning,) = key_warnings(await server.plan(**ED25519))
    assert 'ns1 has something else there: "v=DKIM1; k=ed25519; p=AAAA"' in warning.text


async def test_a_rotation_takes_a_selector_that_never_was() -> None:
    server = Server()
    await server.apply(**ED25519)
    await server.publish()
    await server.apply(**ED25519, rotate_every="7d")
    server.clock.advance(7 * DAY_MS)
    assert await server.apply(**ED25519, rotate_every="7d") == {"ed25519-3": "published"}
    await server.publish()
    assert await server.apply(**ED25519, rotate_every="7d") == {"ed25519-3": "signs", "ed25519-1": "retired"}
    server.clock.advance(6 * DAY_MS)
    plan = await server.plan(**ED25519, rotate_every="7d")
    assert the_key(plan).reason.startswith("retired at 2026-")
    assert await server.apply(**ED25519, rotate_every="7d") == {"ed25519-1": "gone"}


async def test_an_algorithm_that_leaves_signs_until_what_is_asked_for_signs() -> None:
    server = Server()
    await server.apply(**ED25519)
    await server.publish()
    await server.apply(**ED25519)
    assert await server.apply(algorithms=["rsa2048"]) == {"rsa2048-3": "published"}
    (warning,) = key_warnings(await server.plan(algorithms=["rsa2048"]))
    assert warning.text.endswith("the keys before it sign meanwhile")
    await server.publish()
    assert await server.apply(algorithms=["rsa2048"]) == {"rsa2048-3": "signs", "ed25519-1": "retired"}
    server.clock.advance(6 * DAY_MS)
    assert await server.apply(algorithms=["rsa2048"]) == {"ed25519-1": "gone"}
    assert await server.apply() == {"ed25519-6": "published"}


async def test_a_key_that_never_signed_leaves_at_once() -> None:
    server = Server()
    await server.apply()
    assert await server.apply(algorithms=["rsa2048"]) == {"ed25519-1": "gone"}


async def test_a_domain_that_goes_takes_its_keys_along_and_the_plan_says_what_that_means() -> None:
    server = Server()
    await server.apply(**ED25519)
    await server.publish()
    await server.apply(**ED25519)
    plan = (await server._reconciler.plan(spec_value({"domains": {"example.org": {}}}))).plan
    (text,) = [warning.text for warning in plan.warnings if "DKIM" in warning.text]
    assert "mail that waits in the queue arrives with signatures that fail" in text
    assert NAME in plan.destroyed(Kind.DKIM_KEY)


async def test_a_key_of_the_spec_is_published_and_signs_and_its_follower_takes_over_in_order() -> None:
    server = Server(secrets={f"file/{name}": pem(Ed25519PrivateKey.generate()) for name in ("s1", "s2")})
    assert await server.apply(**ED25519, keys=[given("s1")]) == {"s1": "published"}
    held = (await server.keys())["s1._domainkey.example.com"]
    assert held.public_key == pair_of("ed25519", server.secrets["file/s1"]).public_key
    await server.publish()
    assert await server.apply(**ED25519, keys=[given("s1")]) == {"s1": "signs"}
    assert await server.apply(**ED25519, keys=[given("s2")]) == {"s2": "published"}
    await server.publish()
    assert await server.apply(**ED25519, keys=[given("s2")]) == {"s2": "signs", "s1": "retired"}
    stored = (await server.state.secrets(Kind.DKIM_KEY))["s2._domainkey.example.com"]["private_key"]
    assert pair_of("ed25519", stored).public_key == (await server.keys())["s2._domainkey.example.com"].public_key


RSA_1024 = pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505  must be refused


@pytest.mark.parametrize(
    ("algorithm", "secret", "told"),
    [
        ("rsa2048", RSA_1024, "an RSA key of 1024 bits (allowed: 2048 to 4096)"),
        ("rsa2048", pem(Ed25519PrivateKey.generate()), "an RSA key is needed"),
        ("ed25519", RSA_1024, "an Ed25519 key is needed"),
        ("ed25519", pem(ec.generate_private_key(ec.SECP256R1())), "an Ed25519 key is needed"),
        ("rsa2048", "not a key", "no private key in PEM"),
        ("rsa2048", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "no private key in PEM"),
    ],
)
async def test_a_key_that_cannot_sign_is_a_fault_of_the_spec(algorithm: str, secret: str, told: str) -> None:
    server = Server(secrets={"file/s1": secret})
    with pytest.raises(SpecInvalid) as raised:
        await server.plan(algorithms=[algorithm], keys=[given("s1", algorithm)])
    (fault,) = raised.value.faults
    assert fault.path == "domains[example.com].dkim.keys[0].private_key"
    assert told in fault.message
    assert "AAAA" not in fault.message


async def test_a_selector_never_stands_for_another_key() -> None:
    server = Server(secrets={"file/s1": pem(Ed25519PrivateKey.generate())})
    await server.apply(**ED25519, keys=[given("s1")])
    server.secrets["file/s1"] = pem(Ed25519PrivateKey.generate())
    with pytest.raises(SpecInvalid, match="s1 stands for another key already"):
        await server.plan(**ED25519, keys=[given("s1")])


async def test_a_made_key_passes_by_a_selector_that_the_spec_uses() -> None:
    server = Server(secrets={"file/rsa2048-1": pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))})
    found = await server.apply(keys=[{**given("rsa2048-1", "rsa2048")}])
    assert found == {"rsa2048-1": "published", "ed25519-1": "published"}


async def test_the_same_key_in_another_form_is_the_same_key(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server = Server(secrets={"file/s1": pem(key)})
    await server.apply(algorithms=["rsa2048"], keys=[given("s1", "rsa2048")])
    other_form = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    server.secrets["file/s1"] = f"\n{other_form}"
    assert (await server.plan(algorithms=["rsa2048"], keys=[given("s1", "rsa2048")])).is_empty


async def test_a_state_from_before_keys_had_states_is_read_and_kept() -> None:
    server = Server()
    await server.apply(**ED25519)
    snapshot = await server.state.snapshot()
    resource = snapshot.resources[Kind.DKIM_KEY, NAME]
    fields = {name: resource.fields[name] for name in ("domain", "selector", "algorithm", "public_key")}
    old = ResourceChange(operation=Operation.UPDATE, resource=replace(resource, fields=fields))
    await server.state.commit((old,), base=snapshot.generation, spec_hash=snapshot.spec_hash)
    assert (await server.plan(**ED25519)).is_empty
    assert (await server.keys())[NAME].state == "signs"
    assert await server.apply(**ED25519, rotate_every="90d") == {"ed25519-1": "signs"}


async def test_a_plan_to_sign_is_refused_when_the_keys_have_moved_meanwhile() -> None:
    server = Server()
    await server.apply(**ED25519)
    await server.publish()
    spec = spec_value({"domains": {"example.com": {"dkim": ED25519}}})
    first, second = await server._reconciler.plan(spec), await server._reconciler.plan(spec)
    await server._reconciler.apply(first)
    with pytest.raises(Conflict):
        await server._reconciler.apply(second)


async def test_a_rotation_that_is_asked_for_goes_the_same_way() -> None:
    server = Server()
    await server.apply(**ED25519)
    with pytest.raises(Conflict, match="takes over as soon as it is"):
        await ask_rotation(server.state, "example.com", (), Rotation.ASKED)
    await server.publish()
    await server.apply(**ED25519)
    (asked,) = await ask_rotation(server.state, "example.com", (), Rotation.ASKED)
    assert asked.selector == "ed25519-1"
    assert await server.apply(**ED25519) == {"ed25519-4": "published"}
    await server.publish()
    assert await server.apply(**ED25519) == {"ed25519-4": "signs", "ed25519-1": "retired"}
    with pytest.raises(NotFound):
        await ask_rotation(server.state, "example.com", ("rsa2048",), Rotation.ASKED)


async def test_keys_to_be_trusted_no_more_are_the_retired_ones_too() -> None:
    server = Server()
    await server.apply(**ED25519)
    await server.publish()
    await server.apply(**ED25519)
    await ask_rotation(server.state, "example.com", (), Rotation.ASKED)
    await server.apply(**ED25519)
    await server.publish()
    assert await server.apply(**ED25519) == {"ed25519-4": "signs", "ed25519-1": "retired"}
    await ask_rotation(server.state, "example.com", (), Rotation.AT_ONCE)
    assert await server.apply(**ED25519) == {
        "ed25519-7": "published",
        "ed25519-4": "gone",
        "ed25519-1": "gone",
    }


async def test_a_key_that_the_spec_gives_is_rotated_in_the_spec() -> None:
    server = Server(secrets={"file/s1": pem(Ed25519PrivateKey.generate())})
    await server.apply(**ED25519, keys=[given("s1")])
    with pytest.raises(Invalid, match="give another one there"):
        await ask_rotation(server.state, "example.com", (), Rotation.AT_ONCE)


async def test_the_next_look_is_soon() -> None:
    server = Server()
    prepared = await server._reconciler.plan(spec_value({"domains": {"example.com": {"dkim": ED25519}}}))
    assert prepared.again_at == Instant(server.clock.now + 60_000)


def test_the_record_of_a_retired_key_stays_as_long_as_mail_is_tried() -> None:
    five_days = linger_ms(spec_value({}).spec, "example.com")
    one_day = linger_ms(spec_value({"sending": {"lifetime": "1d"}}).spec, "example.com")
    assert five_days - one_day == 4 * DAY_MS
