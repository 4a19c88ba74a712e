"""Small multilingual tasks of every shape, generated offline; row i means the same in every language.

Nine languages in five scripts. Words and templates were written for this project. The first five can be trained;
`sentences` and `mining` read any encoder. The data have the schemas of XTREME's tasks.

    topics      text → one of six topics                     as SIB-200
    inference   premise, hypothesis → three classes          as XNLI
    entities    tokens → tags of names                       as PAN-X
    questions   context, question → answer span              as XQuAD
    choices     premise, two choices → the cause or effect   as XCOPA
    sentences   sentence → its English translation           as Tatoeba
    mining      sentences of two languages → the pairs       as BUCC
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from datasets import Dataset

from xquality.heads import ChoiceHead, Head, MiningHead, RetrievalHead, SequenceHead, SpanHead, TokenHead
from xquality.tasks import Task
from xquality.toy.generate import generate as _generate
from xquality.toy.lexicon import LANGUAGES
from xquality.toy.shapes import LABELS

__all__ = ["LANGUAGES", "choices", "entities", "inference", "mining", "questions", "sentences", "topics"]


@final
@dataclass(frozen=True)
class ToySource:
    """Generated rows of one shape."""

    shape: str

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:  # noqa: ARG002 (there is no root)
        """Return one split, generated anew and deterministic."""
        return _generate(self.shape, language, split.removeprefix("test."))


def _make_task(shape: str, head: Head, languages: tuple[str, ...] = LANGUAGES) -> Task:
    """Return the toy task of a shape; data can be loaded in all nine languages."""
    return Task(f"toy.{shape}", languages, LANGUAGES[0], ToySource(shape), head, train_languages=LANGUAGES)


_NOT_ENGLISH = tuple(language for language in LANGUAGES if language != "en")  # paired with English sentences

topics = _make_task("topics", SequenceHead(("text",), LABELS["topics"]))
inference = _make_task("inference", SequenceHead(("premise", "hypothesis"), LABELS["inference"]))
entities = _make_task("entities", TokenHead(LABELS["entities"]))
questions = _make_task("questions", SpanHead())
choices = _make_task("choices", ChoiceHead("premise", "question", ("choice1", "choice2")))
sentences = _make_task("sentences", RetrievalHead(), _NOT_ENGLISH)
mining = _make_task("mining", MiningHead(heaps=("{split}.source", "{split}.target", "{split}.gold")), _NOT_ENGLISH)
