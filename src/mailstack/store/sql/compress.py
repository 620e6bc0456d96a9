"""zstd for message bytes and for the forms kept ready to send.

Small mails are mostly words that all mails share, so frames refer to a dictionary. It is part of the stored format:
a frame can be read only with the very bytes it was written with, so DICTIONARY never changes; a better one would be
added under another magic number.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import IO

import zstandard

from mailstack.model.errors import Damaged
from mailstack.model.message import RawMessage

LEVEL = 1
"""Mails are small: the third level saves a fortieth more room, and takes half as long again."""
QUICK_LEVEL = -1
"""Below zero the literals stay as they are: a tenth more room, and opened in a third of the time."""
CHUNK_BYTES = 1 << 20

DICTIONARY = (
    b"application/octet-stream application/pdf application/zip image/png image/jpeg image/gif message/rfc822 "
    b'("attachment" ("filename" "us-ascii" "iso-8859-1" "utf-8" "windows-1252" '
    b'"delivery-status" "report" "signed" "encrypted" "flowed" "format" "name" "related" "mixed" "alternative" '
    b'</p></div></td></tr></table></body></html>\r\n<br>\r\n<a href="https://www.<img src="https://<span style="color:'
    b"font-family: Arial, Helvetica, sans-serif; font-size: 14px; text-align: center; margin: 0; padding: 0; "
    b'background-color: #ffffff; border="0" cellpadding="0" cellspacing="0" width="100%"><tr><td align="center">'
    b'<!DOCTYPE html>\r\n<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>'
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Unsubscribe: <https://\r\nList-Id: <\r\n"
    b"List-Post: <mailto:\r\nPrecedence: bulk\r\nAuto-Submitted: auto-generated\r\nFeedback-ID: \r\n"
    b"X-Mailer: Microsoft Outlook 16.0\r\nX-Priority: 3 (Normal)\r\nThread-Topic: \r\nThread-Index: \r\n"
    b"Accept-Language: en-US\r\nContent-Language: en-US\r\nImportance: Normal\r\nX-Spam-Status: No, score=\r\n"
    b"User-Agent: Mozilla Thunderbird\r\nDKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=; s=default; t=; "
    b"h=from:to:subject:date:message-id:mime-version:content-type:content-transfer-encoding:reply-to; bh=; b="
    b"Authentication-Results: ; dkim=pass header.d= header.s= header.a=rsa-sha256; spf=pass smtp.mailfrom=; "
    b"dmarc=pass header.from= (p=reject)\r\nReceived-SPF: Pass\r\nARC-Seal: i=1; cv=none\r\n"
    b"Received: from localhost (localhost [127.0.0.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
    b"\r\n\tkey-exchange X25519 server-signature RSA-PSS (2048 bits))\r\n\t(No client certificate requested)\r\n"
    b"\tby mail.example.com with ESMTPSA id \r\n\tfor <info@example.com>; Mon, 1 Jan 2026 00:00:00 +0000 (UTC)\r\n"
    b"Received: by with SMTP id ; Tue, Wed, Thu, Fri, Sat, Sun, Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec -0000\r\n"
    b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" ("text" "html" ("charset" "utf-8") NIL NIL '
    b'"quoted-printable" 0 0 NIL NIL NIL NIL)("text" "plain" ("charset" "us-ascii") NIL NIL "8bit" "base64" '
    b'NIL NIL NIL NIL) "alternative" ("boundary" "----=_Part_") NIL NIL NIL) "mixed" ("boundary" "'
    b'--------------\r\nContent-Disposition: attachment; filename="\r\nContent-Disposition: inline\r\n'
    b'Content-Type: multipart/mixed; boundary="\r\nContent-Type: multipart/alternative;\r\n boundary="----=_Part_'
    b'\r\nContent-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n'
    b"Content-Type: text/plain; charset=us-ascii; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    b"Reply-To: \r\nSender: \r\nBcc: \r\nIn-Reply-To: <\r\nReferences: <\r\nCc: \r\nReturn-Path: <>\r\n"
    b"Date: Mon, 1 Jan 2026 00:00:00 +0000\r\nFrom: \r\nTo: \r\nSubject: Re: Fwd: \r\nMessage-ID: <@mail.gmail.com>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
)


class Codec:
    """Shared by all threads of one store; each gets coders of its own, for two threads in one crash the process."""

    def __init__(self) -> None:
        self._coders = _Coders()

    def compress(self, plain: bytes | memoryview) -> bytes:
        return self._coders.compressor.compress(plain)

    def compress_quick(self, plain: bytes) -> bytes:
        """For what is read by the ten thousand."""
        return self._coders.quick_compressor.compress(plain)

    def compress_checked(self, plain: memoryview) -> bytes:
        """With a checksum of its own, for a frame that is read without the others of its message."""
        return self._coders.checked_compressor.compress(plain)

    def compress_stream(self, plain: RawMessage) -> Iterator[bytes]:
        """In chunks, so that a mapped file is never in memory as a whole."""
        running = self._coders.stream_compressor.compressobj(size=len(plain))
        with memoryview(plain) as view:
            for start in range(0, len(view), CHUNK_BYTES):
                with view[start : start + CHUNK_BYTES] as chunk:
                    yield running.compress(chunk)
        yield running.flush()

    def decompress(self, frame: bytes, *, limit_bytes: int) -> bytes:
        """Raises Damaged. A damaged frame may say that it holds a terabyte: above the limit no room is made."""
        try:
            size_bytes = zstandard.frame_content_size(frame)
            if not 0 <= size_bytes <= limit_bytes:
                raise Damaged(f"a compressed frame says that it holds {size_bytes} bytes")
            return self._coders.decompressor.decompress(frame)
        except zstandard.ZstdError as fault:
            raise Damaged(f"a compressed frame cannot be read: {fault}") from fault

    def decompress_stream(self, frame: IO[bytes]) -> Iterator[bytes]:
        """What compress_stream made, in chunks. Raises Damaged."""
        try:
            with self._coders.decompressor.stream_reader(frame, closefd=False) as reader:
                while chunk := reader.read(CHUNK_BYTES):
                    yield chunk
        except zstandard.ZstdError as fault:
            raise Damaged(f"a compressed frame cannot be read: {fault}") from fault

    def decompress_each(self, frames: Sequence[bytes], *, limit_bytes: int) -> list[bytes | None]:
        """None for a damaged one, which takes no other with it."""
        try:
            return list(map(self._coders.decompressor.decompress, frames))
        except (zstandard.ZstdError, MemoryError):
            # One of them may say that it holds a terabyte: each is looked at first.
            pass
        return [self._or_none(frame, limit_bytes) for frame in frames]

    def _or_none(self, frame: bytes, limit_bytes: int) -> bytes | None:
        try:
            return self.decompress(frame, limit_bytes=limit_bytes)
        except Damaged:
            return None


class _Coders(threading.local):
    def __init__(self) -> None:
        dictionary = zstandard.ZstdCompressionDict(DICTIONARY, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        dictionary.precompute_compress(level=LEVEL)
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary)
        quick_dictionary = zstandard.ZstdCompressionDict(DICTIONARY, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        quick_dictionary.precompute_compress(level=QUICK_LEVEL)
        self.quick_compressor = zstandard.ZstdCompressor(level=QUICK_LEVEL, dict_data=quick_dictionary)
        self.stream_compressor = zstandard.ZstdCompressor(level=LEVEL)
        self.checked_compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self.decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)
