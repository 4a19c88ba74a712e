"""card: what a dataset is and how it came to be, as the README that the Hub shows for it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datasets import ClassLabel, Dataset
from huggingface_hub import DatasetCardData

from xquality.data.digest import digest
from xquality.data.markdown import code, fenced, json_code, plain, table
from xquality.data.provenance import history, origins, own_description
from xquality.errors import DataKindError
from xquality.languages import identity
from xquality.records import Record

_STEPS = (
    "step",
    "transform",
    "settings",
    "seed",
    "rows before",
    "rows after",
    "changed cells",
    "realised rate",
    "algorithm",
    "further counts",
)
_CLASSES = 20  # names of classes that are told of a column


def card(data: Dataset, *, repository: str | None = None) -> str:
    """Return a dataset card in Markdown: YAML for the Hub, origin, every transform in order, digest, how to load.

    Text of the user's (settings, names, the description) is escaped, and nothing is told of where files lie.
    `xq.save` writes the card as README.md, `xq.push_to_hub` uploads it.

    Args:
        data: the rows, with their history.
        repository: the Hub id that the rows will have, for the lines that load them.

    Raises:
        DataKindError: where `data` is not a `Dataset`.

    Example:
        >>> from xquality import LabelNoise, toy
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "train"), seed=1)
        >>> print(card(noisy).split("---")[1].strip())
        language:
        - es
        pretty_name: toy.topics (es, train) after LabelNoise
        tags:
        - xquality
        - label-noise
    """
    if not isinstance(data, Dataset):
        raise DataKindError(f"A card describes a Dataset, but got {type(data).__name__}; give one split.")
    records, sources, split = history(data), origins(data), split_of(data)
    name = _name(records, sources)
    description = own_description(data)
    parts = [
        f"# {plain(name)}",
        f"{len(data):,} rows, made with {_makers(records)}, told from the records that they carry.",
        *([fenced(description)] if description else []),
        "## Where the rows came from",
        _origin(sources),
        "## What was done to them",
        _steps(records),
        "## Columns",
        _columns(data),
        "## How to load them again",
        _loading(digest(data), split, repository),
    ]
    body = "\n\n".join(parts).replace("<!-- xquality:", "<!- xquality:")  # no text of anyone's ends this part
    return f"---\n{_head(records, sources, name)}\n---\n\n{begin_mark(split)}\n\n{body}\n\n{end_mark(split)}\n"


def split_of(data: Dataset) -> str:
    """Return the name of the split that rows are uploaded as."""
    return "train" if data.split is None else str(data.split)


def begin_mark(split: str) -> str:
    """Return the line that begins the part of a card that tells of one split."""
    return f"<!-- xquality: {_marked(split)} -->"


def end_mark(split: str) -> str:
    """Return the line that ends it."""
    return f"<!-- xquality: end of {_marked(split)} -->"


def _marked(split: str) -> str:
    """Return a split's name without what could end a comment."""
    return re.sub(r"[^\w.]", "_", split)


def _head(records: Sequence[Record], sources: Sequence[Mapping[str, str]], name: str) -> str:
    """Return the card's YAML: only values that the Hub accepts and that are known."""
    codes = dict.fromkeys(identity(one["language"]) for one in sources)
    done = dict.fromkeys(re.sub(r"(?<=[a-z])(?=[A-Z])", "-", one.transform).lower() for one in records)
    known = DatasetCardData(
        language=[one for one in codes if re.fullmatch("[a-z]{2,3}", one)] or None,
        pretty_name=name,
        tags=["xquality", *(one for one in done if re.fullmatch("[a-z0-9-]+", one))],
    )
    return str(known.to_yaml())


def _makers(records: Sequence[Record]) -> str:
    """Return the versions of the library that the rows went through."""
    found = dict.fromkeys(str(one.versions["xquality"]) for one in records if "xquality" in one.versions)
    return " and ".join(f"xquality {plain(one)}" for one in found) or "xquality"


def _name(records: Sequence[Record], sources: Sequence[Mapping[str, str]]) -> str:
    """Return a name that tells sources and transforms."""
    told = " and ".join(f"{one['task']} ({one['language']}, {one['split']})" for one in sources) or "Rows"
    done = list(dict.fromkeys(one.transform for one in records))
    return f"{told} after {', '.join(done)}" if done else told


def _origin(sources: Sequence[Mapping[str, str]]) -> str:
    """Return the table of tasks, languages and splits that the rows were loaded as."""
    if not sources:
        return "No task loaded these rows, so nothing is recorded of their origin."
    names = ("task", "language", "split")
    return table(names, ([code(one[name]) for name in names] for one in sources))


def _steps(records: Sequence[Record]) -> str:
    """Return the table of every transform in order."""
    if not records:
        return "No transform was applied."
    return table(_STEPS, (_step(place, one) for place, one in _numbered(records, "")))


def _numbered(records: Sequence[Record], above: str) -> Iterator[tuple[str, Record]]:
    """Yield every record with its number, those of joined parts below the step that joined them."""
    for place, one in enumerate(records, 1):
        yield f"{above}{place}", one
        parts = one.settings.get("parts", ()) if one.transform == "concatenate" else ()
        for part, inner in enumerate(parts, 1):
            yield from _numbered([Record.from_dict(single) for single in inner], f"{above}{place}.{part}.")


def _step(place: str, one: Record) -> list[str]:
    """Return one row of the table of transforms."""
    settings = {name: value for name, value in one.settings.items() if name != "parts"}
    counts = (one.seed, one.rows_before, one.rows_after, one.changed)
    return [
        place,
        code(one.transform),
        json_code(settings) if settings else "",
        *("" if count is None else str(count) for count in counts),
        "" if one.realised_rate is None else f"{one.realised_rate:.6g}",
        str(one.versions.get("algorithm", "")),
        json_code(one.details) if one.details else "",
    ]


def _columns(data: Dataset) -> str:
    """Return the table of columns: what each holds, and what those that were added mean."""
    rows = []
    for name, feature in data.features.items():
        rows.append([code(name), _kind(feature), _meaning(name, data.column_names)])
    return table(("column", "holds", "what it is"), rows)


def _kind(feature: Any) -> str:
    """Return what a feature holds."""
    if isinstance(feature, ClassLabel):
        more = f" and {len(feature.names) - _CLASSES} more" if len(feature.names) > _CLASSES else ""
        return f"classes: {', '.join(map(code, feature.names[:_CLASSES]))}{more}"
    if isinstance(getattr(feature, "feature", None), ClassLabel):
        return f"lists of {_kind(feature.feature)}"
    return code(str(getattr(feature, "dtype", feature) if not hasattr(feature, "feature") else feature))


def _meaning(name: str, names: Sequence[str]) -> str:
    """Return what a column means that a transform added."""
    base, _, ending = name.rpartition("_")
    if name == "uid":
        return "the row's identity, which every draw is keyed by"
    if ending == "before" and base in names:
        return f"the first value of {code(base)}; null where it was never changed"
    if ending == "given" and base in names:
        return f"the value of {code(base)} that a filter saw and replaced; null elsewhere"
    return {"label_issue": "whether a filter holds the label for wrong", "weight": "how much the row counts"}.get(
        name, ""
    )


def _loading(content: str, split: str, repository: str | None) -> str:
    """Return how to load the rows, and how to see that they are these."""
    if repository is None:
        read = ["import xquality as xq", "", 'data = xq.load("FOLDER")  # the folder that xq.save wrote']
    else:
        read = ["import xquality as xq", "from datasets import load_dataset", ""]
        read.append(f"data = load_dataset({json.dumps(repository)}, split={json.dumps(split)})")
    return fenced("\n".join([*read, f'assert xq.digest(data) == "{content}"']), "python")
