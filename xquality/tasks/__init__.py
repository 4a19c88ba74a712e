"""The tasks: one frozen value each, with pinned data, columns and languages.

`XTREME` holds the nine targets and `INTERMEDIATE` the nine intermediate tasks of Phang et al. 2020, both in the order
of the paper's tables. Tasks of one kind load rows with the same columns, whatever their source calls them, and `uid`:

    natural language inference      premise, hypothesis, label
    paraphrases, topics             two texts or one, label, and the other columns of the source
    parts of speech, names, CCG     tokens, and tags under the source's name (pos_tags, ner_tags, tags)
    question answering              id, context, question, answers with text and answer_start
    multiple choice                 context, question, options, label
    sentence retrieval              source_sentence, target_sentence
    bitext mining                   source_id, target_id and both sentences; id, sentence, lang of each side

A task of your own is a `Task` over a `MemorySource`, a `LocalSource`, a `HubSource`, or any object with the method of
`Source`.
"""

from xquality.data.source import HubSource, LocalSource, MemorySource, Source
from xquality.tasks.anli_plus import anli_plus
from xquality.tasks.base import Task
from xquality.tasks.bucc import bucc
from xquality.tasks.ccg import ccg, ccg_with_categories
from xquality.tasks.commonsense_qa import commonsense_qa
from xquality.tasks.cosmos_qa import cosmos_qa
from xquality.tasks.hellaswag import hellaswag
from xquality.tasks.mlqa import mlqa
from xquality.tasks.mnli import mnli
from xquality.tasks.panx import panx
from xquality.tasks.pawsx import pawsx
from xquality.tasks.qqp import qqp
from xquality.tasks.sib200 import sib200
from xquality.tasks.squad import squad
from xquality.tasks.squad_v2 import squad_v2
from xquality.tasks.tatoeba import tatoeba
from xquality.tasks.tydiqa import tydiqa
from xquality.tasks.udpos import udpos
from xquality.tasks.xcopa import xcopa
from xquality.tasks.xnli import xnli
from xquality.tasks.xquad import xquad

XTREME = (xnli, pawsx, udpos, panx, xquad, mlqa, tydiqa, bucc, tatoeba)
INTERMEDIATE = (anli_plus, mnli, qqp, squad_v2, squad, hellaswag, ccg, cosmos_qa, commonsense_qa)

__all__ = [
    "INTERMEDIATE",
    "XTREME",
    "HubSource",
    "LocalSource",
    "MemorySource",
    "Source",
    "Task",
    "anli_plus",
    "bucc",
    "ccg",
    "ccg_with_categories",
    "commonsense_qa",
    "cosmos_qa",
    "hellaswag",
    "mlqa",
    "mnli",
    "panx",
    "pawsx",
    "qqp",
    "sib200",
    "squad",
    "squad_v2",
    "tatoeba",
    "tydiqa",
    "udpos",
    "xcopa",
    "xnli",
    "xquad",
]
