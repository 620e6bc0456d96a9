"""GETQUOTA, and how all QUOTA responses are made. RFC 9208 §4.1.1, §4.2.1, §5.1."""

from mailstack.model.errors import NotFound
from mailstack.servers.imap.session import Completed, Session, no, ok
from mailstack.services.mailbox.quota import Quota, quota_of_root
from mailstack.wire.imap.commands.getquota import GetQuota
from mailstack.wire.imap.responses import QuotaData

_UNIT_OCTETS = 1024


async def run(session: Session, request: GetQuota) -> Completed:
    try:
        quota = await quota_of_root(session.mail, request.root)
    except NotFound:
        return no("No such quota root", "NONEXISTENT")
    session.connection.say(quota_data(quota))
    return ok("GETQUOTA completed")


def quota_data(quota: Quota) -> QuotaData:
    """RFC 9208 §5.1: in units of 1024 octets; usage rounded up, so that what is full does not look otherwise."""
    if quota.limit_bytes is None:
        return QuotaData(root=quota.root, resources=())
    used, limit = -(-quota.used_bytes // _UNIT_OCTETS), quota.limit_bytes // _UNIT_OCTETS
    return QuotaData(root=quota.root, resources=(("STORAGE", used, limit),))
