"""QR codes in a page, read as a phone's camera would: by a program of others."""

import re
from xml.etree import ElementTree

import zxingcpp
from PIL import Image

SCALE = 4
DARK, LIGHT = 0, 255
SVG = re.compile(r"<svg .*?</svg>", re.DOTALL)
STROKE = re.compile(r"([Mmh])(-?[0-9.]+)(?: ?(-?[0-9.]+))?")


def codes_in(page: str) -> list[str]:
    """What each of them says."""
    return [_read(svg) for svg in SVG.findall(page)]


def _read(svg: str) -> str:
    (found,) = zxingcpp.read_barcodes(_drawn(svg))
    return str(found.text)


def _drawn(svg: str) -> Image.Image:
    root = ElementTree.fromstring(svg)
    _, _, width, height = (int(each) for each in root.attrib["viewBox"].split())
    image = Image.new("L", (width * SCALE, height * SCALE), LIGHT)
    (path,) = (each.attrib["d"] for each in root if "stroke" in each.attrib)
    x = y = 0.0
    for verb, first, second in STROKE.findall(path):
        if verb == "h":
            box = (int(x) * SCALE, int(y) * SCALE, int(x + float(first)) * SCALE, (int(y) + 1) * SCALE)
            image.paste(DARK, box)
            x += float(first)
        else:
            x, y = (0 if verb == "M" else x) + float(first), (0 if verb == "M" else y) + float(second)
    return image
