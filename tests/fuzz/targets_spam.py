"""Any bytes have features in bounds, whose names are all there, and what is learned of them can be taken back.

Covers mailstack.spam and mailstack.formats.html_shown.
"""

from mailstack.formats.html_shown import MAX_LINKS, shown_of
from mailstack.spam.features import features_of, names_of
from mailstack.spam.judge import MAX_POINTS, Models, judge, reasons
from mailstack.spam.limits import LIMITS
from mailstack.spam.model import Model, empty
from tests.fuzz.target import Target

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


SEEDS = (
    b"From: =?utf-8?q?J=C3=BC?= <a1234@b.example>\r\nReply-To: x@y\r\nTo: c@d.example, e\r\nSubject: Re: FREE   $50!"
    b"\r\nMessage-ID: <m@x>\r\nX-Mailer: M 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n"
    b"v\xe2\x80\x8bi\xd0\xb0gra \xe5\x85\x8d\xe8\xb4\xb9 http://u@h.example:80/a.exe\r\n--x\r\n"
    b"Content-Type: text/html; charset=none\r\nContent-Transfer-Encoding: base64\r\n\r\n<p hidden>\r\n--x\r\n"
    b"Content-Type: application/zip; name=a.zip\r\n\r\nPK\r\n--x--\r\n",
    b"Content-Type: text/html\r\n\r\n<body bgcolor=white><font color=#fff>w</font><a href='http://1.2.3.4'>x</a>"
    b'<img src=x><div style="display:none">h<div>i</div></div><form action=x><!-- c --><style>s</style>&lt;&copy;',
)
TARGETS = (
    Target(name="spam", run=look_and_learn, seeds=SEEDS),
    Target(name="html shown", run=show, seeds=SEEDS),
)
