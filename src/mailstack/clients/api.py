"""The API of a server, as its client: plan, apply and state, over HTTPS with a token.

Every way in which it can fail becomes an ApiFailed that says what to do. RFC 6750, RFC 9457.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

CONNECT_S = 10.0
ANSWER_S = 600.0
"""A plan asks every DNS zone; an apply waits for records to be seen."""
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
Document = Mapping[str, Any]  # JSON of another program, of which every member is asked for by name


class ApiFailed(Exception):
    """str() is one sentence or two. faults: of the spec that was sent, as the server tells them."""

    def __init__(self, told: str, faults: tuple[Document, ...] = ()) -> None:
        super().__init__(told)
        self.faults = faults


class ApiClient:
    """url: https://HOST[:PORT]. ca: a file of authorities to trust instead of the machine's. Close it in the end."""

    def __init__(self, url: str, token: str, *, ca: Path | None = None) -> None:
        self.url = _checked(url)
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            verify=_trust(ca),
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
        )

    def close(self) -> None:
        self._http.close()

    def state(self) -> Document:
        return self._json("GET", "/state", None)

    def drift(self) -> Document:
        return self._json("GET", "/drift", None)

    def plan(self, request: Document) -> Document:
        return self._json("POST", "/plan", request)

    def apply(self, request: Document) -> Iterator[Document]:
        """The steps as they happen, the last of which tells how it ended."""
        with self._failures(), self._http.stream("POST", "/apply", **_content(request)) as response:
            self._check(response)
            for line in response.iter_lines():
                yield _object(line)

    def _json(self, method: str, path: str, request: Document | None) -> Document:
        with self._failures(), self._http.stream(method, path, **_content(request)) as response:
            self._check(response)
            return _object(response.read())

    def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        response.read()
        status = response.status_code
        problem = _problem(response)
        detail = str(problem.get("detail") or problem.get("title") or response.reason_phrase)
        faults = problem.get("faults")
        raise ApiFailed(self._told(status, detail, response), tuple(faults) if isinstance(faults, list) else ())

    def _told(self, status: int, detail: str, response: httpx.Response) -> str:
        match status:
            case 401:
                return f"{self.url} does not accept the token: {detail}"
            case 403:
                return f"the token is not good for this: {detail}"
            case 404 | 405 | 421:
                return f"{self.url} has no such API: another server, or another version of mailstack"
            case 429 | 503:
                after = response.headers.get("retry-after", "")
                return f"{self.url} is busy: {detail}" + (f"; try again in {after} s" if after.isdecimal() else "")
            case 409 | 413 | 422:
                return detail
            case _:
                return f"{self.url} answered {status}: {detail}"

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError as fault:
            raise ApiFailed(self._not_connected(fault)) from fault
        except httpx.TimeoutException as fault:
            raise ApiFailed(f"{self.url} did not answer in time") from fault
        except httpx.HTTPError as fault:
            raise ApiFailed(f"the connection to {self.url} broke off: {str(fault) or type(fault).__name__}") from fault
        except orjson.JSONDecodeError as fault:
            raise ApiFailed(f"{self.url} does not speak as a mailstack does: another server?") from fault

    def _not_connected(self, fault: BaseException) -> str:
        cause: BaseException | None = fault
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return (
                    f"the certificate of {self.url} is not trusted: {cause.verify_message}"
                    " (--ca FILE names the authority of a self-signed one)"
                )
            cause = cause.__cause__ or cause.__context__
        return f"{self.url} cannot be reached: {_ERRNO.sub('', str(fault))}"


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ApiFailed(f"{url}: a server is named by https:// and its host, as in https://mail.example.com")
    if parts.username or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ApiFailed(f"{url}: nothing but https://, a host and a port names a server")
    return f"https://{parts.netloc}"


def _trust(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as fault:
        raise ApiFailed(f"{ca} holds no certificate authority: {fault}") from fault


def _content(request: Document | None) -> dict[str, Any]:
    if request is None:
        return {}
    return {"content": orjson.dumps(request), "headers": {"Content-Type": "application/json"}}


def _problem(response: httpx.Response) -> Document:
    try:
        return _object(response.content)
    except orjson.JSONDecodeError:
        return {}


def _object(text: bytes | str) -> Document:
    found = orjson.loads(text)
    if not isinstance(found, dict):
        raise orjson.JSONDecodeError("not an object", str(text)[:100], 0)
    return found
