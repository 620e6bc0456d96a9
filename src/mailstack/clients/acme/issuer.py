"""Asks an authority for a certificate: ports.issuer over ACME. Each step is a thread's; between two of them it can be
cancelled, and every wait is bounded.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import josepy
import requests
from acme import errors, messages

from mailstack.clients.acme.problems import Problem, of_request, sentence
from mailstack.clients.acme.session import Asked, NoSuchChallenge, Session, problem_of
from mailstack.model.instant import Clock, as_datetime
from mailstack.model.issuance import NotIssued, Order
from mailstack.ports.issuer import Prover

VALIDATION_S = 180.0
ISSUANCE_S = 120.0
SHORTEST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0

Result = TypeVar("Result")


class AcmeIssuer:
    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def issue(self, order: Order, prover: Prover) -> str:
        with _told(order):
            session = Session(order.account, clock=self._clock)
        try:
            return await self._issue(session, order, prover)
        finally:
            session.close()

    async def _issue(self, session: Session, order: Order, prover: Prover) -> str:
        await self._step(session, order, session.open)
        asked = await self._step(session, order, partial(session.order, order))
        proofs = [each.proof for each in asked]
        try:
            if proofs:
                await prover.show(proofs)
                await self._step(session, order, partial(session.answer, asked))
                await self._wait_for_all(session, order, asked)
            return await self._step(session, order, partial(session.collect, deadline_s=ISSUANCE_S))
        finally:
            if proofs:
                await prover.withdraw(proofs)

    async def _wait_for_all(self, session: Session, order: Order, asked: Sequence[Asked]) -> None:
        waiting = list(asked)
        try:
            async with asyncio.timeout(VALIDATION_S):
                while waiting:
                    standing = await self._step(session, order, partial(session.look, waiting[0]))
                    if standing.is_pending:
                        await asyncio.sleep(min(max(standing.wait_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S))
                        continue
                    if standing.problem is not None:
                        raise self._refusal(standing.problem, session, order, host=waiting[0].proof.host)
                    waiting.pop(0)
        except TimeoutError:
            names = ", ".join(each.proof.host for each in waiting)
            raise NotIssued(f"the authority did not look at {names} within {VALIDATION_S:.0f} seconds") from None

    async def _step(self, session: Session, order: Order, work: Callable[[], Result]) -> Result:
        try:
            with _told(order):
                return await asyncio.to_thread(work)
        except NotIssued as fault:
            raise NotIssued(fault.reason, not_before=session.not_before) from fault
        except messages.Error as problem:
            raise self._refusal(of_request(problem_of(problem)), session, order, host=order.names[0]) from problem

    def _refusal(self, problem: Problem, session: Session, order: Order, *, host: str) -> NotIssued:
        not_before = session.not_before
        until = None if not_before is None else as_datetime(not_before)
        return NotIssued(sentence(problem, host=host, method=order.method, until=until), not_before=not_before)


@contextmanager
def _told(order: Order) -> Iterator[None]:
    """Turns what the library raises, but for the authority's own problems, into a sentence."""
    directory = order.account.directory
    try:
        yield
    except messages.Error:
        raise
    except errors.IssuanceError as fault:
        raise fault.error from fault
    except errors.TimeoutError:
        raise NotIssued(f"the authority at {directory} did not issue in time") from None
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
