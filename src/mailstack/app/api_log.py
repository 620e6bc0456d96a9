"""Answers one question to a node's log for who looks after the server in a browser: the process behind
app.api_process that needs neither spec nor store.
"""

import signal
import socket
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import structlog

from mailstack.app.answer_line import JSON, Line
from mailstack.app.api_process import Order
from mailstack.app.log import configure_log
from mailstack.app.mail_figures import figures_document
from mailstack.app.story import stories_of
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant
from mailstack.servers.calls import CallKind

log = structlog.get_logger()


def obey(connection: socket.socket) -> None:
    incoming = connection.makefile("rb")
    order = Order.decoded(incoming.readline())
    configure_log(order.log_format, order.log_level)
    line = Line(connection)
    try:
        # A worker ignores it, and so would its child. Not at once: the database may have files to take away.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        request: dict[str, Any] = orjson.loads(incoming.read(order.size))
        found = _answer(CallKind(order.kind), order.store.folder, request)
    except KeyboardInterrupt:
        return  # nobody waits for the answer any more
    except TryAgainLater as fault:
        line.fail(HTTPStatus.SERVICE_UNAVAILABLE, fault.detail)
    except Exception:  # the caller learns that it failed, the log why
        log.exception("a question to the log failed", call=order.kind)
        line.fail(HTTPStatus.INTERNAL_SERVER_ERROR, "an internal error; the server's log says more")
    else:
        line.begin(JSON)
        line.tell(node=socket.gethostname(), **found)


def _answer(kind: CallKind, storage: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    since, until = Instant(request["since"]), Instant(request["until"])
    if kind is CallKind.MAILS:
        return stories_of(storage, request["what"], since=since, until=until).document()
    return figures_document(storage, since=since, until=until)
