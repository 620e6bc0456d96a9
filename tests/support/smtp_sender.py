"""What nearly every test of sending sends, and deadlines for a transport."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.clients.smtp.session import Timeouts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.model.delivery import Credentials, Envelope, EnvelopeRecipient, HopProtocol, NextHop, Outcome, TlsMode
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification
from mailstack.model.source import ANYWHERE, Origin
from mailstack.model.tls_policy import OPPORTUNISTIC, LeastTls, TlsPolicy

CONTENT = b"From: a@us.test\r\nSubject: hi\r\n\r\n.dots\r\nbye\r\n"
PATIENT = Timeouts(connect_s=60, tls_s=60, greeting_s=60, command_s=60, data_s=60, block_s=60, end_s=120, quit_s=60)
"""With servers that answer, on a machine that may be busy."""


@dataclass
class Sender:
    """A transport, with what nearly every test sends."""

    transport: SmtpTransport

    async def send(
        self,
        port: int,
        *recipients: str,
        host: str = "mx.test",
        tls: TlsMode = TlsMode.NONE,
        credentials: Credentials | None = None,
        content: bytes = CONTENT,
        reverse_path: str = "a@us.test",
        is_8bit: bool = False,
        smtp_utf8: bool = False,
        is_exchanger: bool = False,
        handling: Handling = PLAIN,
        notification: Notification = UNASKED,
        protocol: HopProtocol = HopProtocol.SMTP,
        policy: TlsPolicy = OPPORTUNISTIC,
        least: LeastTls = LeastTls.OPPORTUNISTIC,
        socket: str = "",
        origin: Origin = ANYWHERE,
    ) -> Sequence[Outcome]:
        return await self.transport.deliver(
            NextHop(
                host=host,
                port=port,
                tls=tls,
                credentials=credentials,
                is_exchanger=is_exchanger,
                protocol=protocol,
                policy=policy,
                least=least,
                socket=socket,
            ),
            Envelope(
                reverse_path=reverse_path,
                recipients=tuple(
                    EnvelopeRecipient(address=each, notification=notification)
                    for each in recipients or ("b@them.test",)
                ),
                is_8bit=is_8bit,
                smtp_utf8=smtp_utf8,
                trace_id="t",
                handling=handling,
                origin=origin,
            ),
            content,
        )
