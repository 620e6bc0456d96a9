"""How mail goes on from addresses of ours: under whose path, with what on top, and how notices come back."""

from dataclasses import replace

import pytest

from mailstack.mailauth.arc import verify as arc
from mailstack.mailauth.dkim import keys
from mailstack.mailauth.srs import restore, rewrite
from mailstack.model.address import parse_address
from mailstack.model.errors import Forbidden, NotFound
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.principal import Forward
from mailstack.model.verdict import ArcResult, ArcVerdict, DmarcResult, DmarcVerdict, SpfResult
from mailstack.net.spool import Spool
from mailstack.services.inbound.deliver import LARGE_BYTES, Letter
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.recipients import Onward, Resolution
from mailstack.services.inbound.trace import passed_addresses, prepend
from mailstack.store.memory.accounts import MemoryAccounts
from tests.support.memory_accounts import make_account, make_domain
from tests.support.memory_resolver import MemoryResolver
from tests.support.senders import known

NOW = Instant(1_700_000_000_000)
KEY = b"k" * 32
RAW = b"From: x@y.example\r\nSubject: x\r\n\r\nbody\r\n"
RECEIVED = b"Received: from a by b; now\r\n"
ALICE = make_account(
    "alice@example.com", forward=Forward(targets=("alice@elsewhere.example", "b@else.example"), keep=True)
)
ELSEWHERE = Onward(address="alice@example.com", targets=("alice@elsewhere.example", "b@else.example"))
PASSED = DmarcVerdict(result=DmarcResult.PASS, from_domain="y.example")
ED25519, RSA = keys.generate("ed25519"), keys.generate("rsa2048")
SIGNING = [
    keys.load(domain="example.com", selector="e", private_pem=ED25519.private_pem),
    keys.load(domain="example.com", selector="r", private_pem=RSA.private_pem),
]
RESOLVER = MemoryResolver(
    txt={
        "e._domainkey.example.com": [keys.record("ed25519", ED25519.public_key)],
        "r._domainkey.example.com": [keys.record("rsa2048", RSA.public_key)],
    }
)
FORWARDING = Forwarding(
    hostname="mail.example.com",
    accounts=MemoryAccounts(
        (ALICE,),
        aliases={"out@example.com": ("f@elsewhere.example",)},
        domains=(make_domain("example.com"), make_domain("example.net", alias_of="example.com")),
    ),
    postmaster=None,
    signing_keys={"example.com": SIGNING},
    path_key=KEY,
)


def letter(reverse_path: str = "x@y.example", raw: RawMessage = RAW) -> Letter:
    return Letter(
        reverse_path=reverse_path,
        peer_host="192.0.2.9",
        raw=raw,
        received=RECEIVED,
        received_at=NOW,
        is_8bit=True,
        smtp_utf8=False,
        trace_id="t",
    )


async def test_one_form_for_mailboxes_and_one_for_each_address_that_sends_on() -> None:
    out = Onward(address="out@example.com", targets=("f@elsewhere.example",))
    to = Resolution(accounts=(ALICE,), onward=(ELSEWHERE, out))
    own, *onward = await FORWARDING.shipments(letter(), to)
    assert (own.letter, own.accounts, own.external) == (letter(), (ALICE,), ())
    assert [each.external for each in onward] == [ELSEWHERE.targets, out.targets]
    for each, address in zip(onward, ("alice@example.com", "out@example.com"), strict=True):
        assert each.letter.received == f"Delivered-To: {address}\r\n".encode() + RECEIVED
        assert each.letter.raw is RAW
        assert (each.letter.is_8bit, each.letter.trace_id) == (True, "t")


@pytest.mark.parametrize(
    ("sender", "path"),
    [
        ("", ""),  # RFC 5321 §4.5.5
        ("bob@example.com", "bob@example.com"),  # ours, and SPF knows that
        ("bob@EXAMPLE.net", "bob@EXAMPLE.net"),
        ("SRS0=HHHHHHHH=TT=y.example=x@example.com", "SRS0=HHHHHHHH=TT=y.example=x@example.com"),
        ("x" * 60 + "@y.example", "alice@example.com"),
        ('"x y"@y.example', "alice@example.com"),
        ("x@[192.0.2.1]", "alice@example.com"),
    ],
)
async def test_reverse_paths_that_are_not_rewritten(sender: str, path: str) -> None:
    (shipment,) = await FORWARDING.shipments(letter(sender), Resolution(onward=(ELSEWHERE,)))
    assert shipment.letter.reverse_path == path


async def test_a_notice_finds_its_way_back_and_nothing_else_does() -> None:
    (shipment,) = await FORWARDING.shipments(letter("X@Y.example"), Resolution(onward=(ELSEWHERE,)))
    path = shipment.letter.reverse_path
    assert path == rewrite("X@Y.example", "example.com", key=KEY, now=NOW)
    for address in (path, path.lower(), path.replace("example.com", "example.net")):
        back = await FORWARDING.resolve(parse_address(address), reverse_path="", now=NOW)
        (onward,) = back.onward
        assert [target.casefold() for target in onward.targets] == ["x@y.example"]
        (returned,) = await FORWARDING.shipments(letter(""), back)
        assert returned.letter.reverse_path == ""
    with pytest.raises(Forbidden):
        await FORWARDING.resolve(parse_address(path), reverse_path="spam@evil.example", now=NOW)
    with pytest.raises(NotFound):
        await FORWARDING.resolve(parse_address(path.replace("=X@", "=Z@")), reverse_path="", now=NOW)
    with pytest.raises(Forbidden):  # true, but of a domain that nobody receives here
        await FORWARDING.resolve(parse_address(path.replace("example.com", "else.example")), reverse_path="", now=NOW)


async def test_what_goes_on_is_sealed_with_what_was_found() -> None:
    found = known(PASSED, spf=SpfResult.PASS)
    for raw in (RAW, b"From: x@y.example\r\n\r\n" + b"x" * 78 * (LARGE_BYTES // 70)):
        (shipment,) = await FORWARDING.shipments(letter(raw=raw), Resolution(onward=(ELSEWHERE,)), found)
        whole = bytes(prepend(shipment.letter.received, raw))
        verdict = await arc.verify(RESOLVER, whole, now=NOW, trusted={"example.com"})
        assert (verdict.result, verdict.sealers) == (ArcResult.PASS, ("example.com",))
        assert verdict.trusted_results.startswith("mail.example.com;")
        assert "spf=pass smtp.mailfrom=x@y.example" in verdict.trusted_results
        assert b"a=rsa-sha256" in shipment.letter.received  # RFC 8617 has no other algorithm


async def test_a_mapped_message_is_sealed_as_well() -> None:
    with Spool() as spool:
        spool.write(RAW + b"x" * 600_000 + b"\r\n")
        raw = spool.octets()
        (shipment,) = await FORWARDING.shipments(letter(raw=raw), Resolution(onward=(ELSEWHERE,)), known(PASSED))
        whole = shipment.letter.received + bytes(raw)
    assert (await arc.verify(RESOLVER, whole, now=NOW, trusted=())).result is ArcResult.PASS


async def test_no_seal_without_a_key_without_findings_and_where_dns_hides_the_chain() -> None:
    to = Resolution(onward=(ELSEWHERE,))
    hidden = replace(known(PASSED), arc=ArcVerdict(result=ArcResult.FAIL, is_temporary=True))
    broken = replace(known(PASSED), arc=ArcVerdict(result=ArcResult.FAIL))
    unsigned = replace(FORWARDING, signing_keys={})
    for forwarding, found in ((FORWARDING, None), (FORWARDING, hidden), (unsigned, known(PASSED))):
        (shipment,) = await forwarding.shipments(letter(), to, found)
        assert b"ARC-" not in shipment.letter.received
    # RFC 8617 §5.1.2: one that is broken for good is sealed as that, once.
    (shipment,) = await FORWARDING.shipments(letter(), to, broken)
    assert b"cv=fail" in shipment.letter.received


async def test_each_seal_of_a_mail_is_made_once_for_each_domain() -> None:
    onward = tuple(Onward(address=f"a{n}@example.com", targets=(f"x{n}@elsewhere.example",)) for n in range(3))
    shipments = await FORWARDING.shipments(letter(), Resolution(onward=onward), known(PASSED))
    assert len({shipment.letter.received.partition(b"Delivered-To")[0] for shipment in shipments}) == 1
    assert len({shipment.letter.reverse_path for shipment in shipments}) == 1


async def test_a_target_beyond_ascii_asks_nothing_of_the_others() -> None:
    """RFC 6531 §3.4: what its own server must know, who sends finds by its path."""
    onward = Onward(address="bücher@example.com", targets=("bob@elsewhere.example", "böb@else.example"))
    (shipment,) = await FORWARDING.shipments(letter(), Resolution(onward=(onward,)))
    assert shipment.letter.smtp_utf8 is False
    assert shipment.letter.received.isascii()
    assert passed_addresses(shipment.letter.received + RAW) == {"bücher@example.com"}


async def test_who_sends_on_without_keeping_is_named_with_it() -> None:
    gone = replace(ALICE, forward=Forward(targets=("alice@elsewhere.example",), keep=False))
    forwarding = replace(FORWARDING, accounts=MemoryAccounts((gone,), domains=(make_domain("example.com"),)))
    address = parse_address("alice@example.com")
    found = await forwarding.resolve(address, reverse_path="x@y.example", now=NOW)
    assert found == Resolution(
        onward=(Onward(address="alice@example.com", targets=("alice@elsewhere.example",), owner=gone),)
    )
    again = await forwarding.resolve(address, reverse_path="x@y.example", now=NOW, passed={"alice@example.com"})
    assert again == Resolution(accounts=(gone,))


async def test_restored_paths_are_those_that_were_made_here() -> None:
    """Two servers send on to each other's addresses: the way back is one step from each to the sender's own."""
    path = rewrite("x@y.example", "example.com", key=KEY, now=NOW)
    assert path is not None
    there = rewrite(path, "second.example", key=b"2" * 32, now=NOW)
    assert there is not None
    assert restore(there.rpartition("@")[0], key=b"2" * 32, now=NOW) == path
