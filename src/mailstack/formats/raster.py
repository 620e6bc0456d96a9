"""Pictures of dots, by their own first octets: what a host says of them is not believed. SVG is a document."""

HEAD_OCTETS = 32
"""Enough to tell."""
# PNG (W3C) §5.2; JPEG (ITU-T T.81) §B.1.1.3; GIF89a §17.
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
# AVIF 1.1 §6.2: a single picture, or a sequence.
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


def raster_type(head: bytes) -> str:
    """The media type; "" for what is none of those that every browser shows."""
    for beginning, media_type in _BEGINNINGS:
        if head.startswith(beginning):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":  # RFC 9649 §2.4
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _AVIF_BRANDS:
        return "image/avif"
    return ""
