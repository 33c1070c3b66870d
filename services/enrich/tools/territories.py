# ruff: noqa: INP001 - a script, not a package
"""Make ``newswire_enrich/data/territories.json``: countries, territories and their parts with Wikidata ids.

A maintainer runs this by hand, in an environment of its own with ``rigour`` 2.6 (MIT licence; codes, Wikidata
ids) and ``babel`` 2.18 (BSD licence; it carries names of territories by language from the Unicode CLDR, under
the Unicode licence). Only facts are taken. rigour needs PyICU and so a compiler, which is why the service
itself does not depend on it.

    python services/enrich/tools/territories.py > services/enrich/newswire_enrich/data/territories.json
"""

import json
import re
import sys
from typing import Any

# rigour names the whole realm of these; news means the country in Europe.
QIDS = {"dk": "Q35", "nl": "Q55"}
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk")
# Not places (un, eu: organisations, in the gazetteer; ip, zz: nowhere), or no longer any (an, su-*, suhh).
LEFT_OUT = {"un", "eu", "ip", "zz", "an", "dg", "um"}
BRACKETED = re.compile(r"\s*\([^)]*\)")


def names(code: str, source: dict[str, Any], cldr: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """Return the names of a territory by language, without bracketed explanations."""
    found = {language: [table[code.upper()]] for language, table in cldr.items() if code.upper() in table}
    found["en"] = [source["name"], *found.get("en", [])]
    return {
        language: list(dict.fromkeys(BRACKETED.sub("", n).removesuffix(" SAR") for n in values))
        for language, values in found.items()
    }


def row(source: dict[str, Any], cldr: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return what the gazetteer needs to know of one territory."""
    code, named = source["code"], names(source["code"], source, cldr)
    rank = "country" if source.get("is_country") else "territory" if len(code) == len("xx") else "part"
    return {
        "code": code,
        "name": named["en"][0],
        "qid": QIDS.get(code, source["qid"]),
        "rank": rank,
        "names": named,
    }


def main() -> None:
    """Print the table, one territory a line."""
    from babel import Locale  # noqa: PLC0415 - only here, in the maintainer's environment
    from rigour._core import territories_jsonl  # noqa: PLC0415 - likewise

    cldr = {language: dict(Locale(language).territories) for language in LANGUAGES}
    sources = (json.loads(line) for line in territories_jsonl().splitlines())
    rows = [
        row(s, cldr)
        for s in sources
        if s.get("qid")
        and s["code"] not in LEFT_OUT
        and not s["code"].startswith("su")
        and not s.get("is_historical")
    ]
    lines = ",\n".join(json.dumps(r, ensure_ascii=False) for r in sorted(rows, key=lambda r: str(r["code"])))
    sys.stdout.write(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
