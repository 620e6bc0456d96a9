"""MTA-STS policies in the words of RFC 8461 §3.2."""

from dataclasses import replace

import pytest

from mailstack.formats.mta_sts import Policy, policy_id, write_policy

POLICY = Policy(mode="enforce", max_age_s=604_800, mx=("mail.example.com",))


def test_a_policy_is_written_field_by_field_with_crlf() -> None:
    text = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 604800\r\n"
    assert write_policy(POLICY) == text


def test_every_host_has_its_line() -> None:
    text = write_policy(replace(POLICY, mx=("a.example.com", "*.example.net")))
    assert b"mx: a.example.com\r\nmx: *.example.net\r\n" in text


@pytest.mark.parametrize(
    "other", [replace(POLICY, mode="testing"), replace(POLICY, max_age_s=1), replace(POLICY, mx=("b.example.com",))]
)
def test_another_policy_has_another_id(other: Policy) -> None:
    assert policy_id(POLICY) == policy_id(replace(POLICY))
    assert policy_id(POLICY) != policy_id(other)
    assert policy_id(other).isalnum()
    assert len(policy_id(other)) <= 32
