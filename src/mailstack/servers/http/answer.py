"""Where an answer goes: uvicorn's cycle writes here and closes here, and how the connection ends is ours to say."""

import asyncio
from collections.abc import Callable


class AnswerTransport(asyncio.Transport):
    """What uvicorn's cycle writes an answer to. That it closes it means that the answer was the last one."""

    def __init__(self, inner: asyncio.Transport, end: Callable[[], None]) -> None:
        super().__init__()
        self._inner = inner
        self._end = end

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._inner.write(data)

    def is_closing(self) -> bool:
        return self._inner.is_closing()

    def close(self) -> None:
        self._end()
