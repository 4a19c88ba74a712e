import numpy as np
import pyarrow as pa
from datasets import Dataset, Features, Value

import xquality as xq
from xquality.arrow import dataset_of, table_of

LONG = Features({"text": Value("large_string")})


def test_large_strings_and_broken_chunks_come_out_as_they_went_in():
    texts = [f"uno dos tres {one}" for one in range(40)]
    plain = xq.with_uid(Dataset.from_dict({"text": texts}))
    wide = xq.with_uid(Dataset.from_dict({"text": texts}, features=LONG))
    parts = pa.concat_tables([table_of(plain).slice(start, 7) for start in range(0, 40, 7)])
    broken = dataset_of(parts, plain.features, like=plain, fingerprint="broken")
    noise = xq.TranslationNoise(0.5)
    after = noise(plain, seed=1)
    assert noise(wide, seed=1).features["text"] == LONG["text"]
    assert noise(wide, seed=1)["text"][:] == noise(broken, seed=1)["text"][:] == after["text"][:]


def test_the_counts_of_a_record_are_those_of_all_columns():
    data = Dataset.from_dict({"a": ["uno dos tres"] * 200, "b": ["one two"] * 200})
    record = xq.history(xq.TranslationNoise(0.4, columns=("a", "b"), errors=("repetition",))(data, seed=1))[-1]
    assert record.details["units"] == 1000
    assert abs(record.details["kinds"]["repetition"] - 400) < 4 * np.sqrt(1000 * 0.24)
    assert record.realised_rate == record.details["kinds"]["repetition"] / 1000
