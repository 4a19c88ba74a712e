"""StageRows: the rows that a stage trains on, in an order and with columns that nothing else decides.

May import: errors, arrow, digest, identity, provenance, randomness, train.stage | datasets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from datasets import Dataset

from xquality.arrow import table_of
from xquality.digest import digest_table
from xquality.errors import TrainingError
from xquality.identity import UID, checked, with_uid
from xquality.provenance import history
from xquality.randomness import Bits, key
from xquality.train.stage import Stage


@final
@dataclass(frozen=True)
class StageRows:
    """The rows of a stage in the order of their uids, with only the columns that training reads.

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
    def of(cls, stage: Stage) -> "StageRows":
        """Return a stage's rows, loading them where none were given.

        Raises:
            TrainingError: where there are none.
            ColumnError, LabelError: where they are not what the head reads.
            UidError: where a uid stands on two rows.
        """
        head = stage.trained_head
        loaded = stage.rows()
        if not len(loaded):
            raise TrainingError(
                f"The stage on {stage.task.name} has no rows to train on; check the transforms before it."
            )
        head.check(loaded)
        stamped = loaded if UID in loaded.column_names else with_uid(loaded)
        read = dict.fromkeys([*head.reads, UID, "weight"])
        data = stamped.select_columns([one for one in read if one in stamped.column_names])
        table = table_of(data)
        table = table.sort_by(UID)  # the order of the rows decides nothing
        data = Dataset(table, info=data.info, fingerprint=f"{key('fit', data._fingerprint):016x}")  # noqa: SLF001 (no public name)
        records = tuple(one.to_dict() for one in history(loaded))
        return cls(data, checked(table.column(UID)), digest_table(table, dict(data.features)), records)
