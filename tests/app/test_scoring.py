"""A spec's own rules and lists of senders, as a generation has them."""

from pathlib import Path
from typing import Any

import pytest

from mailstack.app.scoring import judging_of
from mailstack.app.spec_tests.bed import make_bed
from mailstack.model.principal import Account
from mailstack.model.spam import Judged
from mailstack.model.verdict import DmarcResult, DmarcVerdict
from mailstack.services.spam.sender import sender_of
from mailstack.spec.load import load_spec
from tests.support.examined import examined
from tests.support.senders import known
from tests.support.spec_tests import write_spec

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@strict.example"
HEAD = """\
server: {hostname: mail.example.com}
domains:
  example.com: {spam: {block: [shop.example], allow: [deals@shop.example]}}
  strict.example: {spam: {junk_at: 2}}
accounts:
  alice@example.com:
  bob@example.com: {spam: {block: ["*.example"], reject_at: null}}
  carol@strict.example:
  dora@strict.example: {spam: off}
spam:
  reject_at: 9
  allow: [8.8.0.0/16]
  rules:
    - {name: replica, if: {body: {contains: Replica}, not: {size: {over: 1MiB}}}, points: 2.5}
    - {name: others, if: {subject: {is: something else}}, points: 7}
"""
PROVEN = known(DmarcVerdict(result=DmarcResult.PASS, from_domain="shop.example"))
SENDER = sender_of(
    PROVEN,
    peer_host="192.0.2.1",
    peer_name="",
    ehlo_domain="mx.shop.example",
    protocol="ESMTP",
    reverse_path="deals@shop.example",
)


async def judged(folder: Path, login: str | None, **mail: Any) -> Judged:
    bed = await make_bed(load_spec(write_spec(folder, "  []\n", HEAD)))
    judging = judging_of(bed.blueprint)
    assert judging is not None
    account = None if login is None else await bed.accounts.find(login)
    assert account is None or isinstance(account, Account)
    (found,) = (await judging.judge(examined(**mail), [account])).values()
    return found


def points_of(found: Judged, *rules: str) -> list[float]:
    return [finding.points for finding in found.score.findings if finding.rule in rules]


async def test_own_rules_give_their_points(tmp_path: Path) -> None:
    found = await judged(tmp_path, CAROL)
    assert points_of(found, "replica", "others") == [2.5]
    assert (found.policy.junk_at, found.policy.reject_at) == (2, 9)


@pytest.mark.parametrize(
    ("login", "is_proven", "peer_host", "points", "why"),
    [
        (ALICE, False, "192.0.2.1", [100.0], "shop.example is kept out here"),
        (ALICE, True, "192.0.2.1", [-100.0], "deals@shop.example is let in here"),
        (BOB, True, "192.0.2.1", [100.0], "*.example is kept out here"),
        (CAROL, False, "8.8.4.4", [-100.0], "8.8.0.0/16 is let in here"),
        (CAROL, False, "192.0.2.1", [], ""),
        (None, False, "8.8.4.4", [-100.0], "8.8.0.0/16 is let in here"),
    ],
)
async def test_senders_that_are_named(
    tmp_path: Path, login: str | None, is_proven: bool, peer_host: str, points: list[float], why: str
) -> None:
    proof = {"authentication": PROVEN, "sender": SENDER} if is_proven else {}
    found = await judged(tmp_path, login, peer_host=peer_host, **proof)
    assert points_of(found, "allowed", "blocked") == points
    if points:
        assert found.score.findings[0].why == why
        assert found.is_junk is (points[0] > 0)
        assert found.is_refused is (points[0] > 0 and login != BOB)


async def test_where_the_spec_wants_no_score_nobody_judges(tmp_path: Path) -> None:
    head = (
        "server: {hostname: mail.example.com}\ndomains: {example.com: }\nspam: off\naccounts: {alice@example.com: }\n"
    )
    bed = await make_bed(load_spec(write_spec(tmp_path, "  []\n", head)))
    assert judging_of(bed.blueprint) is None
