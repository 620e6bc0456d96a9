"""An rspamd server asked over HTTP what it gives a mail: works as ports.scanner.Scanner. Its scores go as far as ours:
15 to refuse, 6 to mark, if nobody has set it otherwise."""

import json
import math
import ssl
from collections.abc import Iterator

import httpx

import mailstack
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.spam import Finding
from mailstack.ports.scanner import Brought, Scanned

RULE = "rspamd"
MOST_ANSWER_OCTETS = 1 << 20
MOST_GOOD = -5.0
"""Points: what it likes may still be spam."""
MOST_SYMBOLS = 8


class Rspamd:
    """url: of a worker that scans. password: "" for none. most_points: of a mail. timeout_s: of each step."""

    def __init__(self, *, url: str, password: str, most_points: float, timeout_s: float, tls: ssl.SSLContext) -> None:
        self._url = url.rstrip("/")
        self._password = password
        self._most_points = most_points
        self._timeout_s = timeout_s
        self._tls = tls

    async def scan(self, mail: Brought) -> Scanned:
        try:
            answer = await self._asked(mail)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise TryAgainLater(f"rspamd: {str(fault) or type(fault).__name__}") from fault
        return self._read(answer)

    async def is_alive(self) -> bool:
        try:
            async with self._client() as client:
                return (await client.get(f"{self._url}/ping")).is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            return False

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=self._timeout_s, follow_redirects=False)

    async def _asked(self, mail: Brought) -> bytes:
        headers = list(_headers(mail))
        if self._password:
            headers.append((b"Password", _printable(self._password)))
        async with (
            self._client() as client,
            client.stream("POST", f"{self._url}/checkv2", headers=headers, content=bytes(mail.raw)) as response,
        ):
            if response.is_server_error:
                raise TryAgainLater(f"rspamd answers {response.status_code}")
            if response.status_code != httpx.codes.OK:
                raise Invalid(f"rspamd answers {response.status_code}")
            text = bytearray()
            async for chunk in response.aiter_raw():
                text += chunk
                if len(text) > MOST_ANSWER_OCTETS:
                    raise Invalid(f"rspamd's answer has more than {MOST_ANSWER_OCTETS} octets")
            return bytes(text)

    def _read(self, answer: bytes) -> Scanned:
        """Raises Invalid."""
        try:
            told = json.loads(answer)
        except (ValueError, RecursionError):
            told = None
        score = _number(told, "score")
        if score is None:
            raise Invalid("what rspamd answers has no score")
        points = round(min(max(score, MOST_GOOD), self._most_points), 1)
        why = _why(told.get("symbols"))
        return Scanned(findings=[Finding(rule=RULE, points=points, why=why)] if points else [])


def _headers(mail: Brought) -> Iterator[tuple[bytes, bytes]]:
    yield b"User-Agent", _printable(f"mailstack/{mailstack.__version__}")
    yield b"From", _printable(mail.reverse_path or "<>")
    for address in mail.recipients:
        yield b"Rcpt", _printable(address)
    known = {b"IP": mail.peer_host, b"Helo": mail.ehlo_domain, b"Hostname": mail.host_name, b"Queue-Id": mail.trace_id}
    for name, value in known.items():
        if value:
            yield name, _printable(value)


def _printable(text: str) -> bytes:
    """As a field of HTTP may have it."""
    return "".join(c if c.isprintable() else "?" for c in text).encode("utf-8", "replace")


def _why(symbols: object) -> str:
    """Those that count most."""
    found = symbols if isinstance(symbols, dict) else {}
    scores = {name: score for name, symbol in found.items() if (score := _number(symbol, "score"))}
    most = sorted(scores, key=lambda name: -abs(scores[name]))[:MOST_SYMBOLS]
    return ", ".join(f"{_printable(name)[:60].decode('ascii', 'replace')} {scores[name]:+.1f}" for name in most)


def _number(told: object, key: str) -> float | None:
    found = told.get(key) if isinstance(told, dict) else None
    try:
        number = float(found) if isinstance(found, int | float) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
