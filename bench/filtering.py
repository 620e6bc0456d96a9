"""From a stranger, with everything: SPF, DKIM, DMARC, spam filter and Sieve, then the mailbox: signed messages of 4 KB.

Server CPU per message counts. Beside Postfix, Rspamd (with Redis) and Dovecot with Pigeonhole, where those are there,
and beside ourselves without the spam filter; all take turns in one run. Each account has the same five rules in Sieve.
The load tool fails when a message is lost or doubled, and at the end each message of ours must say what it scored.
"""

import imaplib
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.appliance import DOMAIN, PASSWORD, Running, postfix_rspamd_dovecot, sandbox
from bench.receiving import ACCOUNTS, MESSAGES, POSTFIX_SMTP, RUNS, Contender, contender, show, with_signed_mail
from bench.smtp import DOVECOT_IMAP, wait_for_rest
from bench.spam_corpus import corpus

TAUGHT = 400
"""Mails of each kind, that the filter has words to go by. All that comes stays in the inbox, whatever it scores."""
SPAM = "spam: {junk_at: null, reject_at: null}"
RULES = [(f"of {number}", f"a subject that no mail has, number {number}") for number in range(5)]


def main() -> None:
    with_signed_mail(_compare)


def _compare(keys: Path, resolver: str) -> None:
    sections = (f'dns: {{resolvers: ["{resolver}"]}}', "receiving: {trusted_peers: []}")
    account = f"{{rules: [{', '.join(map(_rule, RULES))}]}}"
    with (
        sandbox(accounts=ACCOUNTS, sections=(*sections, SPAM), account=account) as filtering,
        sandbox(accounts=ACCOUNTS, sections=(*sections, "spam: off"), account=account) as plain,
        postfix_rspamd_dovecot(_script(), ACCOUNTS) as rival,
    ):
        _teach(filtering)
        contenders = [contender("mailstack, all of it", filtering), contender("mailstack, no spam filter", plain)]
        if rival is not None:
            name = "Postfix, Rspamd, Dovecot"
            contenders.append(Contender(name=name, port=POSTFIX_SMTP, imap_port=DOVECOT_IMAP, servers=rival))
        for _ in range(1 + RUNS):
            for each in contenders:
                each.receive(keys / "pool")
            wait_for_rest(filtering.pid, plain.pid)
        show(contenders)
        _demand_scores(filtering, (1 + RUNS) * MESSAGES)


def _teach(running: Running) -> None:
    mails = corpus()
    with tempfile.TemporaryDirectory(prefix="mailstack-bench-") as folder:
        for kind in ("ham", "spam"):
            (Path(folder) / kind).mkdir()
            for number, mail in enumerate([each for each in mails if each.is_spam == (kind == "spam")][:TAUGHT]):
                (Path(folder) / kind / f"{number}.eml").write_bytes(mail.raw)
        program = str(Path(sys.executable).with_name("mailstack"))
        kinds = ("--ham", f"{folder}/ham", "--spam", f"{folder}/spam")
        command = [program, "spam", "train", str(running.spec), "--state", str(running.state), *kinds]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _rule(rule: tuple[str, str]) -> str:
    name, words = rule
    return f'{{name: "{name}", if: {{subject: {{contains: "{words}"}}}}, then: {{file_into: Archive}}}}'


def _script() -> str:
    tests = [f'if header :contains "subject" "{words}" {{ fileinto "Archive"; stop; }}' for _, words in RULES]
    return "\n".join(['require ["fileinto"];', *tests]) + "\n"


def _demand_scores(running: Running, count: int) -> None:
    scored = sum(_scored(running, number) for number in range(ACCOUNTS))
    if scored != count:
        raise RuntimeError(f"{scored} of {count} messages say what they scored")
    print(f"{scored:,} messages there, each says what it scored")


def _scored(running: Running, account: int) -> int:
    with imaplib.IMAP4("127.0.0.1", running.port("imap")) as imap:
        imap.login(f"u{account}@{DOMAIN}", PASSWORD)
        imap.select("INBOX", readonly=True)
        _, found = imap.search(None, "HEADER", "X-Spam-Score", '""')
    return len(found[0].split())


if __name__ == "__main__":
    main()
