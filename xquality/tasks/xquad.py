"""XQuAD: 240 paragraphs and 1,190 questions of SQuAD v1.1, translated by people into ten languages.

The rows of all eleven languages are parallel. The only split is called "validation", and XTREME scores it as its test
set: there are no other rows to choose a model on, so curves that are measured on XQuAD are measured on the test rows.
English training rows are those of SQuAD v1.1.

Licence: CC BY-SA 4.0. The Hub's data are the official ones without the blanks before some paragraphs; offsets are
corrected while loading.
"""

from xquality.data.source import HubSource, SupplementedSource
from xquality.heads import SpanHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import to_spans
from xquality.tasks.squad import squad

xquad = Task(
    name="xquad",
    languages=("en", "es", "de", "el", "ru", "tr", "ar", "vi", "th", "zh", "hi"),
    source_language="en",
    source=SupplementedSource(
        HubSource(
            "google/xquad",
            "51adfef1c1287aab1d2d91b5bead9bcfb9c68583",
            "xquad/xquad.{language}",
            configuration="xquad.{language}",
        ),
        extra=squad.source,
    ),
    head=SpanHead(),
    normalise=to_spans,
    evaluation_split="validation",
    train_languages=("en",),
    citation="Artetxe et al. 2020, On the Cross-lingual Transferability of Monolingual Representations (ACL)",
)
