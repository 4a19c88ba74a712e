"""MNLI: natural language inference over ten genres of English.

"validation" is the matched split of GLUE; "validation_mismatched" is loaded by that name. GLUE's test splits
("test_matched", "test_mismatched") have no labels.

Licence: the genres' own (OANC terms; some CC BY 3.0, CC BY-SA 3.0 and MIT). The Hub's data are the official ones.
"""

from xquality.data.source import HubSource
from xquality.heads import SequenceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import NLI, to_pairs

mnli = Task(
    name="mnli",
    languages=("en",),
    source_language="en",
    source=HubSource(
        "nyu-mll/glue",
        "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
        "glue/mnli",
        configuration="mnli",
        splits={"validation": "validation_matched"},
    ),
    head=SequenceHead(columns=("premise", "hypothesis"), labels=NLI),
    normalise=to_pairs,
    evaluation_split="validation",
    citation="Williams et al. 2018, A Broad-Coverage Challenge Corpus for Sentence Understanding (NAACL)",
)
