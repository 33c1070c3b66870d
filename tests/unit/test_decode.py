"""The charset of a page: who is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_ingest.decode import codec_of, decode_html

pytestmark = pytest.mark.unit

GERMAN = "Größere Überschwemmung in München: Straßen gesperrt, Züge fallen aus."
RUSSIAN = "Переговоры о мире в Берлине продолжаются уже третий день подряд."
JAPANESE = "東京で首脳会談が開かれた。日本政府は共同声明を発表した。"


def _page(text: str, declaration: str = "") -> str:
    return f"<html><head>{declaration}<title>{text}</title></head></html>"


@pytest.mark.parametrize(
    ("text", "codec", "header", "declaration", "charset"),
    [
        (GERMAN, "utf-8", None, "", "utf-8"),
        (GERMAN, "utf-8-sig", "iso-8859-1", "", "utf-8"),
        (GERMAN, "utf-16", None, "", "utf-16le"),
        (GERMAN, "utf-16-le", None, "", "utf-16le"),
        (GERMAN, "utf-16-be", None, "", "utf-16be"),
        (GERMAN, "utf-32", None, "", "utf-32-le"),
        (GERMAN, "cp1252", "ISO-8859-1", "", "windows-1252"),
        ("„Zitat“ – 5 €", "cp1252", "latin1", "", "windows-1252"),
        (GERMAN, "cp1252", None, '<meta charset="iso-8859-1">', "windows-1252"),
        (GERMAN, "iso8859-15", None, "<META CHARSET=iso-8859-15>", "iso-8859-15"),
        (RUSSIAN, "cp1251", None, "<meta http-equiv=Content-Type content='text/html; charset=windows-1251'>",
         "windows-1251"),
        (RUSSIAN, "koi8-r", "koi8-r", "", "koi8-r"),
        (RUSSIAN, "cp1251", "windows-1251", "<meta charset=koi8-r>", "windows-1251"),
        (JAPANESE, "cp932", "Shift_JIS", "", "shift_jis"),
        (JAPANESE, "euc_jp", None, '<meta charset="EUC-JP">', "euc-jp"),
        (JAPANESE, "iso2022_jp", None, '<meta charset="iso-2022-jp">', "iso-2022-jp"),
        ("国家主席在北京会见了来访的客人。", "gbk", "gb2312", "", "gb18030"),
        ("서울에서 회담이 열렸다.", "cp949", "ks_c_5601-1987", "", "euc-kr"),
        # declarations that the bytes contradict
        (GERMAN, "utf-8", "iso-8859-1", "", "utf-8"),
        (GERMAN, "utf-8", None, '<meta charset="windows-1252">', "utf-8"),
        (RUSSIAN, "cp1251", "utf-8", "<meta charset=windows-1251>", "windows-1251"),
        (RUSSIAN, "cp1251", "utf-8", "", "windows-1251"),
        (GERMAN, "utf-8", None, '<meta charset="utf-16">', "utf-8"),
        # declarations that are none
        (GERMAN, "utf-8", "utf-7", "", "utf-8"),
        (GERMAN, "utf-8", "rot13", "<!-- <meta charset=koi8-r> -->", "utf-8"),
        (RUSSIAN, "cp1251", None, "<!-- <meta charset=koi8-r> --><meta charset=cp1251>", "windows-1251"),
        (RUSSIAN * 3, "cp1251", None, "", "windows-1251"),
        (JAPANESE * 3, "euc_jp", "no-such-charset", "", "euc-jp"),
        ("plain", "ascii", None, "", "utf-8"),
        ("plain", "ascii", "us-ascii", "", "windows-1252"),
    ],
)  # fmt: skip
def test_the_text_comes_out_whatever_is_declared(
    text: str, codec: str, header: str | None, declaration: str, charset: str
) -> None:
    """Marks, header, declarations and statistics, in that order, unless the bytes say otherwise."""
    page = _page(text, declaration)

    assert decode_html(page.encode(codec), header) == (page, charset)


def test_an_xml_declaration_is_read() -> None:
    """XHTML and feeds name their charset there."""
    document = f'<?xml version="1.0" encoding="windows-1251"?><p>{RUSSIAN}</p>'

    assert decode_html(document.encode("cp1251"), None) == (document, "windows-1251")


def test_a_few_broken_characters_do_not_change_the_charset() -> None:
    """A long page in UTF-8 with one bad byte is still in UTF-8."""
    text, charset = decode_html(GERMAN.encode() * 20 + b"\xff" + GERMAN.encode(), "utf-8")

    assert (charset, text.count("\ufffd"), text.count("München")) == ("utf-8", 1, 21)


def test_a_cut_off_page_is_still_utf_8() -> None:
    """The last character may be half."""
    assert decode_html("<p>Größe".encode()[:-1] + b"\xc3", None) == ("<p>Größ\ufffd", "utf-8")


def test_a_declaration_far_down_is_not_looked_for() -> None:
    """Only the head of a page declares its charset."""
    page = b"<p>" + b" " * 5_000 + b"<meta charset=koi8-r>"

    assert decode_html(page, None)[1] == "utf-8"


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF8", "utf-8"), (' "Latin1" ', "cp1252"), ("windows-874", "cp874"), ("x-sjis", "cp932"),
        ("iso-8859-9", "cp1254"), ("cp1251", "cp1251"), ("macintosh", "mac-roman"), ("utf-7", None),
        ("idna", None), ("unicode_escape", None), ("zip", None), ("hz", None), ("", None), (None, None),
        ("a\x00b", None), ("ü", None), ("x" * 99, None), ("../etc", None),
    ],
)  # fmt: skip
def test_only_charsets_of_the_web_can_be_asked_for(label: str | None, codec: str | None) -> None:
    """Labels mean what browsers have them mean, and Python's other codecs are out of reach."""
    assert codec_of(label) == codec


@given(st.binary(max_size=300), st.none() | st.text(max_size=20))
def test_decoding_never_raises(body: bytes, header: str | None) -> None:
    """Any bytes with any label give some text."""
    text, charset = decode_html(body, header)

    assert isinstance(text, str)
    assert charset
