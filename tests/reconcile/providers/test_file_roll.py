"""Certificate files with another key under DANE: what is used when, and what DNS is asked to show meanwhile."""

from dataclasses import replace

from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant, from_datetime, iso
from mailstack.model.resource import CertificateBody, Kind, Resource, body_of, fields_of
from mailstack.reconcile.dns.live import Seen, Sight
from mailstack.reconcile.providers.certs import key_digest, not_after, self_signed
from mailstack.reconcile.providers.file_roll import ANNOUNCED, FileOutlook, file_outlook
from mailstack.reconcile.providers.key_roll import Watched
from mailstack.reconcile.wanted import Wanted

HOST = "mail.example.com"
NOW = Instant(1_790_000_000_000)
TTL_S = 600
NOT_ASKED = Watched(seen=Seen(failure="nobody was asked"), ttl_s=TTL_S)


def files(made: Instant = NOW, key: str | None = None) -> tuple[Wanted, str]:
    """As read from the spec's folder; and the key."""
    chain, key = self_signed((HOST,), made, key)
    body = CertificateBody(
        issuer="files", names=(HOST,), certificate=chain, not_after=iso(from_datetime(not_after(chain)))
    )
    resource = Resource(kind=Kind.CERTIFICATE, name=HOST, fields=fields_of(body), digests={"key": key_digest(chain)})
    return Wanted(resource=resource, secrets={"key": key}), key


def digest(wanted: Wanted) -> str:
    return key_digest(body(wanted).certificate)


def body(wanted: Wanted) -> CertificateBody:
    return body_of(CertificateBody, wanted.resource)


def shown(*digests: str) -> Watched:
    values = tuple(f"3 1 1 {one}" for one in digests)
    return Watched(seen=Seen(sights=(Sight(server="ns1", values=values),)), ttl_s=TTL_S)


def look(given: Wanted, old: Wanted | None, now: Instant = NOW, dns: Watched | None = None) -> FileOutlook:
    return file_outlook(given, old.resource if old else None, now, dns or NOT_ASKED)


def test_the_first_files_are_used_at_once() -> None:
    given, _ = files()
    assert look(given, None) == FileOutlook(wanted=given)


def test_a_renewal_with_the_same_key_is_used_at_once() -> None:
    old, key = files()
    new, _ = files(Instant(NOW + DAY_MS), key)
    assert body(look(new, old).wanted).certificate == body(new).certificate


def test_another_key_is_announced_seen_known_and_only_then_used_and_the_old_record_goes_last() -> None:
    old, _ = files()
    new, _ = files()
    announced = look(new, old)
    assert (announced.wanted.reason, announced.wanted.secrets) == (ANNOUNCED, {})
    assert body(announced.wanted).certificate == body(old).certificate
    assert body(announced.wanted).next_key_digest == digest(new)

    later = Instant(NOW + 6 * MINUTE_MS)
    missing = look(new, announced.wanted, later, shown(digest(old)))
    assert missing.wanted.resource == announced.wanted.resource
    assert missing.warning is not None
    assert "is not seen yet at ns1; the old key goes on" in missing.warning.text

    seen = look(new, announced.wanted, later, shown(digest(old), digest(new)))
    assert body(seen.wanted).next_key_since == iso(later)
    waiting = look(new, seen.wanted, later)
    assert waiting.again_at is not None
    assert later <= waiting.again_at + SECOND_MS
    assert waiting.again_at <= later + 2 * TTL_S * SECOND_MS

    used = look(new, seen.wanted, waiting.again_at)
    assert (digest(used.wanted), used.wanted.secrets) == (digest(new), new.secrets)
    assert body(used.wanted).last_key_digest == digest(old)

    ends = look(new, used.wanted, waiting.again_at)
    assert ends.wanted.resource.fields == used.wanted.resource.fields
    assert ends.again_at is not None
    assert ends.again_at <= waiting.again_at + HOUR_MS
    alone = look(new, used.wanted, ends.again_at)
    assert (body(alone.wanted).last_key_digest, digest(alone.wanted)) == ("", digest(new))


def test_where_no_record_names_the_former_key_nothing_is_waited_for() -> None:
    old, new = (files()[0] for _ in range(2))
    used = look(new, old, dns=shown())
    assert (used.wanted.resource.fields, used.wanted.secrets) == (new.resource.fields, new.secrets)
    unknown = Watched(seen=Seen(sights=(Sight(server="ns1", failure="timed out"),)), ttl_s=TTL_S)
    assert look(new, old, dns=unknown).wanted.reason == ANNOUNCED


def test_a_third_key_in_between_begins_anew() -> None:
    old, new, third = (files()[0] for _ in range(3))
    announced = look(new, old).wanted
    again = look(third, announced)
    assert body(again.wanted).next_key_digest == digest(third)


def test_the_former_files_put_back_end_the_roll() -> None:
    old, new = (files()[0] for _ in range(2))
    announced = look(new, old).wanted
    assert look(old, announced).wanted.resource.fields == old.resource.fields


def test_what_ends_within_a_day_is_not_waited_for_and_the_plan_says_so() -> None:
    old, new = files(Instant(NOW - 900 * DAY_MS))[0], files()[0]
    used = look(new, old)
    assert (digest(used.wanted), body(used.wanted).last_key_digest) == (digest(new), digest(old))
    assert used.warning is not None
    assert "used at once" in used.warning.text


def test_what_is_held_and_cannot_be_read_is_not_waited_for() -> None:
    given, _ = files()
    broken = replace(given.resource, fields={**given.resource.fields, "certificate": "nonsense"})
    assert file_outlook(given, broken, NOW, NOT_ASKED) == FileOutlook(wanted=given)
