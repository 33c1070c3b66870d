"""Page layouts with the furniture of real news pages; pure functions from an article to HTML.

``broadsheet`` carries JSON-LD, ``magazine`` only meta tags, ``plain`` only a visible date and byline,
``legacy`` a table layout with an old-fashioned date meta tag.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape

from newswire_newsroom.furniture import (
    advertisement,
    comments,
    consent_banner,
    footer,
    navigation,
    newsletter,
    paywall,
    related_links,
)
from newswire_newsroom.labels import labels
from newswire_newsroom.world import Article, Block

TEASER_BLOCKS = 3  # how much of a paywalled article is shown


def page(article: Article, related: Sequence[Article]) -> str:
    """Return the article's page in its layout, with links to related articles."""
    return LAYOUTS[article.layout](article, related)


def text(article: Article) -> str:
    """Return the article's text as HTML, a broken tag served as it is."""
    shown = article.blocks[:TEASER_BLOCKS] if article.case == "paywall" else article.blocks
    return "\n".join(_block(block) for block in shown)


def _block(block: Block) -> str:
    if block.kind == "broken":
        return f"<p{escape(block.text)}</p>"  # the lost ">" is the point
    return f"<{block.kind}>{escape(block.text)}</{block.kind}>"


def broadsheet(article: Article, related: Sequence[Article]) -> str:
    """Return a page with JSON-LD and everything around the text."""
    words = labels(article.language)
    data = json.dumps(_json_ld(article), ensure_ascii=False).replace("</", "<\\/")
    head = f'<script type="application/ld+json">{data}</script>{_open_graph(article)}'
    return f"""{_head(article, head)}
<body class="broadsheet">
{consent_banner(words)}
<header><a href="/">{escape(article.outlet.title)}</a>{navigation(article.outlet)}</header>
{advertisement(words)}
<main><article class="story">
<h1>{escape(article.headline)}</h1>
<div class="byline">{words.by} <span class="author">{escape(article.byline)}</span></div>
<div class="story-body">
{text(article)}
</div>
{paywall(words) if article.case == "paywall" else ""}
</article>
{newsletter(words)}
{related_links(related, words)}
{comments(words)}
</main>
{footer(article, words)}
</body></html>
"""


def magazine(article: Article, related: Sequence[Article]) -> str:
    """Return a page that dates itself by meta tags alone."""
    words = labels(article.language)
    return f"""{_head(article, _magazine_meta(article) + _open_graph(article))}
<body class="magazine">
{consent_banner(words)}
<div id="wrapper"><div id="masthead">{navigation(article.outlet)}</div>
<div id="content"><div class="entry">
<h1 class="entry-title">{escape(article.headline)}</h1>
<div class="entry-meta">{words.by} <a rel="author" href="/people">{escape(article.byline)}</a></div>
<div class="entry-content">
{text(article)}
</div>
<div class="share"><a href="#share">{words.share}</a></div>
</div>
{comments(words)}
</div>
<aside class="sidebar">
{advertisement(words)}
{related_links(related, words)}
{newsletter(words)}
</aside></div>
{footer(article, words)}
</body></html>
"""


def plain(article: Article, related: Sequence[Article]) -> str:
    """Return an agency's page: the date and the byline stand above the text and nowhere else."""
    words = labels(article.language)
    moment = article.updated or article.published
    return f"""{_head(article, "")}
<body>
{consent_banner(words)}
{navigation(article.outlet)}
<article>
<h1>{escape(article.headline)}</h1>
<div class="dateline"><time datetime="{moment.isoformat()}">{moment:%d %B %Y, %H:%M}</time>
<span class="byline">{words.by} {escape(article.byline)}</span></div>
{text(article)}
</article>
{related_links(related, words)}
{footer(article, words)}
</body></html>
"""


def legacy(article: Article, related: Sequence[Article]) -> str:
    """Return a page laid out by a table, as some small papers still serve."""
    words = labels(article.language)
    head = _meta("name", "date", article.published.isoformat()) + _meta("name", "author", article.byline)
    return f"""{_head(article, head)}
<body bgcolor="#ffffff">
{consent_banner(words)}
<table width="960" align="center"><tr><td colspan="2" class="top">{navigation(article.outlet)}</td></tr>
<tr><td class="main" valign="top">
<h1>{escape(article.headline)}</h1>
<div class="meta">{article.published:%d.%m.%Y %H:%M} | {escape(article.byline)}</div>
<div class="article-text">
{text(article)}
</div>
{comments(words)}
</td><td class="right" valign="top">
{advertisement(words)}
{related_links(related, words)}
{newsletter(words)}
</td></tr></table>
{footer(article, words)}
</body></html>
"""


LAYOUTS: Mapping[str, Callable[[Article, Sequence[Article]], str]] = {
    "broadsheet": broadsheet,
    "magazine": magazine,
    "plain": plain,
    "legacy": legacy,
}


def _head(article: Article, more: str) -> str:
    charset = f'<meta charset="{article.charset}">' if article.charset_in != "header" else ""
    return f"""<!doctype html>
<html lang="{article.language}"><head>{charset}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(article.headline)} | {escape(article.outlet.title)}</title>
<link rel="canonical" href="{article.canonical_url}">
{more}
</head>"""


def _meta(attribute: str, name: str, content: str) -> str:
    return f'<meta {attribute}="{name}" content="{escape(content)}">'


def _magazine_meta(article: Article) -> str:
    modified = article.updated.isoformat() if article.updated else ""
    return (
        _meta("property", "article:published_time", article.published.isoformat())
        + (_meta("property", "article:modified_time", modified) if modified else "")
        + _meta("name", "author", article.byline)
    )


def _open_graph(article: Article) -> str:
    fields = [
        ("og:type", "article"),
        ("og:title", article.headline),
        ("og:site_name", article.outlet.title),
        ("og:url", article.canonical_url),
        *(("article:tag", tag) for tag in article.tags),
    ]
    return "".join(_meta("property", name, content) for name, content in fields)


def _json_ld(article: Article) -> dict[str, object]:
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.headline,
        "datePublished": article.published.isoformat(),
        "dateModified": (article.updated or article.published).isoformat(),
        "inLanguage": article.language,
        "mainEntityOfPage": article.canonical_url,
        "author": [{"@type": "Person", "name": article.byline}],
        "publisher": {"@type": "NewsMediaOrganization", "name": article.outlet.title},
        "keywords": list(article.tags),
    }
    if article.case == "paywall":
        part = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".paywall"}
        data |= {"isAccessibleForFree": False, "hasPart": part}
    return data
