"""Identifying the language of texts with py3langid: the only module that uses names of its internals.

Why this package: it ships its model (a naive Bayes over byte sequences, Lui and Baldwin 2011) and reads it as plain
arrays, without unpickling; it knows all languages of SIB-200 in XTREME, Quechua, Javanese and Amharic among them, which
lingua does not; it needs only numpy; its licence is BSD-3-Clause.
"""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from xquality.languages import identity

NOT_A_LANGUAGE = "zxx"  # the label of numbers, markup and the like

# The package separates these varieties from Chinese and Arabic, of which they are members in ISO 639-3 without a
# two-letter code of their own. Short standard texts are often labelled so, and a dataset's zh or ar includes them all.
_VARIETIES = {"wuu": "zh", "yue": "zh", "ary": "ar", "arz": "ar"}


def identifier_name() -> str:
    """Return the name and version of the package that identifies languages, for records."""
    return f"py3langid {version('py3langid')}"


def identifiable_languages() -> tuple[str, ...]:
    """Return the codes of all languages that can be identified, sorted, as `xquality.languages.identity` writes them.

    Example:
        >>> codes = identifiable_languages()
        >>> len(codes) > 130, "qu" in codes, "yue" in codes
        (True, True, True)
    """
    labels = {*_model(merged=True).labels, *_model(merged=False).labels}
    return tuple(sorted(labels - {NOT_A_LANGUAGE}))


def identify_languages(texts: Sequence[str], language: str) -> list[tuple[str, float]]:
    """Return the most probable language of each text, and its probability among all languages, in [0, 1].

    Args:
        texts: the texts; one without any known byte sequence gets some language with a probability below 0.02.
        language: the code of the language that the texts should be in. Wu and Yue Chinese count as Chinese, Egyptian
            and Moroccan Arabic as Arabic, unless this is the code of one of them.

    Example:
        >>> [code for code, _ in identify_languages(["Der Hund schläft im Garten.", "狗在花园里睡觉。"], "de")]
        ['de', 'zh']
    """
    model = _model(merged=language not in _VARIETIES)
    return [model.classify(text) for text in texts]


@cache
def _model(*, merged: bool) -> Any:
    """Return the model with labels as `identity` writes them; `merged` counts varieties as Chinese and Arabic."""
    from py3langid.langid import LanguageIdentifier

    shipped = _shipped_model()
    names = [identity(label) for label in shipped.nb_classes]
    # The package adds up the probabilities of labels that occur twice.
    names = [_VARIETIES.get(name, name) for name in names] if merged else names
    return LanguageIdentifier(
        shipped.nb_ptc,
        shipped.nb_pc,
        names,
        shipped.tk_nextmove,
        shipped.tk_output,
        norm_probs=True,
        tk_row=shipped.tk_row,
    )


@cache
def _shipped_model() -> Any:
    """Return the model as the package ships it; reading it takes most of a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
