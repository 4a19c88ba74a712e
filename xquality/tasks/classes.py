"""Class names of labels and tags, matched by name, so that the order that the data have them in does not matter."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset, Features, LargeList, List

from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.arrow import get_column, is_text, replace_column
from xquality.errors import ColumnError, LabelError


def with_classes(data: Dataset, name: str, names: Sequence[str]) -> Dataset:
    """Return the data with a column as classes of the given names, or as lists of such classes.

    Names are matched as they are, classes of another order by their names; integers are taken as they are. Where there
    is no label (null, or -1), there still is none.

    Args:
        data: the rows.
        name: the column, of labels or of lists of labels.
        names: the class names in their order.

    Raises:
        ColumnError: for a missing column.
        LabelError: for a label that is none of the classes.

    Example:
        >>> tagged = with_classes(Dataset.from_dict({"tags": [["B", "O"], []]}), "tags", ("O", "B"))
        >>> tagged["tags"][:], tagged.features["tags"].feature.names
        ([[1, 0], []], ['O', 'B'])
    """
    values = get_column(table_of(data), name, "Task.load")
    feature: Any = data.features[name]
    listed = isinstance(feature, List | LargeList)
    inner = feature.feature if listed else feature
    if isinstance(inner, ClassLabel) and list(inner.names) == list(names):
        return data
    wanted = ClassLabel(names=list(names))
    if listed:
        lists = pa.array([], values.type) if not values.num_chunks else values.combine_chunks()
        flat = _codes(pa.chunked_array([lists.flatten()]), inner, names).combine_chunks()
        codes: Any = relisted(flat, lists.value_lengths(), lists.is_null())
    else:
        codes = _codes(values, inner, names)
    features = Features({**data.features, name: List(wanted) if listed else wanted})
    fingerprint = derive_fingerprint(data, "classes", name, *names)
    return dataset_of(replace_column(table_of(data), name, codes), features, like=data, fingerprint=fingerprint)


def _codes(values: pa.ChunkedArray, feature: Any, names: Sequence[str]) -> pa.ChunkedArray:
    """Return class numbers."""
    if isinstance(feature, ClassLabel):  # by name, so that none is mistaken
        known = pa.array([*feature.names, None])
        places = pc.if_else(pc.less(values, 0), len(feature.names), pc.coalesce(values, len(feature.names)))
        values = pa.chunked_array([known.take(one) for one in places.chunks], pa.string())
    elif not (is_text(values.type) or _countable(values.type)):
        raise ColumnError(f"Class names or numbers were expected, but the column holds {values.type}; convert it.")
    present = [one for one in values.unique().to_pylist() if one is not None]
    numbers = all(isinstance(one, int) and -1 <= one < len(names) for one in present)
    if not numbers and any(one not in names for one in present):
        strange = sorted(str(one) for one in present if one not in names)
        raise LabelError(f"The labels {list(names)} were expected, but the data have {strange}; check the revision.")
    return values.cast(pa.int64()) if numbers else pc.index_in(values, pa.array(names)).cast(pa.int64())


def _countable(kind: pa.DataType) -> bool:
    """Say whether a column can hold numbers that may be classes; a column of nothing but nulls can."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))


def relisted(values: pa.Array, lengths: pa.Array, missing: pa.Array | None = None) -> pa.ListArray:
    """Return values one after the other as lists of the given lengths (a null length is 0), null where `missing`."""
    counts = pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, values, mask=missing)
