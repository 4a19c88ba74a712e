"""ANLI+: MNLI, SNLI and the three rounds of ANLI as one task with one head; each row counts once.

The training splits are joined whole: 392,702 + 549,367 + 162,865 rows, where SNLI's rows without an agreed label are
left out. "validation" is MNLI's matched split, SNLI's, and the three development splits of ANLI: 22,857 rows. A row's
uid is a string, its part and its number there, such as "anli_r2/17".

Licences: MNLI's genres' own; SNLI CC BY-SA 4.0; ANLI CC BY-NC 4.0, which excludes commercial use. The authors of ANLI
ask not to train on its development rows and then report its scores. The Hub's data are the official ones.
"""

import pyarrow.compute as pc
from datasets import Dataset

from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.source import HubSource
from xquality.heads import SequenceHead
from xquality.tasks.base import Task
from xquality.tasks.joined import JoinedSource
from xquality.tasks.mnli import mnli
from xquality.tasks.shapes import NLI, pairs


def labelled(data: Dataset) -> Dataset:
    """Return the pairs that have a label."""
    known = pairs(data)
    table = table_of(known)
    fingerprint = derive_fingerprint(known, "labelled")
    kept = table.filter(pc.greater_equal(table.column("label"), 0))  # a null is no label either
    return dataset_of(kept, known.features, like=known, fingerprint=fingerprint)


def _anli(part: int) -> Task:
    """Return one round of ANLI."""
    source = HubSource(
        "facebook/anli",
        "8e4813d81f46d313dac7892e1c28076917cfcdf9",
        "anli",
        configuration="plain_text",
        splits={"train": f"train_r{part}", "validation": f"dev_r{part}", "test": f"test_r{part}"},
    )
    # Rows carry ids of ANLI's own; their numbers are what rows are known by here.
    return Task(f"anli_r{part}", ("en",), "en", source, rename={"uid": "anli_uid"}, normalise=pairs)


_SNLI = Task(
    "snli",
    ("en",),
    "en",
    HubSource("stanfordnlp/snli", "cdb5c3d5eed6ead6e5a341c8e56e669bb666725b", "snli", configuration="plain_text"),
    normalise=labelled,
)

anli_plus = Task(
    name="anli_plus",
    languages=("en",),
    source_language="en",
    source=JoinedSource((mnli, _SNLI, _anli(1), _anli(2), _anli(3))),
    head=SequenceHead(columns=("premise", "hypothesis"), labels=NLI),
    evaluation_split="validation",
    citation="Nie et al. 2020, Adversarial NLI (ACL); Bowman et al. 2015, SNLI (EMNLP); Williams et al. 2018, MNLI",
)
