"""What docs/operations.md has people type when their mail does not arrive, typed."""

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.cli.main import cli
from mailstack.model.delivery import Deferred, OutgoingMail, Settlement, SmtpReply
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.tls_policy import TlsFailure, TlsUsed
from mailstack.store.sqlite.open import open_store
from tests.support.dns_server import DnsServer, dns_server_beside
from tests.support.quota import quota

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
NAMES = {"example.net": {"MX": ["10 mx.example.net."]}}
EXPIRED = SmtpReply(code=451, status="4.7.5", text="TLS handshake: certificate not trusted: certificate has expired")
SAID = (
    "after 1 try: 451 4.7.5 TLS handshake: certificate not trusted: certificate has expired",
    "certificate-expired",
    "none",
    "by no route of the spec: direct",
    "10 mx.example.net: opportunistic: TLS where it is offered, under any certificate",
    " record sets are as they should be.",
)
"""By each in its turn."""


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with dns_server_beside(NAMES) as server:
        yield server


@pytest.fixture
def spec(dns: DnsServer, tmp_path: Path) -> Path:
    """With a mail that was tried once."""
    path = tmp_path / "mailstack.yaml"
    path.write_text(
        "server: {hostname: mail.example.com}\nstorage: {path: state}\ndomains: {example.com: }\n"
        f'dns: {{resolvers: ["{dns.endpoint}"],'
        f' zones: {{example.com: {{provider: manual, nameservers: ["{dns.endpoint}"]}}}}}}\n'
    )
    assert run("apply", "--yes", "--no-dns", str(path)).exit_code == 0
    asyncio.run(_tried(path.parent / "state"))
    return path


async def _tried(folder: Path) -> None:
    store = await open_store(folder, clock=system_clock, bus=Silence())
    now = system_clock()
    mail = OutgoingMail(
        reverse_path="alice@example.com",
        recipients=("bob@example.net",),
        raw=b"Subject: hello\r\n\r\nBob\r\n",
        queued_at=now,
        is_8bit=False,
        smtp_utf8=False,
        trace_id="3f9c0b17d2a84e65",
    )
    await store.queue.enqueue([mail], next_at=now)
    later = Instant(now + HOUR_MS)
    (item,) = await store.queue.lease("one", now=now, until=later, quota=quota(1))
    tls = TlsUsed(policy="sts", failure=TlsFailure.CERTIFICATE_EXPIRED)
    deferred = Deferred(reply=EXPIRED, host="", tls=tls)
    await store.queue.settle("one", [Settlement(item_id=item.item_id, outcome=deferred, next_at=later)])
    await store.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def commands() -> list[list[str]]:
    section = OPERATIONS.read_text().split("## My mail does not arrive\n", 1)[1].split("\n## ", 1)[0]
    typed = re.findall(r"^mailstack (.+)$", section, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in typed]


def test_each_command_of_the_page_says_its_part(spec: Path) -> None:
    filled_in = {"mailstack.yaml": str(spec), "4711": "1"}
    results = [run(*(filled_in.get(word, word) for word in words)) for words in commands()]
    assert [result.exit_code for result in results] == [0, 0, 0, 0, 0, 2]  # 2: no record is live
    for result, said in zip(results, SAID, strict=True):
        assert said in result.stdout
