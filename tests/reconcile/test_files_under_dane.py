"""Certificate files that get another key under DANE: no key is used that senders may not know yet."""

from mailstack.model.instant import HOUR_MS, MINUTE_MS
from mailstack.model.resource import Kind
from mailstack.reconcile.providers.certs import check_pair, key_digest, self_signed
from tests.reconcile.test_issue import HOST, TLSA, World, tlsa, warnings_of, world
from tests.support.specs import SpecValue, spec_value

__all__ = ["world"]  # the fixture


def replace_files(world: World) -> str:
    """As certbot does, without --reuse-key. The new chain."""
    chain, key = self_signed((HOST,), world.clock())
    (world.folder / "mail.pem").write_text(chain)
    (world.folder / "mail.key").write_text(key)
    return chain


def spec(world: World) -> SpecValue:
    files = {"certificate": str(world.folder / "mail.pem"), "key": f"file/{world.folder / 'mail.key'}"}
    return spec_value(
        {
            "tls": {"issuer": "files", "dane": True, "files": [files]},
            "dns": {"zones": {"example.com": {"provider": "manual", "ttl": 600}}},
            "reconcile": {"drift_check": None},
        }
    )


async def test_at_no_moment_is_a_key_of_the_files_shown_that_dns_does_not_hold(world: World) -> None:
    replace_files(world)
    await world.apply(spec(world))
    old = await world.held()
    assert world.dns.servers["ns1"][TLSA] == (tlsa(old),)

    new = f"3 1 1 {key_digest(replace_files(world))}"
    (announced,) = (await world.apply(spec(world))).changes
    assert announced.reason == "the files have a new key: its TLSA record is published before it is used"
    assert set(world.dns.servers["ns1"][TLSA]) == {tlsa(old), new}
    while tlsa(await world.held()) != new:
        assert (await world.held()).certificate == old.certificate
        check_pair(old.certificate, await world.key())
        world.clock.advance(5 * MINUTE_MS)
        await world.apply(spec(world))
    assert set(world.dns.servers["ns1"][TLSA]) == {tlsa(old), new}
    check_pair((await world.held()).certificate, await world.key())
    world.clock.advance(HOUR_MS)
    (ended,) = (await world.apply(spec(world))).changes
    assert ended.reason == "the TLSA record of the former key is not needed any more"
    assert world.dns.servers["ns1"][TLSA] == (new,)
    assert (await world.plan(spec(world))).plan.is_empty


async def test_a_server_that_does_not_show_the_new_record_holds_the_key_up_and_nothing_else(world: World) -> None:
    replace_files(world)
    await world.apply(spec(world))
    old = await world.held()
    world.dns.servers["ns2"] = dict(world.dns.servers["ns1"])
    replace_files(world)
    await world.apply(spec(world))
    world.clock.advance(6 * HOUR_MS)
    plan = await world.apply(spec(world))
    assert (await world.held()).certificate == old.certificate
    assert warnings_of(plan) == ["the TLSA record of its new key is not seen yet at ns2; the old key goes on"]
    assert Kind.CERTIFICATE not in {change.kind for change in plan.changes}
