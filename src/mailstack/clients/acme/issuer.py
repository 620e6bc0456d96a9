"""Asks an authority for a certificate: ports.issuer over ACME. Each step is a thread's; between two of them it can be
cancelled, and every wait is bounded.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import josepy
import requests
from acme import errors, messages

from mailstack.clients.acme.problems import Problem, of_request, sentence
from mailstack.clients.acme.session import Asked, NoSuchChallenge, Session, Standing, problem_of
from mailstack.model.instant import Clock, as_datetime
from mailstack.model.issuance import AcmeAccount, Issued, NotIssued, Order, ProofMethod, Registration, RenewalInfo
from mailstack.ports.issuer import Prover

VALIDATION_S = 180.0
ISSUANCE_S = 120.0
RENEWALS_S = 120.0
SHORTEST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a refusal is told with. host: the name it is about where the authority names none."""

    directory: str
    host: str
    method: ProofMethod

    @classmethod
    def of_order(cls, order: Order) -> "Asking":
        return cls(directory=order.account.directory, host=order.names[0], method=order.method)

    @classmethod
    def of_account(cls, account: AcmeAccount) -> "Asking":
        return cls(directory=account.directory, host="this account", method=ProofMethod.HTTP_01)


class AcmeIssuer:
    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def issue(self, order: Order, prover: Prover) -> Issued:
        with self._session(order.account) as session:
            return await self._issue(session, order, prover)

    async def tell_contact(self, account: AcmeAccount) -> Registration:
        with self._session(account) as session:
            about = Asking.of_account(account)
            if await self._step(session, about, session.open):
                await self._step(session, about, session.tell_contact)
            return session.registration

    async def renewals(self, account: AcmeAccount, chains: Mapping[str, str]) -> Mapping[str, RenewalInfo]:
        with self._session(account) as session:
            about = Asking.of_account(account)
            await self._step(session, about, session.find_directory)
            found: dict[str, RenewalInfo] = {}
            with suppress(TimeoutError):  # the others are asked next time
                async with asyncio.timeout(RENEWALS_S):
                    for name, chain in chains.items():
                        info = await self._renewal(session, about, chain)
                        found |= {name: info} if info is not None else {}
        return found

    @contextmanager
    def _session(self, account: AcmeAccount) -> Iterator[Session]:
        with _told(account.directory):
            session = Session(account, clock=self._clock)
        try:
            yield session
        finally:
            session.close()

    async def _issue(self, session: Session, order: Order, prover: Prover) -> Issued:
        about = Asking.of_order(order)
        await self._step(session, about, session.open)
        asked = await self._step(session, about, partial(session.order, order))
        proofs = [each.proof for each in asked]
        try:
            if proofs:
                await prover.show(proofs)
                await self._step(session, about, partial(session.answer, asked))
                await self._wait_for_all(session, about, asked)
            chain = await self._collect(session, about)
        finally:
            if proofs:
                await prover.withdraw(proofs)
        # RFC 9773 §4.3: right after it was issued.
        renewal = await self._renewal(session, about, chain)
        return Issued(chain=chain, registration=session.registration, renewal=renewal)

    async def _renewal(self, session: Session, about: Asking, chain: str) -> RenewalInfo | None:
        try:
            return await self._step(session, about, partial(session.renewal, chain))
        except NotIssued:
            return None  # RFC 9773 §4.3.3: it is asked again some hours later, and renewed by its age until then

    async def _wait_for_all(self, session: Session, about: Asking, asked: Sequence[Asked]) -> None:
        waiting = list(asked)
        try:
            async with asyncio.timeout(VALIDATION_S):
                while waiting:
                    standing = await self._step(session, about, partial(session.look, waiting[0]))
                    if standing.is_pending:
                        await asyncio.sleep(_pause(standing))
                        continue
                    if standing.problem is not None:
                        raise self._refusal(standing.problem, session, about, host=waiting[0].proof.host)
                    waiting.pop(0)
        except TimeoutError:
            names = ", ".join(each.proof.host for each in waiting)
            raise NotIssued(f"the authority did not look at {names} within {VALIDATION_S:.0f} seconds") from None

    async def _collect(self, session: Session, about: Asking) -> str:
        try:
            async with asyncio.timeout(ISSUANCE_S):
                await self._step(session, about, session.finalize)
                while True:
                    standing = await self._step(session, about, session.look_at_order)
                    if not standing.is_pending:
                        return standing.chain
                    await asyncio.sleep(_pause(standing))
        except TimeoutError:
            raise NotIssued(f"the authority at {about.directory} did not issue in time") from None

    async def _step(self, session: Session, about: Asking, work: Callable[[], Result]) -> Result:
        try:
            with _told(about.directory):
                return await asyncio.to_thread(work)
        except NotIssued as fault:
            raise NotIssued(fault.reason, not_before=session.not_before) from fault
        except messages.Error as problem:
            raise self._refusal(of_request(problem_of(problem)), session, about, host=about.host) from problem

    def _refusal(self, problem: Problem, session: Session, about: Asking, *, host: str) -> NotIssued:
        not_before = session.not_before
        until = None if not_before is None else as_datetime(not_before)
        return NotIssued(sentence(problem, host=host, method=about.method, until=until), not_before=not_before)


def _pause(standing: Standing) -> float:
    return min(max(standing.wait_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)


@contextmanager
def _told(directory: str) -> Iterator[None]:
    """Turns what the library raises, but for the authority's own problems, into a sentence."""
    try:
        yield
    except messages.Error:
        raise
    except NoSuchChallenge as fault:
        raise NotIssued(f"{fault} (tls.acme.challenge)") from None
    except requests.exceptions.SSLError as fault:
        raise NotIssued(
            f"the authority's own certificate is not trusted: {directory} (tls.acme.ca: {_root(fault)})"
        ) from fault
    except (requests.exceptions.RequestException, OSError) as fault:
        raise NotIssued(f"the authority cannot be reached: {directory} ({_root(fault)})") from fault
    except (
        errors.Error,
        josepy.errors.Error,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
    ) as fault:
        # A server that is no ACME server at all answers with anything.
        raise NotIssued(f"{directory} does not answer as an ACME directory ({_kind(fault)})") from fault


def _kind(fault: BaseException) -> str:
    response = fault.args[0] if fault.args else None
    return f"status {response.status_code}" if isinstance(response, requests.Response) else type(fault).__name__


def _root(fault: BaseException) -> str:
    """The last words of a chain of faults that all tell the same."""
    text = " ".join(str(fault).split())
    return text.rpartition(": ")[2].strip("'\")(") or type(fault).__name__
