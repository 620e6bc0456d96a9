"""How strict the spec is with senders, as the stages of receiving have it."""

from ipaddress import ip_network

from mailstack.app.blueprint import Blueprint
from mailstack.app.mail_work import ban_rules_of, sender_policy
from mailstack.model.ids import Generation
from mailstack.model.networks import UNNAMED
from mailstack.model.resource import ReceivingBody, ServerBody
from tests.support.memory_resolver import MemoryResolver

DNS = MemoryResolver()


def test_by_default_dmarc_alone_refuses_and_this_machine_is_not_checked() -> None:
    policy = sender_policy(ReceivingBody(), DNS)
    assert (policy.enforces_dmarc, policy.refuses_spf_fail, policy.defers_without_dns) == (True, False, False)
    assert policy.dns_deadline_s == 10
    assert [policy.trusts(peer) for peer in ("127.0.0.1", "::1", "192.0.2.1")] == [True, True, False]


def test_each_word_of_the_spec_counts() -> None:
    body = ReceivingBody(
        dmarc="mark",
        spf_fail="reject",
        on_dns_failure="defer",
        dns_deadline_s=5,
        trusted_sealers=("lists.example",),
        trusted_peers=("192.0.2.0/24",),
    )
    policy = sender_policy(body, DNS)
    assert (policy.enforces_dmarc, policy.refuses_spf_fail, policy.defers_without_dns) == (False, True, True)
    assert (policy.resolver, policy.dns_deadline_s) == (DNS, 5)
    assert set(policy.trusted_sealers) == {"lists.example"}
    assert list(policy.trusted_peers) == [ip_network("192.0.2.0/24")]


def test_whoever_stands_for_others_is_not_banned_for_them() -> None:
    server = ServerBody(
        hostname="mail.example.com",
        addresses=(),
        workers=1,
        message_size_bytes=1 << 20,
        recipients=10,
        connections_per_ip=5,
        proxy_from=("192.0.2.7/32",),
    )
    applied = Blueprint(generation=Generation(1), postmaster=None, secret_key=b"k" * 32, resources=(), secrets={})
    rules = ban_rules_of(applied, server)
    assert rules is not None
    hosts = ("192.0.2.7", UNNAMED, "127.0.0.1", "::1", "192.0.2.8")
    assert [host in rules.never for host in hosts] == [True, True, True, True, False]
