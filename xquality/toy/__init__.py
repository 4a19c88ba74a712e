"""Small multilingual tasks of every shape, generated offline; row i means the same in every language.

Nine languages in five scripts. Words and templates were written for this project. `toy.topics` and `toy.inference`
can be trained; the others give data in the schemas of XTREME's tasks.

    topics      text → one of six topics                     as SIB-200
    inference   premise, hypothesis → three classes          as XNLI
    entities    tokens → tags of names                       as PAN-X
    questions   context, question → answer span              as XQuAD
    choices     premise, two choices → the cause or effect   as XCOPA
    sentences   sentence → its English translation           as Tatoeba
    mining      two heaps of sentences → the pairs           as BUCC

May import: heads, tasks.base, toy.lexicon, toy.generate | datasets.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from datasets import Dataset

from xquality.heads import Head, SequenceHead
from xquality.tasks.base import Task
from xquality.toy.generate import LABELS
from xquality.toy.generate import generate as _generate
from xquality.toy.lexicon import LANGUAGES

__all__ = ["LANGUAGES", "choices", "entities", "inference", "mining", "questions", "sentences", "topics"]


@final
@dataclass(frozen=True)
class ToySource:
    """Generated rows of one shape."""

    shape: str

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:  # noqa: ARG002 (there is no root)
        """Return one split, generated anew and always the same."""
        return _generate(self.shape, language, split)


def _task(shape: str, columns: tuple[str, ...] = (), languages: tuple[str, ...] = LANGUAGES) -> Task:
    """Return the toy task of a shape; without columns it has no head and cannot be trained yet."""
    head: Head | None = SequenceHead(columns, LABELS[shape]) if columns else None
    return Task(f"toy.{shape}", languages, languages[0], ToySource(shape), head)


topics = _task("topics", ("text",))
inference = _task("inference", ("premise", "hypothesis"))
entities = _task("entities")
questions = _task("questions")
choices = _task("choices")
sentences = _task("sentences")
mining = _task("mining", languages=tuple(one for one in LANGUAGES if one != "en"))
