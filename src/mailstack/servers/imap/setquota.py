"""SETQUOTA: refused, for quotas are the spec's. RFC 9208 §4.1.3; QUOTASET is not offered."""

from mailstack.servers.imap.session import Completed, Session, no
from mailstack.wire.imap.commands.setquota import SetQuota


async def run(_session: Session, _request: SetQuota) -> Completed:
    return no("Quotas are set by the administrator", "NOPERM")
