"""How a process that was asked something (app.api_process) answers its worker: a status, then the content."""

import socket
from http import HTTPStatus

import orjson

PATIENCE_S = 20.0
"""With a caller that has not taken the last of the answer yet."""
JSON, LINES, PROBLEM = "application/json", "application/x-ndjson", "application/problem+json"


class Line:
    """Blocking: this process has nothing else to do. A caller that goes away changes nothing but that nobody hears; so
    does one that stays and does not listen, for an apply holds up all others meanwhile."""

    def __init__(self, connection: socket.socket, *, patience_s: float = PATIENCE_S) -> None:
        connection.settimeout(patience_s)
        self._connection = connection
        self._is_heard = True
        self.has_begun = False

    def begin(self, media_type: str, status: int = HTTPStatus.OK) -> None:
        self.has_begun = True
        self.tell(status=int(status), media_type=media_type)

    def tell(self, **fields: object) -> None:
        self.write(orjson.dumps(fields) + b"\n")

    def fail(self, status: int, detail: str, **more: object) -> None:
        """As RFC 9457 has it; within an answer that has begun, as its last line."""
        if self.has_begun:
            self.tell(step="Failed", status=int(status), detail=detail, **more)
            return
        self.begin(PROBLEM, status)
        self.tell(title=HTTPStatus(status).phrase, status=int(status), detail=detail, **more)

    def write(self, data: bytes) -> None:
        try:
            if self._is_heard:
                self._connection.sendall(data)
        except OSError:  # TimeoutError among them
            self._is_heard = False
