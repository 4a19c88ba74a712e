"""xq.digest: a hash of the content of a dataset, independent of how it is stored.

Two datasets have the same digest if they have the same columns in the same order, the same features and the same
values in the same row order. Chunks, slices, indices mappings, string widths and the bytes under nulls do not count.
"""

import hashlib
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.arrow import is_list, is_number, list_lengths
from xquality.errors import DataKindError

_WIDTHS = {"large_string": "string", "string_view": "string", "binary_view": "binary"}

Hash = Any  # hashlib has no public type for its objects


def digest(data: Dataset) -> str:
    """Return the digest of a dataset's content, 32 hex digits, the same in every process.

    It stays the same through `save_to_disk` and `load_from_disk`, and through a parquet round trip.

    Raises:
        DataKindError: if `data` is not a `Dataset`.

    Example:
        >>> from datasets import Dataset
        >>> data = Dataset.from_dict({"text": ["a", "b", "c"]})
        >>> digest(data.select([0, 2])) == digest(Dataset.from_dict({"text": ["a", "c"]}))
        True
    """
    if not isinstance(data, Dataset):
        raise DataKindError(f"xq.digest reads a Dataset, but got {type(data).__name__}; give one split.")
    return digest_table(table_of(data), dict(data.features))


def digest_table(table: pa.Table, features: dict[str, Any]) -> str:
    """Return the digest of a table whose columns have the given features, 32 hex digits."""
    whole = hashlib.blake2b(digest_size=16)
    for name in table.column_names:
        described = json.dumps([name, _describe(features[name]), len(table)], sort_keys=True, ensure_ascii=False)
        whole.update(hashlib.blake2b(described.encode(errors="surrogatepass"), digest_size=16).digest())
        leaves: dict[str, Hash] = {}
        column = table.column(name)
        for chunk in column.chunks or [column.combine_chunks()]:  # no chunk is as one without rows
            _hash_chunk(chunk, "", leaves)
        for path in sorted(leaves):
            whole.update(path.encode() + leaves[path].digest())
    return whole.hexdigest()


def _describe(feature: Any) -> Any:
    """Return a feature as JSON, the same for strings with 32- and 64-bit offsets and for views."""
    if isinstance(feature, dict):
        return {name: _describe(inner) for name, inner in feature.items()}
    if isinstance(feature, list):
        return [_describe(inner) for inner in feature]
    described = {"kind": type(feature).__name__}
    for name in ("dtype", "names", "length"):
        if getattr(feature, name, None) is not None:
            value = getattr(feature, name)
            described[name] = _WIDTHS.get(value, value) if name == "dtype" else value
    if hasattr(feature, "feature"):
        described["of"] = _describe(feature.feature)
    return described


def _hash_chunk(array: pa.Array, path: str, leaves: dict[str, Hash]) -> None:
    """Update the hashes of the leaves of a column with one chunk's validity, lengths and values."""

    def add(leaf: str, values: Any) -> None:
        leaves.setdefault(f"{path}/{leaf}", hashlib.blake2b(digest_size=16)).update(values)

    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    add("valid", np.asarray(array.is_valid(), np.uint8).data)
    if pa.types.is_null(array.type):
        return
    if pa.types.is_struct(array.type):
        for index, part in enumerate(array.type):
            _hash_chunk(pc.struct_field(array, index), f"{path}/{len(part.name)}:{part.name}", leaves)
        return
    if is_list(array.type):
        add("length", np.ascontiguousarray(list_lengths(array)).data)
        _hash_chunk(array.flatten(), f"{path}/item", leaves)
        return
    _hash_values(array, add)


def _hash_values(array: pa.Array, add: Any) -> None:
    """Hash strings as lengths and bytes, and numbers as little-endian values with 0 for each null."""
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_string_view(kind) or pa.types.is_decimal(kind):
        array, kind = array.cast(pa.large_string()), pa.large_string()
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        array, kind = array.cast(pa.large_binary()), pa.large_binary()
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        filled = pc.fill_null(array, "" if pa.types.is_large_string(kind) else b"")
        add("length", np.ascontiguousarray(pc.binary_length(filled).to_numpy(zero_copy_only=False)).data)
        offsets = np.frombuffer(filled.buffers()[1], np.int64)[filled.offset : filled.offset + len(filled) + 1]
        values = filled.buffers()[2]
        if values is not None and len(filled):
            add("value", memoryview(values)[int(offsets[0]) : int(offsets[-1])])
        return
    if pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif not is_number(kind):
        array = array.cast(pa.int32() if kind.bit_width == 32 else pa.int64())  # dates and times
    values = pc.fill_null(array, pa.scalar(0).cast(array.type)).to_numpy(zero_copy_only=False)
    if pa.types.is_floating(kind):
        values = np.where(np.isnan(values), np.array(np.nan, values.dtype), values)  # one NaN, whatever its bits
    add("value", np.ascontiguousarray(values).data)
