"""An answer that is sent as it comes, and closed whatever becomes of who listens."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class Streamed(StreamingResponse):
    """close: called also where the caller left before the first of it was sent."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes | str],
        close: Callable[[], Awaitable[None]],
        *,
        status: int = 200,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(chunks, status_code=status, media_type=media_type, headers=headers)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._close()
