"""No line of the log and no traceback holds what somebody sent to log in, or what is kept to check it."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from mailstack.app.log import configure_log
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account, AliasTargets
from mailstack.servers.smtp.service import SmtpRole
from mailstack.store.memory.accounts import MemoryAccounts
from tests.support.dialogue import Client
from tests.support.scram import ScramTalk
from tests.support.smtp_world import ALICE, PASSWORD, SmtpWorld, make_directory, serving

WRONG = "hunter2-was-wrong"


class Broken(MemoryAccounts):
    """A bug that shows up wherever an account is looked for."""

    async def find(self, address_key: str) -> Account | AliasTargets | None:
        raise RuntimeError(f"a bug met {address_key}")

    async def account(self, account_id: AccountId) -> Account | None:
        raise RuntimeError(f"a bug met {account_id}")


@pytest.fixture
def log_lines() -> Iterator[StringIO]:
    lines = StringIO()
    configure_log("json", "debug", stream=lines)
    yield lines
    structlog.reset_defaults()


@pytest.mark.parametrize("is_broken", [False, True], ids=["as it should be", "with a bug"])
async def test_no_log_line_and_no_traceback_holds_a_secret(
    world: SmtpWorld, log_lines: StringIO, *, is_broken: bool
) -> None:
    if is_broken:
        world.accounts = Broken(make_directory().accounts())
    sent: list[str] = []
    async with serving(world, SmtpRole.SUBMISSION):
        for password in (WRONG, PASSWORD):
            plain = b64encode(f"\0alice@example.com\0{password}".encode()).decode()
            name, secret = (b64encode(text.encode()).decode() for text in ("alice@example.com", password))
            for lines in ((f"AUTH PLAIN {plain}",), ("AUTH LOGIN", name, secret), (f"AUTH PLAIN {plain}=",)):
                await said(world, *lines)
                sent += [plain, secret, password]
            sent += await scram_sent(world, password)
    text = log_lines.getvalue()
    assert "alice@example.com" in text
    assert ("Traceback" in text) is is_broken
    for secret in (*sent, *ALICE.password_hash.split(), *ALICE.password_hash.rpartition("$")[2].split(":")):
        assert secret not in text


async def said(world: SmtpWorld, *lines: str) -> list[str]:
    """What is answered to each line after EHLO, on a connection of its own."""
    client: Client = await world.connect()
    answers = []
    await client.reply()
    for line in ("EHLO client.example", *lines):
        await client.send(f"{line}\r\n".encode())
        answers.append((await client.reply())[-1])
    await client.close()
    return answers[1:]


async def scram_sent(world: SmtpWorld, password: str) -> list[str]:
    """The proof, as it went over the line and as it is inside."""
    client: Client = await world.connect()
    await client.reply()
    await client.send(b"EHLO client.example\r\n")
    await client.reply()
    talk = ScramTalk("alice@example.com", password)
    await client.send(f"AUTH SCRAM-SHA-256 {talk.first()}\r\n".encode())
    (challenge,) = await client.reply()
    sent = []
    if challenge.startswith("334 "):
        final = talk.final(challenge.removeprefix("334 "))
        sent = [final, b64decode(final).decode().rpartition("p=")[2]]
        await client.send(f"{final}\r\n".encode())
        await client.reply()
    await client.close()
    return sent
