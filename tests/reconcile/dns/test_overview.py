"""Every record of a spec, for looking."""

from mailstack.model.ids import Generation
from mailstack.model.resource import DkimKeyBody, DmarcBody, Kind, Operation, Resource, ResourceChange, fields_of
from mailstack.reconcile.dns.overview import every_record
from mailstack.reconcile.dns.zone_file import ZoneFileProvider
from mailstack.spec.model import Spec
from tests.support.memory_state import MemoryState
from tests.support.specs import spec_value


def spec(**settings: object) -> Spec:
    return spec_value({"domains": {"example.com": {"dkim": {"algorithms": ["ed25519"]}}}, **settings}).spec


async def values(wanted: Spec, state: MemoryState | None) -> dict[str, tuple[str, ...]]:
    return {f"{item.record.name} {item.record.type}": item.record.values for item in await every_record(wanted, state)}


async def test_keys_that_apply_has_yet_to_make_have_stand_ins() -> None:
    found = await values(spec(tls={"dane": True}), None)
    assert found["ed25519-1._domainkey.example.com TXT"] == ("v=DKIM1; k=ed25519; p=(known after apply)",)
    assert "_25._tcp.mail.example.com TLSA" in found


async def test_keys_of_the_state_are_shown_as_they_are() -> None:
    key = DkimKeyBody(domain="example.com", selector="s", algorithm="ed25519", public_key="AB")
    resource = Resource(kind=Kind.DKIM_KEY, name="s._domainkey.example.com", fields=fields_of(key))
    state = MemoryState()
    change = ResourceChange(operation=Operation.CREATE, resource=resource)
    await state.commit([change], base=Generation(0), spec_hash="x")
    found = await values(spec(), state)
    assert found["s._domainkey.example.com TXT"] == ("v=DKIM1; k=ed25519; p=AB",)
    both = spec(domains={"example.com": {"dkim": {"algorithms": ["ed25519", "rsa2048"]}}})
    # As apply would name it: by the generation to come.
    assert "rsa2048-2._domainkey.example.com TXT" in await values(both, state)
    assert "ed25519-1._domainkey.example.com TXT" not in found


async def test_a_policy_that_tightens_itself_is_shown_at_its_stage() -> None:
    wanted = spec(domains={"example.com": {"dmarc": {"policy": "auto"}}})
    assert (await values(wanted, None))["_dmarc.example.com TXT"] == ("v=DMARC1; p=none",)
    body = DmarcBody(stage="quarantine", since="2026-11-28T00:00:00Z")
    resource = Resource(kind=Kind.DMARC, name="example.com", fields=fields_of(body))
    state = MemoryState()
    change = ResourceChange(operation=Operation.CREATE, resource=resource)
    await state.commit([change], base=Generation(0), spec_hash="x")
    assert (await values(wanted, state))["_dmarc.example.com TXT"] == ("v=DMARC1; p=quarantine",)


async def test_records_of_no_zone_come_last() -> None:
    zones = {"zones": {"mail.example.com": {"provider": "manual"}}}
    found = await every_record(spec(dns=zones), None)
    assert [item.zone for item in found] == sorted((item.zone for item in found), key=lambda zone: zone == "")
    assert found[-1].zone == ""


class NoTlsa(ZoneFileProvider):
    """As Route 53's: no such type."""

    SUPPORTS = ZoneFileProvider.SUPPORTS - {"TLSA"}


async def test_a_type_that_the_providers_class_lacks_is_told_without_its_secrets() -> None:
    provider = {"class": f"{__name__}.NoTlsa", "token": "env/NOT_SET"}
    dns = {"providers": {"p": provider}, "zones": {"example.com": {"provider": "p"}}}
    found = await every_record(spec(tls={"dane": True}, dns=dns), None)
    assert {item.record.type for item in found if item.reason} == {"TLSA"}
    (tlsa,) = [item for item in found if item.reason]
    assert (tlsa.zone, tlsa.reason) == ("example.com", "provider p has no TLSA")


async def test_a_provider_that_is_not_installed_is_taken_to_publish_everything() -> None:
    dns = {"providers": {"p": {"class": "octodns_nowhere.Provider"}}, "zones": {"example.com": {"provider": "p"}}}
    assert not [item for item in await every_record(spec(dns=dns), None) if item.reason]
