"""The language of a text, as ISO 639-1, with what the page declared as a prior."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

SAMPLE = 4_000
"""Characters that are looked at: more changes no verdict and costs time."""
ENOUGH = 120
"""Letters from which detection may overrule a declared language."""
SURE = 0.9
"""Confidence from which detection may overrule a declared language."""
UNKNOWN = "und"
"""ISO 639-2's code for undetermined."""
_DECLARED = 0.5  # confidence in a declaration that the text is too short to check
# Withdrawn codes, the one name for Norwegian that the detector has, and its codes that ISO 639-1 lacks.
_ALIASES = {"iw": "he", "in": "id", "ji": "yi", "nb": "no", "mo": "ro", "sh": "sr", "wuu": "zh", "yue": "zh"}
_LETTER = re.compile(r"[^\W\d_]")
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+")


@dataclass(frozen=True, slots=True)
class Language:
    """An ISO 639-1 code and how sure we are, 0 to 1."""

    code: str
    confidence: float


def normalise(declared: str | None) -> str | None:
    """Return the ISO 639-1 code of a language tag (``en-GB``, ``pt_BR``), or nothing if it is none."""
    primary = re.split(r"[-_]", (declared or "").strip().casefold())[0]
    code = _ALIASES.get(primary, primary)
    return code if re.fullmatch(r"[a-z]{2}", code) else None


@cache
def _identifier() -> Any:
    """Return py3langid's model, loaded once a process."""
    # mypy: the package has no types. PLC0415: it loads numpy.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect(text: str, declared: str | None = None) -> Language:
    """Return the language of a text; a declared one holds unless a long text clearly says otherwise."""
    prior = normalise(declared)
    sample = _ADDRESS.sub(" ", text[:SAMPLE])
    letters = len(_LETTER.findall(sample))
    if not letters:
        return Language(prior or UNKNOWN, _DECLARED if prior else 0.0)
    code, confidence = _identifier().classify(sample)
    code, confidence = normalise(code) or UNKNOWN, min(1.0, float(confidence))
    if prior is None or prior == code:
        return Language(code, confidence)
    overruled = letters >= ENOUGH and confidence >= SURE
    return Language(code, confidence) if overruled else Language(prior, _DECLARED)
