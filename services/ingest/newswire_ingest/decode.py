"""From a page's bytes to its text: which charset is it really in?

Witnesses in their order: byte order mark, HTTP header, the page's own declaration, valid UTF-8, statistics.
A declaration that the bytes contradict loses. Labels mean what the WHATWG Encoding Standard says that they
mean (``iso-8859-1`` is windows-1252); no other codec can be asked for, UTF-7 least of all.
"""

import codecs
import re
from collections.abc import Iterator

HEAD_LENGTH = 4_096  # bytes in which a page must declare its charset; browsers look at 1,024
SAMPLE_LENGTH = 32_768  # bytes that the statistics look at: more costs time and changes nothing
FALLBACK = "cp1252"  # what browsers take where nobody says anything
BAD_SHARE = 0.02  # share of broken characters among the non-ASCII ones up to which a declaration is believed
BAD_FEW = 2  # broken characters that any text may have

# Python's codec for each label that Python names otherwise, or not at all, and what the standard has it mean.
_CODECS = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949",
    "big5": "big5hkscs",
    "x-sjis": "cp932", "windows-31j": "cp932", "x-gbk": "gb18030", "windows-949": "cp949",
    "x-x-big5": "big5hkscs", "x-euc-jp": "euc_jp", "windows-874": "cp874", "dos-874": "cp874",
    "iso-8859-8-i": "iso8859-8", "x-cp1250": "cp1250", "x-cp1251": "cp1251", "x-cp1252": "cp1252",
    "x-mac-roman": "mac-roman", "x-mac-cyrillic": "mac-cyrillic", "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8", "utf-16": "utf-16-le",
}  # fmt: skip

# The codecs that a page may have, with the standard's name for each.
_NAMES = {
    "utf-8": "utf-8", "utf-16-le": "utf-16le", "utf-16-be": "utf-16be", "gb18030": "gb18030",
    "big5hkscs": "big5", "euc_jp": "euc-jp", "iso2022_jp": "iso-2022-jp",
    "cp932": "shift_jis", "cp949": "euc-kr",
    "koi8-r": "koi8-r", "koi8-u": "koi8-u", "cp866": "ibm866", "mac-roman": "macintosh",
    "mac-cyrillic": "x-mac-cyrillic",
    "cp874": "windows-874", **{f"cp125{digit}": f"windows-125{digit}" for digit in range(9)},
    **{f"iso8859-{part}": f"iso-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
}  # fmt: skip

# What undeclared pages are in; with rarer ones among them, statistics take windows-1251 for a Macintosh's.
_GUESSES = (
    "cp1252", "cp1251", "koi8_r", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How ``<`` starts a text in wide characters that has no mark.
_UNMARKED = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)

_LABEL = re.compile(r"[a-z0-9_.:\-]{1,40}")
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_XML = re.compile(rb"""\A\s{0,100}<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']\s{0,9}([\w.:\-]{1,40})""")
_META = re.compile(
    rb"""<meta\s[^>]{0,500}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:\-]{1,40})""", re.IGNORECASE
)


def decode_html(body: bytes, header_charset: str | None) -> tuple[str, str]:
    """Return the text of a page or an XML document, and the name of the charset that it was read with.

    Never raises: what cannot be read becomes U+FFFD.
    """
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], codec)
    for start, codec in _UNMARKED:
        if body.startswith(start):
            return _decoded(body, codec)
    return _believed(body, header_charset) or _guessed(body)


def codec_of(label: str | None) -> str | None:
    """Return Python's codec for a charset label; None if it is not one that pages may use."""
    name = (label or "").strip().strip("\"'").lower()
    if not _LABEL.fullmatch(name):
        return None
    try:
        known = _CODECS.get(name) or codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    codec = _CODECS.get(known, known)
    return codec if codec in _NAMES else None


def _decoded(body: bytes, codec: str) -> tuple[str, str]:
    return body.decode(codec, "replace"), _NAMES.get(codec, codec)


def _declared(body: bytes, header_charset: str | None) -> Iterator[str]:
    """Yield the codecs that the header, the XML declaration and the ``meta`` elements name."""
    head = body[:HEAD_LENGTH]
    pattern_labels = [
        found[1] for found in (_XML.search(head), _META.search(_COMMENT.sub(b"", head))) if found
    ]
    if codec := codec_of(header_charset):
        yield codec
    for label in pattern_labels:
        if codec := codec_of(label.decode("ascii", "replace")):
            # a page whose declaration could be read byte by byte is not in UTF-16, whatever it says
            yield "utf-8" if codec.startswith("utf-16") else codec


def _believed(body: bytes, header_charset: str | None) -> tuple[str, str] | None:
    """Return the text by the first declaration that the bytes bear out, or as UTF-8 if they are that."""
    declared = list(dict.fromkeys(_declared(body, header_charset)))
    as_utf8 = _as_utf8(body)
    if as_utf8 is not None and (not body.isascii() or not declared):
        return as_utf8, "utf-8"  # text of another charset is valid UTF-8 by chance almost never
    for codec in declared:
        text = body.decode(codec, "replace")
        bad = text.count("\ufffd")
        if bad <= max(BAD_FEW, BAD_SHARE * _foreign(text)) and not _is_wide(codec, text):
            return text, _NAMES[codec]
    return None


def _as_utf8(body: bytes) -> str | None:
    """Return the text if it is valid UTF-8; a character cut off at the end is forgiven."""
    try:
        text, used = codecs.utf_8_decode(body, "strict", False)
    except UnicodeDecodeError:
        return None
    return text if used == len(body) else f"{text}\ufffd"


def _foreign(text: str) -> int:
    """Count the characters beyond ASCII."""
    return len(text) - len(text.encode("ascii", "ignore"))


def _is_wide(codec: str, text: str) -> bool:
    """Tell whether text read as UTF-16 holds no mark-up, and so is something else."""
    return codec.startswith("utf-16") and "<" not in text


def _guessed(body: bytes) -> tuple[str, str]:
    """Return the text by statistics over its bytes."""
    import charset_normalizer  # noqa: PLC0415 - few pages need it, and it is slow to import

    best = charset_normalizer.from_bytes(body[:SAMPLE_LENGTH], cp_isolation=list(_GUESSES)).best()
    codec = codec_of(best.encoding) if best else None
    return _decoded(body, codec or FALLBACK)
