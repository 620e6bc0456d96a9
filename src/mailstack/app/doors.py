"""The doors of one worker: which server answers at which endpoint, and the connections that came in through them."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from functools import partial

from mailstack.app.faults import CannotServe
from mailstack.app.generation import Services
from mailstack.app.sockets import Bound, Endpoint
from mailstack.model.networks import THIS_MACHINE
from mailstack.net.admission import Admission, Entrance
from mailstack.net.connections import Connections
from mailstack.net.listen import Accepting, accept_on_socket, accept_protocols, accept_streams
from mailstack.net.proxied import ProtocolFactory
from mailstack.net.tally import Others
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.servers.http.server import HttpServer
from mailstack.servers.http.service import HttpRole
from mailstack.servers.imap.server import ImapServer
from mailstack.servers.managesieve.server import ManageSieveServer
from mailstack.servers.smtp.server import smtp_protocol
from mailstack.servers.smtp.service import SmtpRole


class Doors:
    """current: the services that a new connection begins with. tls, web_tls: for mail and for https, where TLS comes
    first. others: where the connections of other workers are counted. metrics: of this worker."""

    def __init__(
        self,
        current: Callable[[], Services],
        tls: ssl.SSLContext,
        web_tls: ssl.SSLContext,
        others: Others,
        metrics: Metrics = UNCOUNTED,
    ) -> None:
        self._current = current
        self._tls = tls
        self._web_tls = web_tls
        self._connections = {
            service: Connections(service, metrics)
            for service in (*(role.value for role in SmtpRole), "imap", "managesieve", "http")
        }
        senders, readers, filterers, web, streams = (
            Admission(service, others) for service in ("sender", "reader", "filterer", "http", "stream")
        )
        self._smtp = {role: _entrance(role.value, others, senders) for role in SmtpRole}
        imap = _entrance("imap", others, readers)
        self._imap = ImapServer(lambda: current().imap, self._connections["imap"], imap)
        managesieve = _entrance("managesieve", others, filterers)
        self._managesieve = ManageSieveServer(
            lambda: current().managesieve, self._connections["managesieve"], managesieve
        )
        self._http = HttpServer(lambda: current().http, self._connections["http"], web, streams, metrics)
        entrances = (*self._smtp.values(), imap, managesieve)
        strangers = (admission for entrance in entrances for admission in (entrance.strangers, entrance.networks))
        self.admissions = (*strangers, senders, readers, filterers, web, streams)
        self._listeners: dict[Endpoint, socket.socket] = {}
        self._servers: dict[Endpoint, Accepting] = {}
        self._proxies = current().proxies

    async def open(self, bound: Bound) -> None:
        """Works on copies: whoever bound the sockets keeps theirs."""
        for endpoint, listener in bound.items():
            self._listeners[endpoint] = listener.dup()
            self._servers[endpoint] = await self._open(endpoint, listener.dup())

    async def follow_proxies(self) -> None:
        """After a new generation came: it may believe other proxies. Who knocks meanwhile waits in the socket."""
        if self._proxies == self._current().proxies:
            return
        self._proxies = self._current().proxies
        for endpoint, listener in self._listeners.items():
            self._servers[endpoint].close()
            self._servers[endpoint] = await self._open(endpoint, listener.dup())

    def close(self, endpoints: Iterable[Endpoint]) -> None:
        """Nobody new comes in; who is in stays."""
        for endpoint in endpoints:
            server = self._servers.pop(endpoint, None)
            if server is not None:
                server.close()
                self._listeners.pop(endpoint).close()

    def close_all(self) -> None:
        self.close(tuple(self._servers))

    async def recheck_logins(self) -> None:
        """After a new generation came: accounts that are gone from it, or have other passwords, are not served on."""
        await self._imap.recheck_logins()
        await self._managesieve.recheck_logins()
        await self._http.recheck_logins()

    async def recheck_app_passwords(self) -> None:
        """Once one has ended: who came in by it is not served on."""
        await self._imap.recheck_app_passwords()
        await self._managesieve.recheck_app_passwords()
        await self._http.recheck_app_passwords()

    async def drain(self, *, grace_s: float) -> int:
        """Returns how many connections had to be aborted."""
        return sum(await asyncio.gather(*(each.drain(grace_s=grace_s) for each in self._connections.values())))

    async def _open(self, endpoint: Endpoint, listener: socket.socket) -> Accepting:
        match endpoint.service:
            case "smtp":
                return await self._open_smtp(listener, SmtpRole.MX, tls=None)
            case "lmtp":
                return await self._open_lmtp(endpoint, listener)
            case "submission":
                return await self._open_smtp(listener, SmtpRole.SUBMISSION, tls=None)
            case "submissions":
                return await self._open_smtp(listener, SmtpRole.SUBMISSIONS, tls=self._tls)
            case "imap":
                return await accept_streams(listener, self._imap.serve, tls=None, proxies=self._proxies)
            case "imaps":
                return await accept_streams(listener, self._imap.serve, tls=self._tls, proxies=self._proxies)
            case "managesieve":
                return await accept_streams(listener, self._managesieve.serve, tls=None, proxies=self._proxies)
            case "http":
                return await self._open_web(listener, HttpRole.PLAIN, tls=None)
            case "https":
                return await self._open_web(listener, HttpRole.SECURE, tls=self._web_tls)
            case "metrics":
                # Proxies bring in strangers: whoever watches the server comes directly.
                return await accept_protocols(listener, self._http.protocol(HttpRole.METRICS), tls=None)
        raise CannotServe(f"listeners.{endpoint.service}: there is no such service")

    async def _open_lmtp(self, endpoint: Endpoint, listener: socket.socket) -> Accepting:
        factory = self._smtp_protocol(SmtpRole.LMTP)
        if endpoint.path:
            return await accept_on_socket(listener, partial(factory, THIS_MACHINE))
        # LMTP is for whoever is on this machine, and what a proxy here brings in from elsewhere is not.
        return await accept_protocols(listener, factory, tls=None)

    async def _open_smtp(self, listener: socket.socket, role: SmtpRole, *, tls: ssl.SSLContext | None) -> Accepting:
        return await accept_protocols(listener, self._smtp_protocol(role), tls=tls, proxies=self._proxies)

    def _smtp_protocol(self, role: SmtpRole) -> ProtocolFactory:
        return smtp_protocol(lambda: self._current().smtp, role, self._connections[role.value], self._smtp[role])

    async def _open_web(self, listener: socket.socket, role: HttpRole, *, tls: ssl.SSLContext | None) -> Accepting:
        return await accept_protocols(listener, self._http.protocol(role), tls=tls, proxies=self._proxies)


def _entrance(service: str, others: Others, accounts: Admission) -> Entrance:
    return Entrance(
        strangers=Admission(service, others), networks=Admission(f"{service} network", others), accounts=accounts
    )
