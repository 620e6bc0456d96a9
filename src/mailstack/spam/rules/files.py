"""Rules about files that a message brings. One file does not count twice: the worst that is found of all counts."""

from collections.abc import Callable

from mailstack.spam.rules.attached import File, endings_of
from mailstack.spam.rules.evidence import Evidence
from mailstack.spam.rules.inside import PAGES
from mailstack.spam.rules.rule import Rule, Test
from mailstack.spam.rules.signs import Sign


def _endings(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What runs when it is opened, on Windows mostly.
_BINARIES = _endings(
    "appx application bat cmd com cpl dll exe gadget hta lnk msc msi msix msp ocx pif ps1 psm1 reg scf scr sct"
    " settingcontent-ms sys url vb vxd xll"
)
# Likewise, and lies in archives of programmers all the same.
_SCRIPTS = _endings("chm jar jnlp js jse vbe vbs ws wsc wsf wsh")
_PROGRAMS = _BINARIES | _SCRIPTS
_DOCUMENTS = _endings("doc docx gif htm html jpeg jpg mp3 mp4 odt pdf png ppt pptx rtf txt xls xlsx zip")
_IMAGES_OF_DISKS = _endings("dmg iso udf vhd vhdx wim")
_DISKS_OR_NOTEBOOKS = _IMAGES_OF_DISKS | _endings("img one onepkg")
# Of one file each.
_WRAPPED = _endings("bz2 gz xz")
_RARE_ARCHIVES = _endings("ace alz arj cab daa lha lzh r00 uue z zpaq")
_MACRO_DOCUMENTS = _endings("doc docm dot dotm potm pps ppsm ppt pptm sldm xla xlam xls xlsb xlsm xltm ppam")
_FEW = 5


def any_file(holds: Callable[[File], bool]) -> Test:
    """Says which."""

    def found(mail: Evidence) -> str:
        # Most mail has none, and many rules ask.
        return next((file.name or file.media_type for file in mail.files if holds(file)), "") if mail.files else ""

    return found


def is_program(file: File) -> bool:
    return file.ending in _PROGRAMS


def is_program_in_disguise(file: File) -> bool:
    """By what it holds, or by two endings."""
    if file.ending in _PROGRAMS:
        return file.before in _DOCUMENTS or file.hides_its_ending
    return Sign.PROGRAM in file.inside.signs and file.ending not in _WRAPPED


def hides_its_ending(file: File) -> bool:
    return file.hides_its_ending


def holds_program(file: File) -> bool:
    """Of scripts, one among many is somebody's work."""
    if file.ending in _WRAPPED and (file.before in _PROGRAMS or Sign.PROGRAM in file.inside.signs):
        return True
    endings = {endings_of(name)[0] for name in file.inside.names}
    if not endings.isdisjoint(_BINARIES | _IMAGES_OF_DISKS):
        return True
    return len(file.inside.names) <= _FEW and not endings.isdisjoint(_PROGRAMS)


def is_encrypted_archive(file: File) -> bool:
    return Sign.ENCRYPTED in file.inside.signs and Sign.DOCUMENT not in file.inside.signs


def is_encrypted_document(file: File) -> bool:
    return Sign.ENCRYPTED in file.inside.signs


def has_macros_in_disguise(file: File) -> bool:
    return Sign.MACROS in file.inside.signs and file.ending not in _MACRO_DOCUMENTS


def has_macros(file: File) -> bool:
    return Sign.MACROS in file.inside.signs


def fetches_a_template(file: File) -> bool:
    return Sign.FETCHES in file.inside.signs


def has_objects(file: File) -> bool:
    return Sign.OBJECTS in file.inside.signs


def is_page_with_scripts(file: File) -> bool:
    return Sign.SCRIPT in file.inside.signs


def is_page(file: File) -> bool:
    return file.ending in PAGES - {"svg"}


def is_image_of_a_disk(file: File) -> bool:
    return file.ending in _DISKS_OR_NOTEBOOKS


def is_rare_archive(file: File) -> bool:
    return file.ending in _RARE_ARCHIVES


def has_few_words_beside_an_archive(mail: Evidence) -> bool:
    has_archive = any(file.inside.names and Sign.DOCUMENT not in file.inside.signs for file in mail.files)
    return has_archive and b"attached with few words" in mail.tokens


FILES = "files"
RULES = (
    Rule("file-disguised", 6.0, "a program is called something else", any_file(is_program_in_disguise), FILES),
    Rule("file-program", 5.0, "a program is attached", any_file(is_program), FILES),
    Rule("archive-program", 4.0, "a program is in an archive", any_file(holds_program), FILES),
    Rule("file-hides-ending", 4.0, "the name of a file hides what it is", any_file(hides_its_ending), FILES),
    Rule(
        "macros-disguised", 4.0, "a document has macros and is not called so", any_file(has_macros_in_disguise), FILES
    ),
    Rule("document-fetches", 4.0, "a document fetches a template from elsewhere", any_file(fetches_a_template), FILES),
    Rule("document-objects", 2.5, "a document has other files embedded", any_file(has_objects), FILES),
    Rule("file-disk", 3.0, "an image of a disk or a notebook is attached", any_file(is_image_of_a_disk), FILES),
    Rule("page-scripts", 2.5, "a page with scripts is attached", any_file(is_page_with_scripts), FILES),
    Rule("macros", 1.5, "a document has macros", any_file(has_macros), FILES),
    Rule("archive-encrypted", 1.5, "an archive is encrypted", any_file(is_encrypted_archive), FILES),
    Rule("document-encrypted", 1.0, "a document is encrypted", any_file(is_encrypted_document), FILES),
    Rule(
        "archive-rare",
        1.0,
        "an archive of a kind that hardly anybody uses is attached",
        any_file(is_rare_archive),
        FILES,
    ),
    Rule("page", 0.7, "a page is attached", any_file(is_page), FILES),
    Rule("archive-alone", 0.7, "an archive with hardly a word beside it", has_few_words_beside_an_archive, FILES),
)
