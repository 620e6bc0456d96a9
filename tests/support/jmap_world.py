"""JMAP's service on a real store, beside an IMAP server on the same."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

import httpx
import orjson
from starlette.routing import Router

from mailstack.model.instant import Clock
from mailstack.model.networks import LOOPBACK
from mailstack.model.principal import Account
from mailstack.ports.store import Store
from mailstack.servers.http.signed_in import SignedIn
from mailstack.servers.jmap.method import Call
from mailstack.servers.jmap.pages import JmapPages
from mailstack.servers.jmap.service import JmapService
from mailstack.services.identity.web_logins import WebLogins
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.outbound.allowance import Allowance
from mailstack.services.outbound.email_sending import EmailSending
from mailstack.services.outbound.submit import Submission
from mailstack.services.push.rate import PushRate
from mailstack.services.scripts import AccountScripts
from mailstack.services.sending_identities import AccountIdentities
from mailstack.services.vacations import AccountVacations
from mailstack.services.web_targets import WebTargets
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.wire.jmap.session import API_PATH, CORE
from tests.support.asking import BASE_URL, asked, floor_under
from tests.support.feeds import running_feed
from tests.support.imap_server import DOMAIN, PASSWORD, RunningImap, running_imap
from tests.support.mailing_lists import make_lists

PUSH_KEY = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
PUSH_TARGETS = WebTargets(also=LOOPBACK, has_internet=True, own=frozenset(), is_own=lambda _: False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JmapWorld:
    imap: RunningImap
    service: JmapService

    async def account(self, name: str = "u0") -> Account:
        found = await self.imap.store.accounts.find(f"{name}@{DOMAIN}")
        assert isinstance(found, Account)
        return found

    async def call(self, name: str = "u0", *, using: frozenset[str] = frozenset()) -> Call:
        return Call(service=self.service, login=await self.account(name), using=using, created={})

    async def ask(
        self,
        method: str,
        path: str,
        *,
        login: str = f"u0@{DOMAIN}",
        password: str = PASSWORD,
        base_url: str = BASE_URL,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterable[bytes] | None = None,
    ) -> httpx.Response:
        """Over HTTP as it is between the connection and the pages. headers: besides those of a client that sends JSON;
        an Authorization or a Cookie among them is taken for the login's."""
        auth = (
            None
            if headers and not {"Authorization", "Cookie"}.isdisjoint(headers)
            else httpx.BasicAuth(login, password)
        )
        sent = {"Content-Type": "application/json", **(headers or {})}
        pages = Router(JmapPages(service=self.service).routes(), redirect_slashes=False)
        app = floor_under(pages, self.service.clock)
        return await asked(app, method, path, base_url=base_url, auth=auth, headers=sent, content=content)

    async def api(self, *calls: object, using: Sequence[str] = (CORE,), login: str = f"u0@{DOMAIN}") -> Any:
        """The methodResponses of these calls."""
        content = orjson.dumps({"using": [*using], "methodCalls": calls})
        reply = await self.ask("POST", API_PATH, login=login, content=content)
        assert reply.status_code == 200, reply.text
        return reply.json()["methodResponses"]


def _sending(store: Store, clock: Clock) -> EmailSending:
    forwarding = Forwarding(
        hostname="mail.peer.test", accounts=store.accounts, postmaster=None, signing_keys={}, path_key=b"k" * 32
    )
    submission = Submission(
        hostname="mail.peer.test",
        accounts=store.accounts,
        delivery=Delivery(mailboxes=store.mailboxes, messages=store.messages, queue=store.queue),
        forwarding=forwarding,
        lists=make_lists(forwarding, clock),
        signing_keys={},
        allowance=Allowance(store.submitted, clock=clock),
        clock=clock,
        token=token_bytes,
    )
    return EmailSending(
        submission=submission, kept=store.email_submissions, most_recipients=3, clock=clock, token=token_bytes
    )


@asynccontextmanager
async def jmap_world(
    folder: Path, *, accounts: Sequence[str] = ("u0", "u1"), quota_bytes: int | None = None
) -> AsyncIterator[JmapWorld]:
    async with (
        running_imap(folder, accounts=accounts, quota_bytes=quota_bytes) as imap,
        running_feed(imap.store, imap.service.bus) as feed,
    ):
        service, store = imap.service, imap.store
        yield JmapWorld(
            imap=imap,
            service=JmapService(
                login=service.sasl.login,
                mail_of=service.mail_of,
                accounts=store.accounts,
                scripts=AccountScripts(store.scripts, store.accounts, EXTENSIONS),
                vacations=AccountVacations(store.vacations),
                uploads=store.uploads,
                object_journal=store.object_journal,
                identities=AccountIdentities(store.sending_identities, store.accounts, token=token_bytes),
                push_subscriptions=store.push_subscriptions,
                push_targets=PUSH_TARGETS,
                push_rate=PushRate(service.clock),
                push_key=PUSH_KEY,
                sending=_sending(store, service.clock),
                feed=feed,
                bus=service.bus,
                conduct=service.conduct,
                signed_in=SignedIn(
                    web_logins=WebLogins(
                        login=service.sasl.login,
                        accounts=store.accounts,
                        sessions=store.web_sessions,
                        clock=service.clock,
                        token=token_bytes,
                    )
                ),
                clock=service.clock,
                plaintext_is_secure=service.plaintext_is_secure,
            ),
        )
