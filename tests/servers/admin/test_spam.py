"""Spam: thresholds in force, who is asked and does not answer, and what was learned."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from mailstack.model.instant import MINUTE_MS, Instant
from mailstack.model.resource import (
    ClamavBody,
    DnsListBody,
    DomainBody,
    Kind,
    Operation,
    Resource,
    ResourceChange,
    RspamdBody,
    SpamBody,
    SpamPolicyBody,
    fields_of,
)
from mailstack.servers.calls import CallKind
from mailstack.services.spam.breaker import Rest
from tests.support.admin_world import ADMIN, HOSTILE, AdminWorld, admin_world, is_harmless


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AdminWorld]:
    async with admin_world(tmp_path) as found:
        yield found


async def applied(world: AdminWorld, *resources: Resource) -> None:
    state = world.store.state
    changes = [ResourceChange(operation=Operation.CREATE, resource=each) for each in resources]
    await state.commit(changes, base=await state.generation(), spec_hash="")


async def test_thresholds_of_the_server_and_of_domains_with_their_own(world: AdminWorld) -> None:
    assert "No list and no engine" in (await world.get("/admin/spam")).text
    spam = SpamBody(
        policy=SpamPolicyBody(junk_at=4.5, reject_at=None, block=(HOSTILE,)),
        lists=(DnsListBody(zone="list.example", of=("peers", "links")),),
        rspamd=RspamdBody(url="http://127.0.0.1:11333", deadline_s=5, max_points=10),
        clamav=ClamavBody(deadline_s=5, max_size_bytes=1, on_virus="reject", socket="/run/clamd.sock"),
    )
    domain = DomainBody(
        catch_all=None,
        subaddress_separators="+",
        alias_of=None,
        dkim_algorithms=(),
        spam=SpamPolicyBody(is_scored=False),
    )
    await applied(
        world,
        Resource(kind=Kind.SPAM, name="spam", fields=fields_of(spam)),
        Resource(kind=Kind.DOMAIN, name="quiet.example", fields=fields_of(domain)),
    )
    reply = await world.get("/admin/spam")
    assert is_harmless(reply)
    assert '<td class="number" data-name="To Junk">4.5</td>' in reply.text
    assert '<td class="number" data-name="Refused">never</td>' in reply.text
    assert '<th scope="row">quiet.example</th>' in reply.text
    assert "not looked at" in reply.text
    assert "list.example: a list in DNS, about peers, links" in reply.text
    assert "clamav: viruses, at /run/clamd.sock" in reply.text


async def test_who_does_not_answer_is_told(world: AdminWorld) -> None:
    until = Instant(world.clock() + MINUTE_MS)
    world.rests = [Rest(name=name, reason=HOSTILE, until=until) for name in ("rspamd", HOSTILE)]
    spam = SpamBody(rspamd=RspamdBody(url="http://127.0.0.1:11333", deadline_s=5, max_points=10))
    await applied(world, Resource(kind=Kind.SPAM, name="spam", fields=fields_of(spam)))
    reply = await world.get("/admin/spam")
    assert is_harmless(reply)
    assert reply.text.count("does not answer, and is left alone until") == 2


async def test_what_was_learned(world: AdminWorld) -> None:
    accounts = [{"login": HOSTILE, "ham": 1, "spam": 2}]
    world.answers(shared={"ham": 30, "spam": 40, "believed": 0.5}, waiting=3, accounts=accounts)
    reply = await world.get("/admin/spam/learned")
    assert is_harmless(reply)
    assert "30 ham, 40 spam" in reply.text
    assert "believed by 50 %" in reply.text
    assert "3 lessons of people" in reply.text
    assert "1 account that taught its own" in reply.text
    world.answers(shared={"ham": 0, "spam": 0, "believed": 0.0}, waiting=0, accounts=[])
    assert "It begins empty" in (await world.get("/admin/spam/learned")).text


async def test_tokens_are_those_of_the_administrators_own_mail(world: AdminWorld) -> None:
    token = {"name": HOSTILE, "points": 1.5, "mails": 2}
    world.answers(mails=2, spam=[token], ham=[])
    reply = await world.get("/admin/spam/tokens?login=u1@peer.test")
    assert is_harmless(reply)
    assert '<td class="number">+1.50</td>' in reply.text
    ((call, content),) = world.calls.asked
    assert (call.kind, orjson.loads(content)["login"]) == (CallKind.TOKENS, ADMIN)


@pytest.mark.parametrize("path", ["/admin/spam/learned", "/admin/spam/tokens"])
async def test_what_fails_is_told_in_its_place(world: AdminWorld, path: str) -> None:
    world.calls.status = 409
    world.answers(title="Conflict", status=409, detail=HOSTILE)
    reply = await world.get(path)
    assert (reply.status_code, "Conflict" in reply.text, is_harmless(reply)) == (200, True, True)
    world.calls.is_busy = True
    assert "under way by the API already" in (await world.get(path)).text
