"""GETQUOTAROOT. RFC 9208 §4.1.2, §4.2.2."""

from mailstack.servers.imap.getquota import quota_data
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.services.mailbox.quota import quota_of_mailbox
from mailstack.wire.imap.commands.getquotaroot import GetQuotaRoot
from mailstack.wire.imap.responses import QuotaRootData


async def run(session: Session, request: GetQuotaRoot) -> Completed:
    place, quota = await quota_of_mailbox(session.mail, request.mailbox)
    session.connection.say(QuotaRootData(name=place.path, roots=(quota.root,)), quota_data(quota))
    return ok("GETQUOTAROOT completed")
