"""A stress that checks state: several clients of one account do at random what comes to their minds, at two mailboxes
and some of their own, and hold every response against what they know. Ends with a fault, or with numbers.

python -m tests.support.imap_stress --host H --port P --user U --password PW --seconds 60 --clients 5 --seed 1 --patient
"""

import argparse
import asyncio
import random
import sys
import time

from tests.support.imap_stress_client import StressClient, StressFault, World
from tests.support.imap_stress_link import StressClosed
from tests.support.imap_stress_player import MAILBOXES, MODES, Mode, Place, Player, check


async def stress(
    place: Place, *, seconds: float, clients: int, seed: int, world: World | None = None, is_patient: bool = False
) -> int:
    """The number of commands. world: that of the mailboxes, where they are prepared. is_patient: the server may go away
    meanwhile. Raises StressFault, as soon as one client finds something."""
    world = world or await prepare(place)
    players = [Player(StressClient(f"c{at}x", world), random.Random(f"{seed}/{at}")) for at in range(clients)]
    until = time.monotonic() + seconds
    try:
        async with asyncio.TaskGroup() as group:
            for at, player in enumerate(players):
                mode = MODES[at % len(MODES)]
                group.create_task(player.play_on(place, mode, until) if is_patient else run(player, place, mode, until))
        await converge(players)
    finally:
        for player in players:
            await player.client.close()
    return sum(player.client.commands for player in players)


async def prepare(place: Place) -> World:
    """Its mailboxes, new and empty."""
    world = World()
    client = StressClient("prepare", world)
    await client.connect(place.host, place.port)
    await client.command("LOGIN {} {}", place.user.encode(), place.password.encode())
    for mailbox in reversed(MAILBOXES):
        await client.command(f'DELETE "{mailbox}"')
    for mailbox in MAILBOXES:
        await client.command(f'CREATE "{mailbox}"')
    await client.close()
    return world


async def run(player: Player, place: Place, mode: Mode, until: float) -> None:
    try:
        await player.begin(place, mode)
        await player.play(until)
    except StressClosed:
        check(False, player.client, "the server closed the connection")


async def converge(players: list[Player]) -> None:
    """With nobody at work any more, all know the same, and it is what the server has."""
    for mailbox in MAILBOXES:
        views = []
        for player in players:
            client = player.client
            if client.mailbox == mailbox:
                await client.command("NOOP")
                believed = dict(client.flags)
                await player.fetch_all()
                for uid, flags in believed.items():
                    check(
                        client.flags.get(uid) == flags, client, f"believed {uid} to be {flags}: {client.flags.get(uid)}"
                    )
            else:
                await player.open(mailbox)
            await check_status(client, mailbox)
            views.append((client.known(), {uid: client.flags.get(uid) for uid in client.known()}))
        check(all(view == views[0] for view in views), players[0].client, "the clients do not agree")


async def check_status(client: StressClient, mailbox: str) -> None:
    """RFC 9051 §6.3.11, RFC 7162 §3.1.2.2: it fits what the client has seen."""
    items = "MESSAGES UIDNEXT UNSEEN DELETED"
    await client.command(f'STATUS "{mailbox}" ({items}{" HIGHESTMODSEQ" if client.is_condstore else ""})')
    flags = [client.flags[uid] for uid in client.known()]
    status = client.status
    check(status["MESSAGES"] == len(client.uids), client, f"STATUS {status}")
    check(status["UIDNEXT"] > max(client.known(), default=0), client, f"STATUS {status}")
    check(status["UNSEEN"] == sum("\\Seen" not in each for each in flags), client, f"STATUS {status}")
    check(status["DELETED"] == sum("\\Deleted" in each for each in flags), client, f"STATUS {status}")
    if client.is_condstore:
        check(status["HIGHESTMODSEQ"] >= max(client.mod_seqs.values(), default=0), client, f"STATUS {status}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patient", action="store_true", help="the server may go away meanwhile")
    chosen = parser.parse_args()
    place = Place(host=chosen.host, port=chosen.port, user=chosen.user, password=chosen.password)
    try:
        commands = asyncio.run(
            stress(
                place,
                seconds=chosen.seconds,
                clients=chosen.clients,
                seed=chosen.seed,
                is_patient=chosen.patient,
            )
        )
    except ExceptionGroup as found:
        sys.stdout.write("".join(f"{fault!s}\n" for fault in found.exceptions))
        return 1
    except StressFault as fault:
        sys.stdout.write(f"{fault}\n")
        return 1
    sys.stdout.write(f"{commands} commands, nothing wrong\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
