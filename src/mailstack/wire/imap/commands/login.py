"""LOGIN. RFC 9051 §6.2.3."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login(username={self.username!r})"


def parse(cursor: Cursor) -> Login:
    cursor.space()
    username = cursor.text(cursor.astring())
    cursor.space()
    password = cursor.text(cursor.astring())
    cursor.end()
    return Login(username=username, password=password)
