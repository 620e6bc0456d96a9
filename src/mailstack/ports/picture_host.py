"""Where pictures are to be had that mail names and does not hold."""

from typing import Protocol

from mailstack.model.picture import NoPicture, Picture


class PictureHost(Protocol):
    async def fetch(self, url: str) -> Picture | NoPicture:
        """Never raises for what a URL says, or a peer or the network does."""
        ...
