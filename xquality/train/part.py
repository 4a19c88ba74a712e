"""Part: the rows of one task of a stage, in an order and with columns that nothing else decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from datasets import Dataset

from xquality.data._datasets import derive_fingerprint, table_of
from xquality.data.digest import digest_table
from xquality.data.provenance import history, origins
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import TrainingError
from xquality.heads import TrainableHead
from xquality.randomness import Bits
from xquality.tasks.base import Task


@final
@dataclass(frozen=True)
class Part:
    """The rows of one task of a stage.

    Attributes:
        task: the task.
        data: its rows as given; None for the task's training split.
        language: as named; None where it is told by the rows.
        root: a folder of local data.
    """

    task: Task
    data: Dataset | None
    language: str | None
    root: str | Path | None

    @property
    def head(self) -> TrainableHead:
        """The task's head."""
        assert isinstance(self.task.head, TrainableHead)
        return self.task.head

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the rows: as named, as they were loaded, or the task's source language."""
        if self.language is not None:
            return (self.language,)
        loaded = origins(self.data) if self.data is not None else []
        known = dict.fromkeys(one["language"] for one in loaded if one["task"] == self.task.name)
        return tuple(known) or (self.task.source_language,)

    def rows(self) -> Dataset:
        """Return the rows, loading them where none were given."""
        return self.data if self.data is not None else self.task.load(self.languages[0], "train", self.root)


@final
@dataclass(frozen=True)
class PartRows:
    """The rows of a part in the order of their uids, with only the columns that training reads.

    Attributes:
        data: the rows.
        uids: their hashed identities, shape (rows,).
        digest: of those columns, in this order: the order of the rows as given does not count.
        records: the history of the data as given.
    """

    data: Dataset
    uids: Bits
    digest: str
    records: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, part: Part) -> "PartRows":
        """Return the rows of one task of a stage, loading them where none were given.

        Raises:
            TrainingError: where there are none.
            ColumnError, LabelError: where they are not what the head reads.
            UidError: where a uid stands on two rows.
        """
        head = part.head
        loaded = part.rows()
        if not len(loaded):
            raise TrainingError(
                f"The stage on {part.task.name} has no rows to train on; check the transforms before it."
            )
        head.check(loaded)
        stamped = loaded if UID in loaded.column_names else with_uid(loaded)
        read = dict.fromkeys([*head.reads, UID, "weight"])
        data = stamped.select_columns([one for one in read if one in stamped.column_names])
        table = table_of(data)
        table = table.sort_by(UID)  # the order of the rows decides nothing
        data = Dataset(table, info=data.info, fingerprint=derive_fingerprint(data, "fit"))
        records = tuple(one.to_dict() for one in history(loaded))
        return cls(data, check_uids(table.column(UID)), digest_table(table, dict(data.features)), records)
