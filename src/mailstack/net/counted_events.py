"""What the events of receiving come to in figures: each counts, also those that are too many to be told one by one."""

from mailstack.model.instant import SECOND_MS
from mailstack.model.log_events import Outcome, TransactionEvent, TurnedAwayEvent
from mailstack.model.metrics import (
    AUTHENTICATION_RESULTS,
    CONNECTIONS_REFUSED,
    RECEIVED_BYTES,
    RECIPIENTS,
    TRANSACTION_SECONDS,
    TRANSACTIONS,
)
from mailstack.ports.metrics import Metrics


def count_event(metrics: Metrics, event: TransactionEvent | TurnedAwayEvent) -> None:
    match event:
        case TurnedAwayEvent():
            metrics.add(CONNECTIONS_REFUSED, event.service, event.reason)
        case TransactionEvent():
            _count_transaction(metrics, event)


def _count_transaction(metrics: Metrics, event: TransactionEvent) -> None:
    service = event.service
    metrics.add(TRANSACTIONS, service, event.outcome, event.phase)
    metrics.observe(TRANSACTION_SECONDS, event.ms / SECOND_MS, service, event.outcome)
    if event.outcome is Outcome.ACCEPTED:
        metrics.add(RECEIVED_BYTES, service, by=event.size)
    for outcome, recipients in (
        (Outcome.ACCEPTED, event.accepted_count),
        (Outcome.REFUSED, event.refused_count),
        (Outcome.DEFERRED, event.deferred_count),
    ):
        if recipients:
            metrics.add(RECIPIENTS, service, outcome, by=recipients)
    for method, result in (
        ("spf", event.spf),
        ("dmarc", event.dmarc),
        ("arc", event.arc),
        ("iprev", event.iprev),
        *(("dkim", signature.result) for signature in event.dkim),
    ):
        if result is not None:
            metrics.add(AUTHENTICATION_RESULTS, method, result)
