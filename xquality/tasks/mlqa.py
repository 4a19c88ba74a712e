"""MLQA: questions over Wikipedia paragraphs in seven languages; paragraph and question in the same language.

Each language has its own selection of questions, so row numbers do not pair languages: a question has the same `id` in
all of them. English training rows are those of SQuAD v1.1.

Licence: CC BY-SA 3.0. The Hub's data are the official ones without the blanks before some paragraphs; offsets are
corrected while loading. MLQA's own repository there holds a loading script, so the XTREME bundle is read.
"""

from xquality.data.source import SupplementedSource
from xquality.heads import SpanHead
from xquality.tasks.base import Task, xtreme_bundle
from xquality.tasks.shapes import to_spans
from xquality.tasks.squad import squad

mlqa = Task(
    name="mlqa",
    languages=("en", "es", "de", "ar", "hi", "vi", "zh"),
    source_language="en",
    source=SupplementedSource(
        xtreme_bundle(
            "mlqa/mlqa.{language}.{language}",
            "MLQA.{language}.{language}",
        ),
        extra=squad.source,
    ),
    head=SpanHead(metric="mlqa"),
    normalise=to_spans,
    train_languages=("en",),
    citation="Lewis et al. 2020, MLQA: Evaluating Cross-lingual Extractive Question Answering (ACL)",
)
