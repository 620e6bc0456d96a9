"""The words of TLS policies, as logs and reports have them. RFC 8460 §4.3, §4.4."""

import pytest

from mailstack.model.tls_policy import OPPORTUNISTIC, Dane, PolicyType, Required, Sts, TlsaRecord, TlsPolicy

RECORD = TlsaRecord(3, 1, 1, bytes.fromhex("00ff"))


@pytest.mark.parametrize(
    ("policy", "word", "policy_type"),
    [
        (OPPORTUNISTIC, "opportunistic", PolicyType.NONE),
        (Required(is_verified=False), "required", PolicyType.NONE),
        (Required(is_verified=True), "verified", PolicyType.NONE),
        (Sts(domain="example.com", is_testing=False, mx=("mx.example.com",)), "sts", PolicyType.STS),
        (Sts(domain="example.com", is_testing=True, mx=("mx.example.com",)), "sts-testing", PolicyType.STS),
        (Dane(records=(RECORD,), names=("mx.example.com",)), "dane", PolicyType.DANE),
    ],
)
def test_every_policy_has_its_word(policy: TlsPolicy, word: str, policy_type: PolicyType) -> None:
    assert (policy.word, policy.policy_type) == (word, policy_type)


def test_a_record_is_shown_as_dns_writes_it() -> None:
    assert str(RECORD) == "3 1 1 00ff"
