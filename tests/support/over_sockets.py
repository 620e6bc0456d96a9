"""The standard library's mail clients over connections that a test has made its own way."""

import imaplib
import smtplib
import socket
import ssl

CLIENT_S = 120.0


class SmtpOver(smtplib.SMTP):
    """helo: what it calls itself."""

    def __init__(self, connected: socket.socket, helo: str = "client.example") -> None:
        self._connected = connected
        super().__init__("localhost", 1, helo, timeout=CLIENT_S)

    def _get_socket(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        return self._connected


class ImapOver(imaplib.IMAP4):
    """Under TLS from the first byte; any certificate will do."""

    def __init__(self, connected: socket.socket) -> None:
        self._connected = unverified().wrap_socket(connected)
        super().__init__("localhost", timeout=CLIENT_S)

    def _create_socket(self, _timeout: float | None) -> socket.socket:
        return self._connected


def unverified() -> ssl.SSLContext:
    """For servers that have signed themselves."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
