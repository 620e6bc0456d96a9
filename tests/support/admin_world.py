"""Admin's pages on a real store, in the process of a test: u0 is an administrator, u1 is not."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_bytes
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
from starlette.routing import Router

from mailstack.model.conduct import BanRules
from mailstack.model.networks import networks_of
from mailstack.model.resource import AccountBody, Kind, Operation, Resource, ResourceChange, body_of, fields_of
from mailstack.ports.state import State
from mailstack.ports.store import Store
from mailstack.servers.admin.directory import Directory
from mailstack.servers.admin.machine import Machine, WorkerProcess
from mailstack.servers.admin.pages import AdminPages
from mailstack.servers.admin.service import AdminService
from mailstack.servers.http.signed_in import COOKIE, SignedIn
from mailstack.services.conduct import Conduct
from mailstack.services.identity.web_logins import WebLogins
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.outbound.by_hand import HandReporter
from mailstack.services.spam.breaker import Rest
from tests.support.api_world import RecordedCalls
from tests.support.asking import PEER, asked, floor_under
from tests.support.fake_clock import FakeClock
from tests.support.imap_server import DOMAIN, PASSWORD, running_imap

ADMIN = f"u0@{DOMAIN}"
USER = f"u1@{DOMAIN}"
HOSTILE = "<script>top.canary=1</script>\"'><img src=x onerror=top.canary=1>{{ 7 * 7 }}"
"""A name that somebody gave to whatever they could."""
OWN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
HTMX = {**OWN, "Sec-Fetch-Mode": "cors", "HX-Request": "true"}
HOSTNAME = f"mail.{DOMAIN}"
NEVER_BANNED = "198.51.100.0/24"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


MACHINE = Machine(
    name=HOSTNAME,
    upkeep="",
    versions=("Python",),
    free_bytes=60 << 30,
    size_bytes=100 << 30,
    workers=(WorkerProcess(pid=7, memory_bytes=80 << 20),),
)


@dataclass(kw_only=True)
class AdminWorld:
    """running: what the server says of itself."""

    store: Store
    logins: WebLogins
    clock: FakeClock
    calls: RecordedCalls = field(default_factory=RecordedCalls)
    running: dict[str, Any] | None = None
    rests: Sequence[Rest] = ()
    machine: Machine = MACHINE

    def __post_init__(self) -> None:
        self.directory = Directory(self.store.state)
        self.conduct = Conduct(clock=self.clock)
        self.conduct.rules = BanRules(never=networks_of((NEVER_BANNED,)))
        forwarding = Forwarding(
            hostname=HOSTNAME, accounts=self.store.accounts, postmaster=None, signing_keys={}, path_key=b"k" * 32
        )
        self.reporter = HandReporter(hostname=HOSTNAME, forwarding=forwarding, token=token_bytes)

    async def _look(self) -> Machine:
        return self.machine

    def answers(self, **found: object) -> None:
        """What the next calls are answered with."""
        self.calls.chunks = (orjson.dumps(found),)

    async def cookie(self, login: str = ADMIN) -> str:
        _, cookie = await self.logins.open(login, PASSWORD, peer_host=PEER[0], agent="Browser <b>1</b>")
        return cookie

    async def get(self, path: str, *, cookie: str | None = None, **headers: str) -> httpx.Response:
        return await self._ask("GET", path, cookie, {**OWN, **headers}, None)

    async def post(
        self, path: str, form: Mapping[str, object], *, cookie: str | None = None, headers: Mapping[str, str] = OWN
    ) -> httpx.Response:
        return await self._ask("POST", path, cookie, {**FORM, **headers}, urlencode(form, doseq=True).encode())

    async def _ask(
        self, method: str, path: str, cookie: str | None, headers: Mapping[str, str], content: bytes | None
    ) -> httpx.Response:
        """cookie: None for one of an administrator, "" for none."""
        shown = await self.cookie() if cookie is None else cookie
        sent = {**headers, **({"Cookie": f"{COOKIE}={shown}"} if shown else {})}
        service = AdminService(
            signed_in=SignedIn(web_logins=self.logins),
            store=self.store,
            directory=self.directory,
            calls=self.calls,
            conduct=self.conduct,
            reporter=self.reporter,
            running=lambda: self.running,
            rests=lambda: self.rests,
            machine=self._look,
            clock=self.clock,
            token=token_bytes,
        )
        router = Router(AdminPages(service=service).routes(), redirect_slashes=False)
        return await asked(floor_under(router, self.clock), method, path, headers=sent, content=content)


def is_harmless(reply: httpx.Response) -> bool:
    """No tag of HOSTILE is one, no attribute ended, and no template in it was evaluated."""
    return "<script>top" not in reply.text and "<img src=x" not in reply.text and "canary=1&gt;49" not in reply.text


@asynccontextmanager
async def admin_world(folder: Path) -> AsyncIterator[AdminWorld]:
    clock = FakeClock()
    async with running_imap(folder, accounts=("u0", "u1"), clock=clock) as imap:
        await _describe(imap.store.state, ADMIN, name=HOSTILE, roles=("admin",))
        imap.store.accounts.recheck()
        service = imap.service
        yield AdminWorld(
            store=imap.store,
            clock=clock,
            logins=WebLogins(
                login=service.sasl.login,
                accounts=imap.store.accounts,
                sessions=imap.store.web_sessions,
                clock=clock,
                token=token_bytes,
            ),
        )


async def _describe(state: State, login: str, *, name: str, roles: tuple[str, ...]) -> None:
    resource = (await state.snapshot({Kind.ACCOUNT})).resources[Kind.ACCOUNT, login]
    body = replace(body_of(AccountBody, resource), name=name, roles=roles)
    changed = Resource(kind=Kind.ACCOUNT, name=login, fields=fields_of(body))
    change = ResourceChange(operation=Operation.UPDATE, resource=changed)
    await state.commit([change], base=await state.generation(), spec_hash=HOSTILE)
