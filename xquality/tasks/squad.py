"""SQuAD v1.1: questions that are answered by a span of a Wikipedia paragraph, in English.

An intermediate task, and what XTREME trains XQuAD and MLQA on. The test split is hidden; the validation split is
scored.

Licence: CC BY-SA 4.0. The Hub's data are the official ones.
"""

from xquality.data.source import HubSource
from xquality.heads import SpanHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import to_spans

squad = Task(
    name="squad",
    languages=("en",),
    source_language="en",
    source=HubSource(
        "rajpurkar/squad", "7b6d24c440a36b6815f21b70d25016731768db1f", "squad", configuration="plain_text"
    ),
    head=SpanHead(),
    normalise=to_spans,
    evaluation_split="validation",
    citation="Rajpurkar et al. 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text (EMNLP)",
)
