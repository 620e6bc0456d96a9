"""GETQUOTA, GETQUOTAROOT, SETQUOTA, OVERQUOTA. RFC 9208 §4."""

from pathlib import Path

from tests.support.imap_dialogue import ImapClient
from tests.support.two_accounts import OTHERS, two_accounts


async def test_without_a_limit_there_is_no_resource(client: ImapClient) -> None:
    await client.talk("""
        C: a GETQUOTAROOT INBOX
        S: * QUOTAROOT "INBOX" ""
        S: * QUOTA "" ()
        S: a OK …
        C: b GETQUOTA "!partition/sda4"
        S: b NO [NONEXISTENT] …
        C: c SETQUOTA "" (STORAGE 510)
        S: c NO [NOPERM] …
    """)


async def test_usage_and_limit_in_units_of_1024_octets(tmp_path: Path) -> None:
    async with two_accounts(tmp_path, quota_bytes=10 * 1024) as two:
        await two.share("lri")
        await two.owner.append(b"Subject: x\r\n\r\n" + b"x" * 5_000)
        await two.owner.talk("""
            C: G0001 GETQUOTA ""
            S: * QUOTA "" (STORAGE 5 10)
            S: G0001 OK …
        """)
        # RFC 9208 §4.3.1: what is put into another's mailbox counts against the owner's quota.
        await two.other.append(b"Subject: x\r\n\r\n" + b"x" * 6_000)
        await two.other.talk(f"""
            C: a GETQUOTAROOT "{OTHERS}/shared"
            S: * QUOTAROOT "{OTHERS}/shared" "{OTHERS}"
            S: * QUOTA "{OTHERS}" (STORAGE 5 10)
            S: a OK …
            C: b SELECT INBOX
            S: ...
            S: b OK …
            C: c COPY 1 "{OTHERS}/shared"
            S: c NO [OVERQUOTA] …
            C: d STATUS "{OTHERS}/shared" (MESSAGES)
            S: * STATUS "{OTHERS}/shared" (MESSAGES 3)
            S: d OK …
        """)


async def test_another_s_root_is_known_to_who_may_read_something_of_his(tmp_path: Path) -> None:
    async with two_accounts(tmp_path, quota_bytes=10 * 1024) as two:
        unknown = (OTHERS, "Other Users/nobody@peer.test", "Other Users/u1@peer.test", f"{OTHERS}/", "Other Users", "x")
        for root in unknown:
            await two.other.talk(f'C: a GETQUOTA "{root}"\nS: a NO [NONEXISTENT] No such quota root')
        await two.share("lsx")
        await two.other.talk(f'C: b GETQUOTA "{OTHERS}"\nS: b NO [NONEXISTENT] No such quota root')
        await two.share("r")
        await two.other.talk(f"""
            C: c GETQUOTA "{OTHERS}"
            S: * QUOTA "{OTHERS}" (STORAGE 1 10)
            S: c OK …
        """)
        for root in unknown[1:]:
            await two.other.talk(f'C: d GETQUOTA "{root}"\nS: d NO [NONEXISTENT] No such quota root')
