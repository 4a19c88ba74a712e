"""Identifying the language of texts with py3langid.

Why this package: it ships its model (a naive Bayes over byte sequences, Lui and Baldwin 2011) and reads it as plain
arrays, nothing unpickled; it knows all languages of SIB-200 in XTREME, Quechua, Javanese and Amharic among them, which
lingua does not; it needs nothing but numpy; its licence is BSD-3-Clause.
"""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from xquality.languages import identity

NOT_A_LANGUAGE = "zxx"  # the label of numbers, markup and the like

# The package tells these from Chinese and Arabic, of which they are members in ISO 639-3 without a two-letter code of
# their own; short standard texts are often labelled so, and a dataset that says zh or ar means them all.
_MEMBERS = {"wuu": "zh", "yue": "zh", "ary": "ar", "arz": "ar"}


def identifier_name() -> str:
    """Return the name and version of what identifies languages, for records."""
    return f"py3langid {version('py3langid')}"


def identifiable() -> tuple[str, ...]:
    """Return the codes of all languages that can be identified, sorted, as `xquality.languages.identity` writes them.

    Example:
        >>> len(identifiable()) > 130, "qu" in identifiable(), "yue" in identifiable()
        (True, True, True)
    """
    return tuple(sorted({*_model(members=True).labels, *_model(members=False).labels} - {NOT_A_LANGUAGE}))


def identify(texts: Sequence[str], language: str) -> list[tuple[str, float]]:
    """Return the most probable language of each text, and its probability among all languages, in [0, 1].

    Args:
        texts: the texts; one without any known byte sequence gets some language with a probability below 0.02.
        language: the code of the language that is looked for. Wu and Yue Chinese count as Chinese, Egyptian and
            Moroccan Arabic as Arabic, unless one of them is looked for itself.

    Example:
        >>> [code for code, _ in identify(["Der Hund schläft im Garten.", "狗在花园里睡觉。"], "de")]
        ['de', 'zh']
    """
    model = _model(members=language not in _MEMBERS)
    return [model.classify(one) for one in texts]


@cache
def _model(*, members: bool) -> Any:
    """Return the model with labels as `identity` writes them; `members` joins Chinese and Arabic, as above."""
    from py3langid.langid import LanguageIdentifier

    read = _read()
    names = [identity(one) for one in read.nb_classes]
    # Labels that stand twice are added up by the package.
    names = [_MEMBERS.get(one, one) for one in names] if members else names
    return LanguageIdentifier(
        read.nb_ptc, read.nb_pc, names, read.tk_nextmove, read.tk_output, norm_probs=True, tk_row=read.tk_row
    )


@cache
def _read() -> Any:
    """Return the model as the package ships it; reading it takes most of a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
