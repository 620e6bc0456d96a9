"""Every refusal that an SMTP client may hear."""

from mailstack.model.delivery import SmtpReply
from mailstack.model.instant import Instant
from mailstack.servers.smtp import replies
from mailstack.servers.smtp.errors import REJECTIONS, REPLIES

# The reply to who is banned ends with a time.
BANNED = str(replies.banned(Instant(0))).removesuffix("1970-01-01T00:00:00Z").rstrip()


def refusals() -> set[str]:
    """As they are said, without what some go on with: a time, a list's words, the id of the transaction."""
    protocol = (reply for reply in vars(replies).values() if isinstance(reply, SmtpReply))
    found = (*protocol, *REPLIES.values(), *REJECTIONS.values())
    return {BANNED, *(str(reply) for reply in found if reply.code >= 400)}
