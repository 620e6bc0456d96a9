"""Domains, aliases and lists, as they are applied."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from mailstack.model.resource import (
    AliasBody,
    DkimKeyBody,
    DomainBody,
    Json,
    KeyState,
    Kind,
    ListBody,
    Operation,
    Resource,
    ResourceChange,
    fields_of,
)
from tests.support.admin_world import HOSTILE, AdminWorld, admin_world, is_harmless

DOMAIN = DomainBody(catch_all=HOSTILE, subaddress_separators="+", alias_of=None, dkim_algorithms=("ed25519",))
KEY = DkimKeyBody(domain="a.example", selector="s1", algorithm="ed25519", public_key="x")
LIST = ListBody(
    name=HOSTILE,
    description="",
    members=("x@a.example", "y@a.example"),
    owners=(),
    post="members",
    posters=(),
    subject_prefix="",
    reply_to="author",
    unsubscribe=True,
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        state = found.store.state
        changes = [
            _made(Kind.DOMAIN, "a.example", fields_of(DOMAIN)),
            _made(Kind.DKIM_KEY, "s1._domainkey.a.example", fields_of(KEY)),
            _made(Kind.ALIAS, "all@a.example", fields_of(AliasBody(targets=(HOSTILE, "z@elsewhere.example")))),
            _made(Kind.ALIAS, "all@b.example", fields_of(AliasBody(targets=("w@elsewhere.example",)))),
            _made(Kind.LIST, "team@a.example", fields_of(LIST)),
        ]
        await state.commit(changes, base=await state.generation(), spec_hash="")
        yield found


def _made(kind: Kind, name: str, fields: Mapping[str, Json]) -> ResourceChange:
    return ResourceChange(operation=Operation.CREATE, resource=Resource(kind=kind, name=name, fields=fields))


async def test_what_each_domain_has(world: AdminWorld) -> None:
    reply = await world.get("/admin/domains")
    (row,) = [row for row in reply.text.split("<tr>") if "name=a.example" in row]
    assert '<td class="number" data-name="Accounts">0</td>' in row
    assert '<td class="number" data-name="Aliases, lists">2</td>' in row
    assert '<td data-name="DKIM">ed25519</td>' in row
    assert is_harmless(reply)


async def test_a_domain_with_its_keys_and_names(world: AdminWorld) -> None:
    reply = await world.get("/admin/domain?name=a.example")
    assert "<code>s1</code>" in reply.text
    assert f'<span class="tag">{KeyState.SIGNS}</span>' in reply.text
    assert "z@elsewhere.example" in reply.text
    assert "team@a.example" in reply.text
    assert "w@elsewhere.example" not in reply.text
    assert is_harmless(reply)


@pytest.mark.parametrize("name", ["b.example", "", "A.example", HOSTILE])
async def test_there_is_no_other_domain(world: AdminWorld, name: str) -> None:
    assert (await world.get(f"/admin/domain?name={quote(name)}")).status_code == 404


async def test_all_aliases_and_lists(world: AdminWorld) -> None:
    reply = await world.get("/admin/aliases")
    for told in ("z@elsewhere.example", "w@elsewhere.example", "team@a.example"):
        assert told in reply.text
    assert is_harmless(reply)
    for section, name in (("aliases", "all@a.example"), ("lists", HOSTILE)):
        shown = await world.get(f"/admin/entry?section={section}&name={quote(name)}")
        assert (shown.status_code, is_harmless(shown)) == (200, True)
