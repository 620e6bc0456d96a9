"""QR codes (ISO/IEC 18004), as an SVG element that stands in a page. Written only."""

QUIET_MODULES = 4
"""Of empty room around it, without which it is not found."""


def write_qr_code(text: str) -> str:
    """Dark on light, whatever colours the page has. Raises ValueError for what no code is large enough for."""
    # Loads half of http: for the few processes that ever draw one.
    import segno

    code = segno.make(text, micro=False)
    return code.svg_inline(
        border=QUIET_MODULES, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
