"""Rows that are spoiled on Ray Data, on this machine or on a cluster, are those of one process, byte for byte.

`transform.batches(seed)` is a function of Arrow tables. Every draw is keyed by the row's uid, so it does not matter how
the rows are cut into batches, which machine works on which, and in which order they come back.

    pip install 'xquality[ray]'
    python examples/ray_data.py --folder runs/ray_data
    python examples/ray_data.py --folder /shared/ray_data --address ray://head:10001    # a cluster that sees the folder
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere

import numpy as np
import ray
from datasets import Dataset

import xquality as xq
from xquality import toy

SHARDS = 4
SPOIL = (
    xq.Subsample(fraction=0.5, exact=False)  # without an exact share each row is drawn alone, as batches need it
    >> xq.LabelNoise(rate=0.2, exact=False)
    >> xq.TranslationNoise(severity=0.3)
)


def write_shards(data: Dataset, folder: Path) -> None:
    """Write the rows to parquet files, as data too large for one machine would lie there; each row has its uid."""
    for number in range(SHARDS):
        data.shard(SHARDS, number).to_parquet(folder / f"{number:02d}.parquet")


def spoil_on_ray(rows: Path, spoiled: Path, data: Dataset, seed: int) -> Dataset:
    """Spoil the rows of a folder on Ray Data into another folder, and return them sorted by uid."""
    # The features say what the numbers of a label column mean; an engine may drop the metadata that hold them.
    function = SPOIL.batches(seed, features=data.features)
    ray.data.read_parquet(str(rows)).map_batches(function, batch_format="pyarrow").write_parquet(str(spoiled))
    files = [str(file) for file in sorted(spoiled.glob("*.parquet"))]
    return sort_by_uid(Dataset.from_parquet(files, cache_dir=str(spoiled.parent / "cache")))


def sort_by_uid(data: Dataset) -> Dataset:
    """Return the rows in the order of their uids."""
    return data.select(np.argsort(data["uid"][:]))


def main(folder: Path, address: str | None = None) -> tuple[str, str]:
    """Spoil the same rows in this process and on Ray, and return both digests."""
    data = xq.with_uid(toy.topics.load("es", "train"))
    rows = folder / "rows"
    rows.mkdir(parents=True, exist_ok=True)
    write_shards(data, rows)
    started = not ray.is_initialized()
    if started:
        ray.init(address, include_dashboard=False) if address is None else ray.init(address)
    try:
        spoiled = spoil_on_ray(rows, folder / "spoiled", data, seed=1)
    finally:
        if started:
            ray.shutdown()
    wanted = sort_by_uid(SPOIL(data, seed=1))
    digests = xq.digest(wanted), xq.digest(spoiled)
    print(f"{data.num_rows} rows, {wanted.num_rows} spoiled in one process: {digests[0]}")
    print(f"{data.num_rows} rows, {spoiled.num_rows} spoiled on Ray Data:    {digests[1]}")
    return digests


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs/ray_data"), help="for the rows and the results")
    parser.add_argument("--address", help="of a Ray cluster; left out, Ray is started on this machine")
    arguments = parser.parse_args()
    first, second = main(arguments.folder, arguments.address)
    assert first == second
