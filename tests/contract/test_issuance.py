"""ports.issuance on every engine."""

from dataclasses import replace

from mailstack.model.instant import Instant
from mailstack.model.issuance import IssuanceFailure
from mailstack.ports.store import Store

FAILURE = IssuanceFailure(
    name="mail.example.com",
    order="first",
    reason="port 80 is closed",
    tries=1,
    failed_at=Instant(100),
    retry_at=Instant(400),
)


async def test_the_latest_failure_of_each_certificate_is_kept(store: Store) -> None:
    again = replace(
        FAILURE, order="second", reason="no address", tries=2, failed_at=Instant(400), retry_at=Instant(900)
    )
    other = replace(FAILURE, name="mta-sts.example.com")
    for failure in (FAILURE, other, again):
        await store.issuance.failed(failure)
    assert {"mail.example.com": again, "mta-sts.example.com": other} == await store.issuance.failures()


async def test_an_issued_certificate_has_no_failures(store: Store) -> None:
    await store.issuance.failed(FAILURE)
    await store.issuance.forget("mail.example.com")
    await store.issuance.forget("never.example.com")
    assert await store.issuance.failures() == {}
