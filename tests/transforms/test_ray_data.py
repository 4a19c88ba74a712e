"""Ray Data: batches on other processes give the rows of a call in this one, byte for byte once sorted by uid."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import xquality as xq
from xquality import toy
from xquality.data._datasets import table_of

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
ray = pytest.importorskip("ray", reason="pip install 'xquality[ray]'")

SPOIL = (
    xq.Subsample(fraction=0.5, exact=False)
    >> xq.LabelNoise(rate=0.2, exact=False)
    >> xq.TranslationNoise(severity=0.3)
    >> xq.LabelNoise(rate=0.1, exact=False)
)


@pytest.fixture(scope="module", autouse=True)
def running_ray() -> Iterator[None]:
    """Start Ray on this machine for the tests of this module."""
    pytest.importorskip("ray.data", reason="pip install 'xquality[ray]'")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def test_ray_data_gives_the_rows_of_one_process() -> None:
    data = xq.with_uid(toy.topics.load("es", "train"))
    shuffled = table_of(data.shuffle(seed=3))
    rows = ray.data.from_arrow([shuffled.slice(start, 130) for start in range(0, len(shuffled), 130)])
    spoiled = rows.map_batches(
        SPOIL.batches(1, features=data.features), batch_format="pyarrow", batch_size=37, zero_copy_batch=True
    )
    found = pa.concat_tables(ray.get(spoiled.to_arrow_refs())).sort_by("uid").combine_chunks()
    wanted = table_of(SPOIL(data, seed=1)).sort_by("uid").combine_chunks()
    assert 400 < len(found) < 600
    assert found.replace_schema_metadata(None).equals(wanted.replace_schema_metadata(None))


def test_the_example_gives_one_digest(tmp_path: Path) -> None:
    path = Path(__file__).resolve().parents[2] / "examples" / "ray_data.py"
    spec = importlib.util.spec_from_file_location("ray_data", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    here, on_ray = example.main(tmp_path)
    assert here == on_ray
