"""What looking into one message costs when it arrives: microseconds of CPU, the median of seven rounds.

python bench/formats.py
"""

import statistics
import timeit
from collections.abc import Callable
from time import process_time

from mailstack.formats.digest import digest_message
from mailstack.formats.mime import scan

HEADER = (
    b"Return-Path: <alice@example.org>\r\nReceived: from mx.example.org (mx.example.org [192.0.2.1])\r\n"
    b"\tby mail.example.com with ESMTPS id abc123\r\n\tfor <bob@example.com>; Fri, 21 Nov 1997 09:55:06 -0600\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=sel;\r\n"
    b"\th=from:to:subject:date:message-id; bh="
    + b"a" * 44
    + b";\r\n\tb="
    + b"a" * 70
    + b"\r\n\t "
    + b"a" * 70
    + b"\r\n"
    b"From: Alice Example <alice@example.org>\r\nTo: Bob Example <bob@example.com>, carol@example.com\r\n"
    b"Subject: Re: [list] The quarterly report =?utf-8?q?f=C3=BCr?= alle\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n"
    b"Message-ID: <1234.5678@example.org>\r\nIn-Reply-To: <a.b@example.com>\r\n"
    b"References: <x.y@example.com> <a.b@example.com>\r\nMIME-Version: 1.0\r\n"
)
LINE = b"The quick brown fox jumps over the lazy dog, and so on.\r\n"
ROUNDS = 7


def plain(size: int) -> bytes:
    header = HEADER + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    return header + LINE * ((size - len(header)) // len(LINE))


def with_attachment(size: int) -> bytes:
    text = b"Content-Type: text/plain\r\n\r\n" + LINE * 10
    html = b"Content-Type: text/html\r\n\r\n<p>" + LINE * 10
    data = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + (b"A" * 76 + b"\r\n") * (
        size // 78
    )
    parts = b"".join(b"--bound\r\n" + part + b"\r\n" for part in (text, html, data))
    return HEADER + b"Content-Type: multipart/mixed; boundary=bound\r\n\r\n" + parts + b"--bound--\r\n"


def microseconds(work: Callable[[], object]) -> float:
    timer = timeit.Timer(work, timer=process_time)
    number = max(1, int(0.1 / max(timer.timeit(5) / 5, 1e-6)))
    return statistics.median(timer.repeat(ROUNDS, number)) / number * 1e6


def main() -> None:
    print(f"{'message':28}{'scan µs':>10}{'digest µs':>12}")
    for name, raw in (
        ("4 KB plain", plain(4_096)),
        ("100 KB plain", plain(102_400)),
        ("100 KB with an attachment", with_attachment(100_000)),
    ):
        scanned = microseconds(lambda raw=raw: scan(raw))  # type: ignore[misc]
        digested = microseconds(lambda raw=raw: digest_message(raw))  # type: ignore[misc]
        print(f"{name:28}{scanned:>10.0f}{digested:>12.0f}")


if __name__ == "__main__":
    main()
