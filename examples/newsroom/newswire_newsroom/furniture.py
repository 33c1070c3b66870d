"""What stands around an article on a page: navigation, banners, links, comments, footer."""

from collections.abc import Sequence
from html import escape

from newswire_newsroom.labels import Labels
from newswire_newsroom.world import Article, Outlet


def document(language: str, title: str, body: str, head: str = "") -> str:
    """Return a whole page; title is plain text, head and body are HTML."""
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>{head}</head>\n<body>{body}</body></html>\n"
    )


def navigation(outlet: Outlet) -> str:
    """Return the outlet's section links."""
    items = "".join(
        f'<li><a href="{outlet.origin}/{section}">{escape(section.capitalize())}</a></li>'
        for section in outlet.sections
    )
    home = f'<li><a href="{outlet.origin}/">{escape(outlet.title)}</a></li>'
    return f'<nav class="site-nav"><ul>{home}{items}</ul></nav>'


def consent_banner(words: Labels) -> str:
    """Return the small banner that most pages carry; the article stands under it."""
    return (
        f'<div class="cookie-banner" role="dialog"><span>{words.cookies}</span>'
        f"<button>{words.accept}</button><button>{words.refuse}</button></div>"
    )


def related_links(related: Sequence[Article], words: Labels) -> str:
    """Return a list of other articles, or nothing where there are none."""
    links = "".join(f'<li><a href="{other.url}">{escape(other.headline)}</a></li>' for other in related)
    return f'<section class="related"><h3>{words.related}</h3><ul>{links}</ul></section>' if links else ""


def newsletter(words: Labels) -> str:
    """Return the call to subscribe to a newsletter."""
    return (
        f'<form class="newsletter" action="/newsletter"><label>{words.newsletter}</label>'
        f'<input type="email" name="mail"><button>{words.subscribe}</button></form>'
    )


def comments(words: Labels) -> str:
    """Return what readers wrote."""
    remarks = "".join(
        f'<div class="comment"><b>{name}</b> <span>{text}</span></div>' for name, text in words.comments
    )
    return f'<section id="comments" class="comments"><h3>{words.comments_title}</h3>{remarks}</section>'


def advertisement(words: Labels) -> str:
    """Return the place of an advertisement."""
    return f'<div class="ad"><span>{words.advertisement}</span></div>'


def paywall(words: Labels) -> str:
    """Return the barrier under a teaser."""
    link = f'<a href="/subscribe">{words.subscribe}</a>'
    return f'<div class="paywall"><strong>{words.paywall}</strong> {link}</div>'


def footer(article: Article, words: Labels) -> str:
    """Return the foot of a page."""
    links = f'<li><a href="/imprint">{words.imprint}</a></li><li><a href="/privacy">{words.privacy}</a></li>'
    title = escape(article.outlet.title)
    return f'<footer class="site-footer"><p>© 2026 {title}</p><ul>{links}</ul></footer>'
