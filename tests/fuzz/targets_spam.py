"""Any bytes have features in bounds, whose names are all there, and what is learned of them can be taken back. What
rules find can be shown; files and names of domains may be anything.

Covers mailstack.spam and mailstack.formats.html_shown; and what virus scanners reply (mailstack.wire.clamd), and hosts
of which lists in DNS are asked (mailstack.model.dns_list).
"""

from mailstack.formats.html_shown import MAX_LINKS, shown_of
from mailstack.formats.spam_fields import claimed_spam_fields, spam_fields_in
from mailstack.model.dns_list import MAX_NAME, public_address, public_names
from mailstack.spam.features import features_of, names_of
from mailstack.spam.judge import MAX_POINTS, Models, judge, reasons
from mailstack.spam.limits import LIMITS
from mailstack.spam.model import Model, empty
from mailstack.spam.rules.archives import MAX_ENTRIES
from mailstack.spam.rules.inside import look_inside
from mailstack.spam.rules.lookalike import has_two_scripts, poses_as_latin, site_of
from mailstack.spam.rules.rule import findings_of
from mailstack.spam.rules.table import RULES
from mailstack.wire.clamd import Failed, Infected, parse_reply
from tests.fuzz.target import Target
from tests.support.evidence import OURS, checked, evidence

BITS = 10


def look_and_learn(data: bytes) -> None:
    features = features_of(data)
    assert len(features.words) <= LIMITS.words
    wanted = {*features.text, *features.facts}
    assert names_of(features, wanted).keys() == wanted
    table = empty(BITS)
    model = Model(table)
    lesson = model.lesson(features, is_spam=True)
    model.learn(lesson)
    models = Models(shared=Model(empty(BITS)), account=model)
    assert 0 <= judge(features, models).points <= MAX_POINTS
    assert len(reasons(features, models, most=5)) <= 5
    model.learn(lesson.inverse())
    assert table == empty(BITS)


def show(data: bytes) -> None:
    markup = data.decode("latin-1")
    shown = shown_of(markup)
    # An entity may stand for two characters, but never for more than it is written with.
    assert len(shown.text) + len(shown.hidden) <= 2 * len(markup) + 2
    assert len(shown.links) <= MAX_LINKS
    assert len(shown.images) <= shown.image_count + markup.count("<")


def score_fields(data: bytes) -> None:
    """Without what claims to be a score of ours, nothing claims to be one; ranges are in order."""
    left, at = b"", 0
    for start, end in claimed_spam_fields(data):
        assert at <= start < end
        left += data[at:start]
        at = end
    spam_fields_in(data)
    assert claimed_spam_fields(left + data[at:]) == ()


def clamd(data: bytes) -> None:
    """Only a whole reply says anything; what is told of it is one printable line."""
    reply = parse_reply(data)
    told = reply.virus if isinstance(reply, Infected) else reply.reason if isinstance(reply, Failed) else "OK"
    assert told
    assert told.isascii()
    assert told.isprintable()
    assert isinstance(reply, Failed) or data.endswith(b"\0")


def asked(data: bytes) -> None:
    """Names have a dot and are A-labels; an address is asked about as an address, and nothing else."""
    host = data.decode("latin-1")
    names, address = public_names(host), public_address(host)
    assert not (names and address)
    for name in names:
        assert name.isascii()
        assert "." in name
        assert len(name) <= MAX_NAME
        assert public_names(name)[-1:] == (name,)


def apply_rules(data: bytes) -> None:
    found = findings_of(RULES, evidence(data, authentication=checked(), ehlo_domain=data[:20].decode("latin-1")))
    assert len({one.rule for one in found}) == len(found)
    assert all(one.why.isprintable() for one in found)


def open_file(data: bytes) -> None:
    for ending in ("", "html"):
        assert len(look_inside(data, ending, "").names) <= MAX_ENTRIES


def read_host(data: bytes) -> None:
    host = data.decode("utf-8", "replace")
    assert host.endswith(site_of(host))
    has_two_scripts(host)
    poses_as_latin(host)
    for meant in (OURS.lookalikes.drawn_as(host), OURS.lookalikes.one_off(host)):
        assert meant in {"", "example.org", "northwind.example"}


SCORED = b"X-Spam-Score: 1\r\n\tx\r\nX-Spam-Flag: YES\r\n\r\n"
SEEDS = (
    b"From: =?utf-8?q?J=C3=BC?= <a1234@b.example>\r\nReply-To: x@y\r\nTo: c@d.example, e\r\nSubject: Re: FREE   $50!"
    b"\r\nMessage-ID: <m@x>\r\nX-Mailer: M 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n"
    b"v\xe2\x80\x8bi\xd0\xb0gra \xe5\x85\x8d\xe8\xb4\xb9 http://u@h.example:80/a.exe\r\n--x\r\n"
    b"Content-Type: text/html; charset=none\r\nContent-Transfer-Encoding: base64\r\n\r\n<p hidden>\r\n--x\r\n"
    b"Content-Type: application/zip; name=a.zip\r\n\r\nPK\r\n--x--\r\n",
    b"Content-Type: text/html\r\n\r\n<body bgcolor=white><font color=#fff>w</font><a href='http://1.2.3.4'>x</a>"
    b'<img src=x><div style="display:none">h<div>i</div></div><form action=x><!-- c --><style>s</style>&lt;&copy;',
)
FILES = (
    b"PK\x03\x04\x14\0\0\0\0\0" + bytes(8) + b"\x05\0\0\0\x05\0\0\0\x05\0\0\0a.zipPK\x03\x04PK\x01\x02" + bytes(44),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0",
    b"{\\rtf1{\\*\\template http://x}\\objupdate",
    b"MZ\0<script",
    b"Rar!\x1a\x07\x01\0\0invoice.exe\0",
    bytes(257) + b"ustar",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xf3\x8d\x02\0",
)
HOSTS = (b"www.n0rthwind.example", b"xn--80ak6aa92e.example", b"a.co.uk", b"[::1]", "n\u043erthwind.example".encode())
TARGETS = (
    Target(name="spam", run=look_and_learn, seeds=SEEDS),
    Target(name="spam rules", run=apply_rules, seeds=SEEDS),
    Target(name="files", run=open_file, seeds=FILES),
    Target(name="lookalikes", run=read_host, seeds=HOSTS),
    Target(name="html shown", run=show, seeds=SEEDS),
    Target(name="spam fields", run=score_fields, seeds=(SCORED, *SEEDS)),
    Target(name="clamd", run=clamd, seeds=(b"stream: OK\0", b"stream: A-1 FOUND\0", b"INSTREAM size limit. ERROR\0")),
    Target(
        name="asked of lists", run=asked, seeds=(b"a.b\xfc.example", b"8.8.4.4", b"2001:db8::1", b"x.local", b"[::1]")
    ),
)
