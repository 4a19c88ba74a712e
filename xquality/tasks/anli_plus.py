"""ANLI+: MNLI, SNLI and the three rounds of ANLI as one task with one head; each row counts once.

The training splits are joined: 392,702 + 549,367 + 162,865 rows, where SNLI's rows without an agreed label are
left out. "validation" is MNLI's matched split, SNLI's, and the three development splits of ANLI: 22,857 rows. A row's
uid is a string, its part and its number there, such as "anli_r2/17".

Licences: MNLI's genres' own; SNLI CC BY-SA 4.0; ANLI CC BY-NC 4.0, which excludes commercial use. The authors of ANLI
ask not to train on its development rows and then report its scores. The Hub's data are the official ones.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from datasets import Dataset

from xquality.data.source import HubSource
from xquality.data.uids import concatenate
from xquality.heads import SequenceHead
from xquality.tasks.base import Task
from xquality.tasks.mnli import mnli
from xquality.tasks.shapes import NLI, drop_unlabelled, to_pairs


@final
@dataclass(frozen=True)
class JoinedSource:
    """The rows of several tasks with the same columns and classes, one task after the other.

    A row's uid is the name of its task and its number there, such as "snli/17".

    Attributes:
        parts: the tasks, each with a name of its own.
    """

    parts: tuple[Task, ...]

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows of all parts.

        Raises:
            SourceError: where one part has no such split.
        """
        rows = [part.load(language, split, root) for part in self.parts]
        return concatenate(rows, names=[part.name for part in self.parts])


def labelled_pairs(data: Dataset) -> Dataset:
    """Return the pairs that have a label."""
    return drop_unlabelled(to_pairs(data))


def _anli_round(number: int) -> Task:
    """Return one round of ANLI."""
    source = HubSource(
        "facebook/anli",
        "8e4813d81f46d313dac7892e1c28076917cfcdf9",
        "anli",
        configuration="plain_text",
        splits={"train": f"train_r{number}", "validation": f"dev_r{number}", "test": f"test_r{number}"},
    )
    # ANLI's own ids are set aside: a row's uid is its number.
    return Task(f"anli_r{number}", ("en",), "en", source, rename={"uid": "anli_uid"}, normalise=to_pairs)


_SNLI = Task(
    "snli",
    ("en",),
    "en",
    HubSource("stanfordnlp/snli", "cdb5c3d5eed6ead6e5a341c8e56e669bb666725b", "snli", configuration="plain_text"),
    normalise=labelled_pairs,
)

anli_plus = Task(
    name="anli_plus",
    languages=("en",),
    source_language="en",
    source=JoinedSource((mnli, _SNLI, _anli_round(1), _anli_round(2), _anli_round(3))),
    head=SequenceHead(columns=("premise", "hypothesis"), labels=NLI),
    evaluation_split="validation",
    citation="Nie et al. 2020, Adversarial NLI (ACL); Bowman et al. 2015, SNLI (EMNLP); Williams et al. 2018, MNLI",
)
