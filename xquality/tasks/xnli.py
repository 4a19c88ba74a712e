"""XNLI: natural language inference in fifteen languages.

Each language has a training split on the Hub: English is MNLI, the others are its machine translation, so that
`xnli.load("es", "train")` is an intermediate task in Spanish. Validation and test rows are parallel.

Licence: CC BY-NC 4.0, which excludes commercial use. The Hub's data are the official ones.
"""

from xquality.data.source import HubSource
from xquality.heads import SequenceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import NLI

xnli = Task(
    name="xnli",
    languages=("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"),
    source_language="en",
    source=HubSource("facebook/xnli", "b8dd5d7af51114dbda02c0e3f6133f332186418e", "xnli/{language}"),
    head=SequenceHead(columns=("premise", "hypothesis"), labels=NLI),
    citation="Conneau et al. 2018, XNLI: Evaluating Cross-lingual Sentence Representations (EMNLP)",
)
