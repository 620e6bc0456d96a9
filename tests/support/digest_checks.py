"""What holds for the digest of any bytes: everything parses back, agrees with the bytes, and is bounded."""

from mailstack.formats.digest import digest_message, message_id_of
from mailstack.formats.limits import LIMITS
from mailstack.formats.part_table import PartKind, PartRange, unpack
from mailstack.model.message import MessageDigest
from tests.support.imap_lists import Value, read_list


def check_digest(raw: bytes) -> MessageDigest:
    digest = digest_message(raw)
    # A digest stops at a limit of fields, and there says less.
    assert digest.message_id in ("", message_id_of(raw))
    root = unpack(digest.parts)
    assert (root.header_start, root.body_end) == (0, len(raw))
    _check_range(root)
    assert len(read_list(digest.envelope)) == 10
    _check_body(raw, root, read_list(digest.body), extension=False)
    _check_body(raw, root, read_list(digest.body_structure), extension=True)
    _check_texts(digest)
    return digest


def _check_texts(digest: MessageDigest) -> None:
    assert len(digest.preview) <= LIMITS.preview_characters
    assert len(digest.references) <= LIMITS.references
    assert not digest.header_block or digest.header_block.endswith(b"\n")
    for text in (digest.preview, digest.subject, digest.base_subject, digest.from_, digest.to, digest.cc):
        assert not set(text) & set("\x00\r\n")
        text.encode()  # no lone surrogates
    for text in (digest.message_id, *digest.references):
        assert not set(text) & set("\x00\r\n <>")
        text.encode()


def _check_range(part: PartRange) -> None:
    assert part.header_start <= part.body_start <= part.body_end
    at = part.body_start
    for child in part.children:
        assert at <= child.header_start
        assert child.body_end <= part.body_end
        _check_range(child)
        at = child.body_end


def _check_body(raw: bytes, part: PartRange, body: Value, *, extension: bool) -> None:
    """RFC 9051 §9: body = "(" (body-type-1part / body-type-mpart) ")"."""
    assert isinstance(body, list)
    if part.kind is PartKind.MULTIPART:
        children = [one for one in body if isinstance(one, list)][: len(part.children)]
        assert len(children) == len(part.children) >= 1
        assert len(body) == len(children) + (5 if extension else 1)
        assert isinstance(body[len(children)], bytes)
        for child, child_body in zip(part.children, children, strict=True):
            _check_body(raw, child, child_body, extension=extension)
        return
    type_, subtype, parameters, content_id, description, encoding, octets = body[:7]
    assert isinstance(type_, bytes)
    assert isinstance(subtype, bytes)
    assert parameters is None or (isinstance(parameters, list) and len(parameters) % 2 == 0)
    assert content_id is None or isinstance(content_id, bytes)
    assert description is None or isinstance(description, bytes)
    assert isinstance(encoding, bytes)
    assert octets == part.body_end - part.body_start
    lines = raw.count(b"\n", part.body_start, part.body_end)
    rest = body[7:]
    if part.kind is PartKind.MESSAGE:
        assert isinstance(rest[0], list)
        assert len(rest[0]) == 10
        _check_body(raw, part.children[0], rest[1], extension=extension)
        assert rest[2] == lines
        rest = rest[3:]
    elif type_ == b"text":
        assert rest[0] == lines
        rest = rest[1:]
    assert len(rest) == (4 if extension else 0)
