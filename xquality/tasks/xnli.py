"""XNLI: natural language inference in fifteen languages.

Each language has a training split on the Hub: English is MNLI, the others are its machine translation.

May import: heads, source, tasks.base.
"""

from xquality.heads import SequenceHead
from xquality.source import HubSource
from xquality.tasks.base import Task

xnli = Task(
    name="xnli",
    languages=("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"),
    source_language="en",
    source=HubSource("facebook/xnli", "b8dd5d7af51114dbda02c0e3f6133f332186418e", "xnli/{language}"),
    head=SequenceHead(columns=("premise", "hypothesis"), labels=("entailment", "neutral", "contradiction")),
    citation="Conneau et al. 2018, XNLI: Evaluating Cross-lingual Sentence Representations (EMNLP)",
)
