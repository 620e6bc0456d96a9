"""What an apply tells while it runs, in words, a line for each event. Pure."""

from mailstack.model.instant import Instant, as_datetime
from mailstack.reconcile import progress


def told(event: progress.Event) -> str:
    match event:
        case progress.PasswordHashed(done=done, total=total):
            return f"hashed {done} of {total} passwords"
        case progress.Made(kind=kind, name=name):
            return f"made {kind} {name}"
        case progress.StateCommitted(generation=generation):
            return f"the server's state is at generation {generation}"
        case progress.ZoneWritten(zone=zone, changes=changes):
            return f"DNS zone {zone}: {_counted(changes)} written"
        case progress.ZoneVerified(zone=zone):
            return f"DNS zone {zone}: seen as planned"
        case progress.OrderBegun(name=name, authority=authority):
            return f"certificate {name}: ordered from {authority}"
        case progress.OrderElsewhere(name=name):
            return f"certificate {name}: another process is ordering it"
        case progress.TurnAwaited(holder=holder):
            return f"waiting for {holder}"
        case progress.ContactTold(authority=authority, email=email):
            return f"{authority}: writes to {email or 'nobody'} from now on"
        case progress.ContactNotTold(authority=authority, reason=reason, retry_at=retry_at):
            return f"{authority}: not told whom to write to: {reason}; tried again after {_minute(retry_at)}"
        case progress.CertificateIssued(name=name, not_after=not_after):
            return f"certificate {name}: issued, good until {not_after}"
        case progress.CertificateNotIssued(name=name, reason=reason, retry_at=retry_at):
            return f"certificate {name}: not issued: {reason}; tried again after {_minute(retry_at)}"
        case progress.RecordsAwaited(seen=seen, total=total):
            return f"records seen in DNS: {seen} of {total}"


def _minute(moment: Instant) -> str:
    return f"{as_datetime(moment):%Y-%m-%d %H:%M} UTC"


def _counted(record_sets: int) -> str:
    return f"{record_sets} record set" if record_sets == 1 else f"{record_sets} record sets"
