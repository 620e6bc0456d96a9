"""Blocklists and greylisting as an SMTP peer sees them."""

from mailstack.model.greylist import DELAY_MS
from mailstack.model.networks import NOWHERE, Networks, networks_of
from mailstack.net.connections import Connections
from mailstack.ports.resolver import Resolver
from mailstack.servers.smtp.service import SmtpRole
from mailstack.services.inbound.blocklists import Blocklists
from mailstack.services.inbound.gate import Gate
from mailstack.services.inbound.greylisting import Greylisting
from tests.support.memory_greylist import MemoryGreylist
from tests.support.memory_resolver import MemoryResolver
from tests.support.silent_resolver import SilentResolver
from tests.support.smtp_world import SmtpWorld, serving

# Of all loopback addresses, 127.0.0.1 is on no list, and 127.0.0.2 on every one.
PEER, NAME = "127.0.0.9", "9.0.0.127.bl.example"
SENDER = "S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ...\nC: MAIL FROM:<x@customer.example>\nS: 250 ..."
ALICE = "C: RCPT TO:<alice@example.com>"
NAMED = {"127.0.0.1": ("mx.customer.example",)}
HOSTS = {"mx.customer.example": ("127.0.0.1",)}
SPF = {"customer.example": ("v=spf1 ip4:127.0.0.1 -all",)}


def listed(world: SmtpWorld, *, trusted: Networks = NOWHERE) -> None:
    resolver = MemoryResolver(hosts={NAME: ("127.0.0.4",)}, txt={NAME: ("Sends spam, see https://bl.example/127",)})
    world.gate = Gate(
        resolver=resolver,
        dns_deadline_s=30,
        trusted=trusted,
        blocklists=Blocklists(resolver, ("bl.example",), clock=world.clock),
    )


def greylisted(world: SmtpWorld, resolver: Resolver, *, is_all: bool = False, dns_deadline_s: float = 30) -> None:
    world.gate = Gate(
        resolver=resolver,
        dns_deadline_s=dns_deadline_s,
        trusted=NOWHERE,
        blocklists=Blocklists(resolver, (), clock=world.clock),
        greylisting=Greylisting(MemoryGreylist(), clock=world.clock),
        greylists_all=is_all,
    )


async def play(world: SmtpWorld, dialogue: str, source: str | None = None) -> None:
    world.connections = Connections()  # those of the last time have ended
    async with serving(world):
        client = await world.connect(source)
        await client.play(dialogue)
        await client.close()


async def test_who_is_on_a_blocklist_is_told_which_and_why_and_still_reaches_postmaster(world: SmtpWorld) -> None:
    listed(world)
    told = "550 5.7.1 Your server's address is on a blocklist, by bl.example Sends spam, see https://bl.example/127"
    reached = "C: RCPT TO:<postmaster@example.com>\nS: 250 ...\nC: RCPT TO:<Postmaster>\nS: 250 ..."
    await play(world, f"{SENDER}\n{ALICE}\nS: {told}\n{reached}", PEER)


async def test_an_unknown_recipient_is_unknown_before_anything_else(world: SmtpWorld) -> None:
    listed(world)
    await play(world, f"{SENDER}\nC: RCPT TO:<nobody@example.com>\nS: 550 5.1.1 ...", PEER)


async def test_who_is_trusted_is_asked_nothing(world: SmtpWorld) -> None:
    listed(world, trusted=networks_of(("127.0.0.0/8",)))
    await play(world, f"{SENDER}\n{ALICE}\nS: 250 ...", PEER)


async def test_who_is_logged_in_is_asked_nothing_for_strangers(world: SmtpWorld) -> None:
    listed(world)
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect(PEER)
        await client.play("S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ...")
        await client.play("C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAGNvcnJlY3QgaG9yc2U=\nS: 235 ...")
        await client.play("C: MAIL FROM:<alice@example.com>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
        await client.close()


async def test_who_looks_like_no_mail_server_has_to_come_again(world: SmtpWorld) -> None:
    greylisted(world, MemoryResolver())
    await play(world, f"{SENDER}\n{ALICE}\nS: 451 4.7.1 Not known here yet, please try again in 3 minutes")
    world.clock.advance(DELAY_MS - 1)
    await play(world, f"{SENDER}\n{ALICE}\nS: 451 4.7.1 Not known here yet, please try again in 1 minute")
    world.clock.advance(1)
    await play(world, f"{SENDER}\n{ALICE}\nS: 250 ...")


async def test_who_has_a_confirmed_name_and_passes_spf_need_not(world: SmtpWorld) -> None:
    greylisted(world, MemoryResolver(reverse=NAMED, hosts=HOSTS, txt=SPF))
    await play(world, f"{SENDER}\n{ALICE}\nS: 250 ...")


async def test_either_alone_is_not_enough_and_dns_that_fails_is_neither(world: SmtpWorld) -> None:
    for resolver in (
        MemoryResolver(reverse=NAMED, hosts=HOSTS),
        MemoryResolver(txt=SPF),
        MemoryResolver(reverse=NAMED, hosts=HOSTS, txt=SPF, failing={"customer.example"}),
    ):
        greylisted(world, resolver)
        await play(world, f"{SENDER}\n{ALICE}\nS: 451 4.7.1 ...")


async def test_dns_that_is_silent_is_waited_for_as_long_as_the_spec_says(world: SmtpWorld) -> None:
    greylisted(world, SilentResolver(), dns_deadline_s=0.05)
    await play(world, f"{SENDER}\n{ALICE}\nS: 451 4.7.1 ...")


async def test_all_means_all(world: SmtpWorld) -> None:
    greylisted(world, MemoryResolver(reverse=NAMED, hosts=HOSTS, txt=SPF), is_all=True)
    await play(world, f"{SENDER}\n{ALICE}\nS: 451 4.7.1 ...")
