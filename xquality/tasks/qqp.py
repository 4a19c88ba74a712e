"""QQP: whether two English questions asked on Quora are duplicates.

GLUE's test split has no labels; the validation split is scored.

Licence: Quora's terms of service, which exclude commercial use. The Hub's data are the official ones.
"""

from xquality.data.source import HubSource
from xquality.heads import SequenceHead
from xquality.tasks.base import Task

qqp = Task(
    name="qqp",
    languages=("en",),
    source_language="en",
    source=HubSource("nyu-mll/glue", "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c", "glue/qqp", configuration="qqp"),
    head=SequenceHead(columns=("question1", "question2"), labels=("not_duplicate", "duplicate")),
    evaluation_split="validation",
    citation="Iyer et al. 2017, First Quora Dataset Release: Question Pairs (Quora)",
)
