"""The server on the real store: what got 250 is there when the store is opened again."""

import asyncio
from dataclasses import replace
from pathlib import Path

from mailstack.model.principal import Account
from mailstack.model.resource import (
    AccountBody,
    Body,
    DomainBody,
    Kind,
    Operation,
    Resource,
    ResourceChange,
    fields_of,
)
from mailstack.ports.store import Store
from mailstack.servers.smtp.service import SmtpService
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.pipeline import InboundPipeline
from mailstack.services.inbound.stages.receiving import Receiving
from mailstack.store.bus_local import LocalBus
from tests.support.engines import open_store
from tests.support.mailing_lists import make_lists
from tests.support.smtp_world import HOSTNAME, SmtpWorld, serving

ACCOUNTS = tuple(f"u{number}@example.com" for number in range(4))
MESSAGES = 12


def created(kind: Kind, name: str, body: Body) -> ResourceChange:
    return ResourceChange(operation=Operation.CREATE, resource=Resource(kind=kind, name=name, fields=fields_of(body)))


async def populate(store: Store) -> None:
    domain = DomainBody(catch_all=None, subaddress_separators="+", alias_of=None, dkim_algorithms=())
    account = AccountBody(name="", addresses=(), roles=(), abilities=("receive",), quota_bytes=None)
    changes = [created(Kind.DOMAIN, "example.com", domain)]
    changes += [created(Kind.ACCOUNT, name, account) for name in ACCOUNTS]
    await store.state.commit(changes, base=await store.state.generation(), spec_hash="x")


class StoredWorld(SmtpWorld):
    store: Store

    def service(self) -> SmtpService:
        delivery = Delivery(mailboxes=self.store.mailboxes, messages=self.store.messages, queue=self.store.queue)
        forwarding = replace(self.forwarding(), accounts=self.store.accounts)
        receiving = Receiving(
            hostname=HOSTNAME,
            accounts=self.store.accounts,
            messages=self.store.messages,
            delivery=delivery,
            forwarding=forwarding,
            lists=make_lists(forwarding, self.clock),
        )
        return replace(super().service(), inbound=InboundPipeline(receiving=receiving))


async def send(world: SmtpWorld, sender: int) -> None:
    client = await world.connect()
    await client.play("S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ...")
    for number in range(MESSAGES):
        rcpts = "".join(f"C: RCPT TO:<{name}>\nS: 250 ...\n" for name in ACCOUNTS)
        await client.play(f"C: MAIL FROM:<>\nS: 250 ...\n{rcpts}C: DATA\nS: 354 ...\nC: X-Number: {sender}.{number}")
        await client.send(b"\r\n" + b"x" * (100_000 if number == 0 else 10) + b"\r\n.\r\n")
        await client.play("S: 250 2.0.0 OK ...")
    await client.close()


async def test_what_got_250_is_there_once_for_everyone(tmp_path: Path) -> None:
    bus = LocalBus(tmp_path / "bus")
    await bus.start()
    world = StoredWorld()
    store = world.store = await open_store(tmp_path / "store", clock=world.clock, bus=bus)
    try:
        await populate(store)
        async with serving(world), asyncio.TaskGroup() as group:
            for sender in range(3):
                group.create_task(send(world, sender))
        await store.close()
        store = await open_store(tmp_path / "store", clock=world.clock, bus=bus)
        expected = sorted(f"X-Number: {sender}.{number}" for sender in range(3) for number in range(MESSAGES))
        for name in ACCOUNTS:
            assert await numbers(store, name) == expected
    finally:
        await store.close()
        await bus.close()


async def numbers(store: Store, name: str) -> list[str]:
    owner = await store.accounts.find(name)
    assert isinstance(owner, Account)
    inbox = (await store.mailboxes.list(owner.account_id))[0]
    placed = await store.messages.placements(owner.account_id, inbox.mailbox_id)
    raws = [await store.messages.read(owner.account_id, place.message_id) for place in placed]
    return sorted(next(line for line in raw.decode().split("\r\n") if line.startswith("X-Number")) for raw in raws)
