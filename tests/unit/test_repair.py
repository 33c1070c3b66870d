"""Repair of markup that would swallow text."""

import time

import pytest

from newswire_ingest.page_tree import parse_page
from newswire_ingest.repair import MAX_NOTES, repair_markup

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("broken", "repaired"),
    [
        ("<p>a</p><pAcross the border, calm holds.</p>", "<p>a</p><p>Across the border, calm holds.</p>"),
        ("<h2Outlook</h2>", "<h2>Outlook</h2>"),
        ("<li>one<liTwo is <b>bold</b></li>", "<li>one<li>Two is <b>bold</b></li>"),
        (
            "<blockquote“We will not yield,” she said.</blockquote>",
            "<blockquote>“We will not yield,” she said.</blockquote>",
        ),
        ("<pМинистр сказал, что переговоры идут.</p>", "<p>Министр сказал, что переговоры идут.</p>"),
        ("<pacross the border, calm holds.</p>", "<p>across the border, calm holds.</p>"),
        (
            '<p class="lead"Across the border it is calm</p>',
            '<p class="lead">Across the border it is calm</p>',
        ),
        ("<p Across the border, calm holds.</p>", "<p> Across the border, calm holds.</p>"),
        ("<strong>Calm</strong and more of it.</p>", "<strong>Calm</strong> and more of it.</p>"),
        ("<pThe file ends, and so does the tag", "<p>The file ends, and so does the tag"),
        ("a <!-- advert <p>text</p>", "a <!-- advert --><p>text</p>"),
        ("a <!-- advert <p>text</p> <!-- end --> b", "a <!-- advert --><p>text</p> <!-- end --> b"),
        (
            "<title>News<meta name=x></head><body><p>text",
            "<title>News</title><meta name=x></head><body><p>text",
        ),
        ("<textarea>type here<p>text</p>", "<textarea>type here</textarea><p>text</p>"),
        ("<script>var a = 1; <p>text</p>", "<script>var a = 1; </script><p>text</p>"),
        (
            "<style>p {} </head><body><style>b {}</style>",
            "<style>p {} </style></head><body><style>b {}</style>",
        ),
        ('<a href="/x>one</a> <a href="/y">two</a>', '<a href="/x">one</a> <a href="/y">two</a>'),
        ("<img alt='x><p>text</p>", "<img alt='x'><p>text</p>"),
    ],
)
def test_swallowed_text_is_set_free(broken: str, repaired: str) -> None:
    """Lost brackets, ends and quotes are put back where the text begins."""
    html, notes = repair_markup(broken)

    assert html == repaired
    assert notes


@pytest.mark.parametrize(
    "html",
    [
        "<p>plain</p>",
        "<pre-view mode=a>text</pre-view>",
        "<pre-view lazy hidden <b>x</b></p>",
        "<picture><source srcset=a><param name=b><progress max=3 value=1></progress></picture>",
        '<pWidget data-x="1">text</pWidget>',
        "<pWidget hidden>text</pWidget>",
        "<script>if (a <pFoo bar baz.</p>) {}</script>",
        "<style>/* <pAcross the border, calm.</p> */</style>",
        "<!-- <pAcross the border, calm.</p> -->",
        "<!-- a <!-- b --> c --><p>text</p>",
        "<!--[if IE]><!--> text <!--<![endif]-->",
        "<!--><p>text</p>",
        '<a href="/find?q=">text</a> <b class="x">y</b>',
        '<div data-html="<p>one</p>" class="x">text</div>',
        '<div class="x"\n<p>text</p>',
        "<title>5 > 4</title><p>text",
        "<p>when a < b and c <d, all is well</p>",
    ],
)
def test_sound_markup_is_left_alone(html: str) -> None:
    """Custom elements, scripts, comments and odd but harmless markup stay as they are."""
    assert repair_markup(html) == (html, ())


def test_note_shows_the_broken_tag() -> None:
    """A person can find the place in the page's source."""
    _, notes = repair_markup("<pAcross the border, calm holds.</p>")

    assert notes == ("repaired-lost-bracket: <pAcross …>",)


def test_notes_are_capped() -> None:
    """A page full of slips does not fill the article with notes."""
    _, notes = repair_markup("<pAcross the border.</p>" * 100)

    assert len(notes) == MAX_NOTES + 1
    assert notes[-1] == "repaired-more: 80"


def test_parser_would_have_lost_the_paragraph() -> None:
    """The repair is needed: the parser drops what stands in a tag."""
    broken = "<html><body><p>One.</p><pAcross the border, calm holds.</p></body></html>"
    before, after = (parse_page(html, "") for html in (broken, repair_markup(broken)[0]))

    assert before is not None
    assert after is not None
    assert "calm" not in before.tree.text_content()
    assert "Across the border, calm holds." in after.tree.text_content()


@pytest.mark.parametrize(
    "unit",
    [
        "<!--",
        "<!-- <!-- -->",
        "<title>",
        "<script>",
        "<style><p>",
        "<textarea>",
        "<p ",
        "<pA ",
        "<p a=b ",
        "</",
        '="a>b=',
        '<a x="a>',
    ],
)
def test_hostile_markup_costs_linear_time(unit: str) -> None:
    """Four times the page takes nowhere near sixteen times the time."""
    repair_markup(unit)
    start = time.process_time()
    repair_markup(unit * (1_000_000 // len(unit)))

    assert time.process_time() - start < 3
