"""How the text of an answer becomes tokens, by the rules of SQuAD, of MLQA's seven languages, and of scripts' own.

All rules lower the text, drop punctuation, replace articles by a blank and split what is left, in this order. SQuAD
knows ASCII punctuation and English articles only, whatever the language. MLQA drops everything that Unicode counts
as punctuation and has articles for each language; Chinese is split into characters. Nothing is normalised to one
Unicode form. Which characters are punctuation, and how letters are lowered, follows the interpreter's tables.

Texts are worked on together, joined by a character that touches none of them: that is ten times as fast as one by one.
"""

import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, final

import regex

from xquality.errors import MetricError

Tokens = list[str]

_JOINT = "\0"  # no letter, no blank, no punctuation: to lower(), to \b and to the rules it is the end of a text
_ASCII_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]+")
_CHINESE = re.compile(r"[\u4e00-\u9fa5]|[^\s\u4e00-\u9fa5]+")  # as far as MLQA's script goes: no later additions
_UNSPACED_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_UNSPACED = regex.compile(rf"[{_UNSPACED_SCRIPTS}]\p{{M}}*|[^\s\x1c-\x1f{_UNSPACED_SCRIPTS}]+")

_ARTICLES = {
    "ar": "ال",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "hi": "",
    "vi": "của là cái chiếc những",
    "zh": "",
}


@final
@dataclass(frozen=True)
class Rules:
    """One way to turn answers into tokens.

    Attributes:
        punctuation: "ascii" or "unicode": which punctuation is dropped.
        articles: what is replaced by a blank; None for nothing.
        split: how the rest becomes tokens.
    """

    punctuation: str
    articles: re.Pattern[str] | None
    split: Callable[[str], Tokens]

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text.

        Example:
            >>> SQUAD.tokens(["The  cat's whiskers.", "a"])
            [['cats', 'whiskers'], []]
        """
        if any(_JOINT in text for text in texts):
            return [self.split(self._cleaned(text)) for text in texts]
        pieces = self._cleaned(_JOINT.join(texts)).split(_JOINT) if texts else []
        return [self.split(piece) for piece in pieces]

    def _cleaned(self, text: str) -> str:
        """Return the text lowered, without punctuation, and with blanks for articles."""
        text = text.lower()
        if self.punctuation == "ascii":
            text = _ASCII_PUNCTUATION.sub("", text)
        else:
            for character in filter(_is_punctuation, set(text)):
                text = text.replace(character, "")
        return self.articles.sub(" ", text) if self.articles else text


def mlqa_rules(language: str) -> Rules:
    """Return MLQA's rules for one of its seven languages.

    The Arabic rule is the official one: it takes every "ال" for the article, inside words too.

    Raises:
        MetricError: for another language.

    Example:
        >>> mlqa_rules("zh").tokens(["NBA 总决赛。"])
        [['nba', '总', '决', '赛']]
    """
    if language not in _ARTICLES:
        raise MetricError(f"MLQA has the languages {', '.join(sorted(_ARTICLES))}, but {language!r} was asked for.")
    return _mlqa_rules(language)


@cache
def _mlqa_rules(language: str) -> Rules:
    """Return the rules of a language that is there."""
    words = _ARTICLES[language].replace(" ", "|")
    pattern = words if language == "ar" else rf"\b({words})\b"  # the Arabic article has no bounds in the official code
    split = _CHINESE.findall if language == "zh" else str.split
    return Rules("unicode", re.compile(pattern) if words else None, split)


def _is_punctuation(character: str) -> bool:
    """Return whether Unicode or ASCII counts a character as punctuation."""
    return character in string.punctuation or unicodedata.category(character).startswith("P")


SQUAD: Final = Rules("ascii", re.compile(r"\b(a|an|the)\b"), str.split)
"""The rules of SQuAD v1.1 and v2, which XTREME uses for XQuAD and TyDi QA in every language."""

SEGMENTED: Final = Rules("unicode", None, _UNSPACED.findall)
"""Not official: all punctuation dropped, no articles, and one token for each character, with the marks on it, of a
script written without blanks (Chinese, Japanese, Thai, Lao, Khmer, Burmese)."""
