"""From the method calls of a request to their responses, one after the other. RFC 8620 §3.3 to §3.6.

A new method needs its line here, and nothing else.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.instant import SECOND_MS
from mailstack.model.metrics import JMAP_SECONDS
from mailstack.servers.jmap import (
    blob_copy,
    blob_get,
    blob_lookup,
    blob_upload,
    core_echo,
    email_changes,
    email_copy,
    email_get,
    email_import,
    email_parse,
    email_query,
    email_query_changes,
    email_set,
    email_submission_changes,
    email_submission_get,
    email_submission_query,
    email_submission_query_changes,
    email_submission_set,
    identity_changes,
    identity_get,
    identity_set,
    mailbox_changes,
    mailbox_get,
    mailbox_query,
    mailbox_query_changes,
    mailbox_set,
    push_subscription_get,
    push_subscription_set,
    quota_changes,
    quota_get,
    quota_query,
    quota_query_changes,
    search_snippet_get,
    sieve_script_get,
    sieve_script_query,
    sieve_script_set,
    sieve_script_validate,
    thread_changes,
    thread_get,
    vacation_response_get,
    vacation_response_set,
)
from mailstack.servers.jmap.errors import method_fault
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.references import Results
from mailstack.wire.jmap.request import Invocation

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        core_echo.METHOD,
        push_subscription_get.METHOD,
        push_subscription_set.METHOD,
        blob_copy.METHOD,
        blob_upload.METHOD,
        blob_get.METHOD,
        blob_lookup.METHOD,
        mailbox_get.METHOD,
        mailbox_changes.METHOD,
        mailbox_query.METHOD,
        mailbox_query_changes.METHOD,
        mailbox_set.METHOD,
        thread_get.METHOD,
        thread_changes.METHOD,
        email_get.METHOD,
        email_changes.METHOD,
        email_query.METHOD,
        email_query_changes.METHOD,
        email_set.METHOD,
        email_copy.METHOD,
        email_import.METHOD,
        email_parse.METHOD,
        search_snippet_get.METHOD,
        identity_get.METHOD,
        identity_changes.METHOD,
        identity_set.METHOD,
        email_submission_get.METHOD,
        email_submission_changes.METHOD,
        email_submission_query.METHOD,
        email_submission_query_changes.METHOD,
        email_submission_set.METHOD,
        vacation_response_get.METHOD,
        vacation_response_set.METHOD,
        sieve_script_get.METHOD,
        sieve_script_query.METHOD,
        sieve_script_set.METHOD,
        sieve_script_validate.METHOD,
        quota_get.METHOD,
        quota_changes.METHOD,
        quota_query.METHOD,
        quota_query_changes.METHOD,
    )
}
_ERROR = "error"

log = structlog.get_logger()

Responses = list[tuple[str, Mapping[str, Any], str]]
"""Name, arguments, method call id."""


async def responses_to(
    calls: Sequence[Invocation], call: Call, *, methods: Mapping[str, Method] = METHODS
) -> Responses:
    """A call that fails is answered so, and leaves the others alone."""
    results = Results(octets=call.service.limits.request_octets)
    responses: Responses = []
    waiting = deque(calls)
    while waiting:
        invocation = waiting.popleft()
        began_at = call.service.clock()
        name, found = await _response(invocation, call, results, methods)
        call.service.metrics.observe(
            JMAP_SECONDS,
            (call.service.clock() - began_at) / SECOND_MS,
            invocation.name,
            _ERROR if name == _ERROR else "done",
        )
        results.add(name, found, invocation.call_id)
        responses.append((name, found, invocation.call_id))
        # RFC 8620 §5.4: what follows from a call comes before the client's next one, under the same id.
        waiting.extendleft(
            Invocation(name=name, arguments=given, call_id=invocation.call_id, is_implied=True)
            for name, given in reversed(call.implied)
        )
        call.implied.clear()
        # Others are let in between: there may be many calls that wait for nothing.
        await asyncio.sleep(0)
    return responses


async def _response(
    invocation: Invocation, call: Call, results: Results, methods: Mapping[str, Method]
) -> tuple[str, dict[str, Any]]:
    try:
        return invocation.name, await _run(invocation, call, results, methods)
    except MethodFault as fault:
        return _ERROR, fault.as_json()
    except DomainError as fault:
        log.info("refused", method=invocation.name, error=type(fault).__name__, detail=fault.detail)
        return _ERROR, method_fault(fault).as_json()
    except Exception:
        log.exception("bug", method=invocation.name)
        return _ERROR, MethodFault(MethodFaultType.SERVER_FAIL, "Internal error").as_json()


async def _run(invocation: Invocation, call: Call, results: Results, methods: Mapping[str, Method]) -> dict[str, Any]:
    method = methods.get(invocation.name)
    # RFC 8620 §3.3: what the request does not use is not there for it; but for what it uses says that it follows.
    if method is None or not (invocation.is_implied or method.capability in call.using):
        raise MethodFault(MethodFaultType.UNKNOWN_METHOD)
    return await method.run(call, Arguments(results.resolve(invocation.arguments)))
