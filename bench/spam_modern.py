"""Mail as people get it twenty years after the corpus, made by hand and learned by nobody: what a model that only knows
mail of 2002 says of it. No judgement of accuracy, only whether HTML as such, or what is new, is taken for spam.
"""

from collections.abc import Iterator, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple

STYLE = "body{margin:0;font-family:Arial} .button{background:#0a66c2;color:#fff}"
FOOTER = (
    '<p style="font-size:12px;color:#888">You are receiving this email because you signed up. '
    '<a href="https://{0}/unsubscribe?u=123">Unsubscribe</a> | <a href="https://{0}/preferences">Manage preferences</a>'
    "<br>Example Inc., 548 Market St, San Francisco</p>"
)
BUTTON = '<p><a href="https://{}/{}" style="background:#0a66c2;color:#ffffff;padding:12px">{}</a></p>'


class Example(NamedTuple):
    name: str
    is_spam: bool
    raw: bytes


def examples() -> Iterator[Example]:
    for name, is_spam, sender, subject, text, pieces in (*HAM, *SPAM):
        yield Example(name, is_spam, _message(sender, subject, text, pieces))


def _message(sender: tuple[str, str], subject: str, text: str, pieces: Sequence[str]) -> bytes:
    """Text beside HTML, if there are pieces of it; those that have a link in a table, with a preview and a pixel, as
    newsletters are."""
    name, address = sender
    host = address.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = "Bob <bob@example.com>"
    message["Subject"] = subject
    message["Date"] = "Tue, 14 May 2024 09:12:44 +0000"
    message["Message-ID"] = f"<20240514091244.1a2b3c@{host}>"
    if subject.lower().startswith("re: "):
        message["In-Reply-To"] = message["References"] = "<1@example.com>"
    message.set_content(text)
    if pieces:
        body = "".join(pieces)
        if "<a " in body:
            body = (
                f'<div style="display:none;max-height:0">{text[:40]}</div>'
                f'<table width="600" align="center"><tr><td>{body}</td></tr></table>'
                f'<img src="https://{host}/o/abc.gif" width="1" height="1">'
            )
        message.add_alternative(
            f"<!DOCTYPE html><html><head><style>{STYLE}</style></head><body>{body}</body></html>", subtype="html"
        )
    return bytes(message)


def _button(host: str, path: str, text: str) -> str:
    return BUTTON.format(host, path, text)


Row = tuple[str, bool, tuple[str, str], str, str, Sequence[str]]
HAM: Sequence[Row] = (
    (
        "newsletter",
        False,
        ("The Morning Paper", "crew@news.example"),
        "The rise of quiet markets: what to read this week",
        "Good morning. Here is what we are reading this week.",
        (
            "<h1>Good morning.</h1><p>Markets were quiet on Monday as investors waited for the inflation report.</p>",
            "<h2>The future of batteries</h2><p>Researchers published results that suggest cheaper cells soon.</p>",
            _button("news.example", "c/batteries", "Read the full story"),
            FOOTER.format("news.example"),
        ),
    ),
    (
        "sale of a shop",
        False,
        ("Running Store", "hello@running.example"),
        "Summer sale: up to 40% off shoes",
        "Up to 40% off summer shoes until Sunday. Shop now: https://running.example/sale",
        (
            "<h1>SUMMER SALE</h1><p>Save up to 40% on running shoes until Sunday. Free shipping over $50.</p>",
            _button("running.example", "sale", "Shop now"),
            '<img src="https://cdn.running.example/1.jpg"><img src="https://cdn.running.example/2.jpg">',
            FOOTER.format("running.example"),
        ),
    ),
    (
        "order shipped",
        False,
        ("Example Shop", "no-reply@shop.example"),
        "Your order #112-8834 has shipped",
        "Hi Bob, your order has shipped. Track your package: https://shop.example/track",
        (
            "<h2>Your package is on its way!</h2><p>Thank you for shopping with us. It will arrive on Thursday.</p>",
            "<table><tr><td>Coffee grinder</td><td>$49.99</td></tr><tr><td>Shipping</td><td>FREE</td></tr></table>",
            _button("shop.example", "track/1", "Track your package"),
        ),
    ),
    (
        "bank statement",
        False,
        ("Example Bank", "alerts@bank.example"),
        "Your May statement is ready",
        "Your statement is ready to view in online banking.",
        (
            "<p>Dear Bob,</p><p>Your statement for the account ending in 4471 is now available. Your minimum payment "
            "of $35.00 is due on June 2.</p>",
            _button("bank.example", "login", "Sign in"),
        ),
    ),
    (
        "password reset",
        False,
        ("Example Accounts", "accounts@id.example"),
        "Reset your password",
        "We received a request to reset your password. If this was not you, ignore this email.",
        ("<p>This link expires in 60 minutes.</p>", _button("id.example", "reset?t=1", "Reset password")),
    ),
    (
        "remark on code",
        False,
        ("Alice Jones", "notifications@forge.example"),
        "Re: [acme/widget] Fix race in the scheduler (PR #482)",
        "@alice-jones commented on this request.\n\nI think this still leaks when the worker dies between the calls.",
        ("<p>I think this still leaks when the worker dies between the calls.</p>", FOOTER.format("forge.example")),
    ),
    (
        "reply from an office",
        False,
        ("Miller, Dan", "dan.miller@corp.example"),
        "RE: Q3 budget review",
        "Thanks, that works for me. I moved the meeting to 3pm, please bring the updated forecast.\n\nDan",
        ('<p class="MsoNormal">Thanks, that works for me. I moved the meeting to 3pm.<o:p></o:p></p>',),
    ),
    (
        "friend",
        False,
        ("Carol Smith", "carol.smith@mailbox.example"),
        "Dinner on Saturday?",
        "Hi Bob,\n\nAre you and Jan free on Saturday? We would love to have you over. Love, Carol",
        ('<div dir="ltr">Hi Bob,<div>Are you and Jan free on Saturday? We would love to have you over.</div></div>',),
    ),
    (
        "bill, in German",
        False,
        ("Stadtwerke Musterstadt", "service@stadtwerke.example"),
        "Ihre Rechnung vom 14.05.2024",
        "Sehr geehrter Herr Beispiel,\n\nIhre Rechnung steht im Kundenportal bereit.",
        (
            "<p>Der Betrag von 83,40 € wird am 28.05.2024 von Ihrem Konto abgebucht.</p>",
            _button("stadtwerke.example", "rechnung", "Zum Kundenportal"),
        ),
    ),
    (
        "colleague, in Japanese",
        False,
        ("田中太郎", "tanaka@co.example"),
        "明日の会議について",
        "お世話になっております。明日の会議の資料をお送りします。よろしくお願いいたします。",
        (),
    ),
)
SPAM: Sequence[Row] = (
    (
        "phishing",
        True,
        ("PayPaI Security", "support@secure-login.example"),
        "Your account has been limited",
        "Your account has been limited. Verify now: http://203.0.113.9/login",
        (
            "<p>We noticed unusual activity. You must verify your information within 24 hours or your account will be "
            "permanently suspended.</p>",
            _button("203.0.113.9", "login/verify.php", "Verify now"),
        ),
    ),
    (
        "coins for nothing",
        True,
        ("Giveaway", "win@crypto.example"),
        "You have been selected: claim 2.5 BTC today!!!",
        "Congratulations! You have been selected to receive 2.5 BTC. Click here to claim your bonus now.",
        ("<h1>CONGRATULATIONS!</h1><p>Guaranteed profit, no risk. Act now, limited time offer!</p>",),
    ),
    (
        "widow with a fortune",
        True,
        ("Mrs. Grace", "grace@mail.example"),
        "Dearest friend",
        "I am a widow and I want to donate the sum of $8.5 million USD to you. Please contact my lawyer for the "
        "transfer of the funds into your bank account.",
        (),
    ),
    (
        "pharmacy",
        True,
        ("Online Pharmacy", "rx@pharm.example"),
        "Lowest prices on V1agra and Cialis",
        "Buy now without prescription https://pharm.example",
        ("<p>Best prices on Viagra, Cialis and more. Order now and save 80%.</p>",),
    ),
    (
        "place in a search",
        True,
        ("Priya", "priya.seo2291@mail.example"),
        "Website ranking",
        "We can place your website on the first page of search results. We offer guaranteed traffic at an affordable "
        "price. Reply for a quote.",
        (),
    ),
)
