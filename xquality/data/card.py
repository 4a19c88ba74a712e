"""xq.card: the dataset card, the README that the Hub shows, written from the history of a dataset.

Text of the user's is escaped by the rules of CommonMark with GitHub's tables, which the Hub renders.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from datasets import ClassLabel, Dataset
from huggingface_hub import DatasetCardData

from xquality.data.digest import digest
from xquality.data.provenance import history, origins, parts_of, user_description
from xquality.errors import DataKindError
from xquality.languages import members
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
_CLASSES = 20  # names of classes that are listed for a column
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def card(data: Dataset, *, repository: str | None = None) -> str:
    """Return a dataset card in Markdown: YAML for the Hub, origin, every transform in order, digest, how to load.

    Text of the user's (settings, names, the description) is escaped; no path of this machine is written.
    `xq.save` writes the card as README.md, `xq.push_to_hub` uploads it.

    Args:
        data: the rows, with their history.
        repository: the Hub id that the rows will have, for the lines that load them.

    Raises:
        DataKindError: if `data` is not a `Dataset`.

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
    description = user_description(data)
    parts = [
        f"# {escape(name)}",
        f"{len(data):,} rows, made with {_versions(records)}; this card is written from the records that they carry.",
        *([code_block(description)] if description else []),
        "## Where the rows came from",
        _origin_table(sources),
        "## What was done to them",
        _transform_table(records),
        "## Columns",
        _column_table(data),
        "## How to load them again",
        _loading_code(digest(data), split, repository),
    ]
    body = "\n\n".join(parts).replace("<!-- xquality:", "<!- xquality:")  # no text of the user's may end this section
    return f"---\n{_front_matter(records, sources, name)}\n---\n\n{begin_mark(split)}\n\n{body}\n\n{end_mark(split)}\n"


def split_of(data: Dataset) -> str:
    """Return the name of the split that rows are uploaded as; "train" if they have none."""
    return "train" if data.split is None else str(data.split)


def begin_mark(split: str) -> str:
    """Return the line that begins the section of a card about one split."""
    return f"<!-- xquality: {_comment(split)} -->"


def end_mark(split: str) -> str:
    """Return the line that ends the section of a card about one split."""
    return f"<!-- xquality: end of {_comment(split)} -->"


def _comment(split: str) -> str:
    """Return a split's name with every sign replaced that could end a comment."""
    return re.sub(r"[^\w.]", "_", split)


def _front_matter(records: Sequence[Record], sources: Sequence[Mapping[str, str]], name: str) -> str:
    """Return the card's YAML, with only values that are known and that the Hub accepts."""
    codes = dict.fromkeys(code for source in sources for code in members(source["language"]))
    done = dict.fromkeys(re.sub(r"(?<=[a-z])(?=[A-Z])", "-", record.transform).lower() for record in records)
    known = DatasetCardData(
        language=[code for code in codes if re.fullmatch("[a-z]{2,3}", code)] or None,
        pretty_name=name,
        tags=["xquality", *(name for name in done if re.fullmatch("[a-z0-9-]+", name))],
    )
    return str(known.to_yaml())


def _versions(records: Sequence[Record]) -> str:
    """Return the versions of the package that transformed the rows."""
    found = dict.fromkeys(str(record.versions["xquality"]) for record in records if "xquality" in record.versions)
    return " and ".join(f"xquality {escape(number)}" for number in found) or "xquality"


def _name(records: Sequence[Record], sources: Sequence[Mapping[str, str]]) -> str:
    """Return a name made of the sources and the transforms."""
    rows = " and ".join(f"{source['task']} ({source['language']}, {source['split']})" for source in sources) or "Rows"
    done = list(dict.fromkeys(record.transform for record in records))
    return f"{rows} after {', '.join(done)}" if done else rows


def _origin_table(sources: Sequence[Mapping[str, str]]) -> str:
    """Return the table of tasks, languages and splits that the rows were loaded as."""
    if not sources:
        return "No task loaded these rows, so nothing is recorded of their origin."
    names = ("task", "language", "split")
    return make_table(names, ([inline_code(source[name]) for name in names] for source in sources))


def _transform_table(records: Sequence[Record]) -> str:
    """Return the table of every transform in order."""
    if not records:
        return "No transform was applied."
    return make_table(_STEPS, (_transform_row(number, record) for number, record in _number_records(records, "")))


def _number_records(records: Sequence[Record], prefix: str) -> Iterator[tuple[str, Record]]:
    """Yield every record with its number, those of concatenated parts below the step that concatenated them."""
    for step, record in enumerate(records, 1):
        yield f"{prefix}{step}", record
        for part, inner in enumerate(parts_of(record), 1):
            yield from _number_records(inner, f"{prefix}{step}.{part}.")


def _transform_row(number: str, record: Record) -> list[str]:
    """Return one row of the table of transforms."""
    hidden = ("parts",) if parts_of(record) else ()
    settings = {name: value for name, value in record.settings.items() if name not in hidden}
    counts = (record.seed, record.rows_before, record.rows_after, record.changed)
    return [
        number,
        inline_code(record.transform),
        inline_json(settings) if settings else "",
        *("" if count is None else escape(str(count)) for count in counts),
        "" if record.realised_rate is None else f"{record.realised_rate:.6g}",
        escape(str(record.versions.get("algorithm", ""))),
        inline_json(record.details) if record.details else "",
    ]


def _column_table(data: Dataset) -> str:
    """Return the table of columns: their types, and the meaning of those that transforms added."""
    rows = (
        [inline_code(name), _kind(feature), _meaning(name, data.column_names)]
        for name, feature in data.features.items()
    )
    return make_table(("column", "holds", "what it is"), rows)


def _kind(feature: Any) -> str:
    """Return the type of a feature."""
    if isinstance(feature, ClassLabel):
        more = f" and {len(feature.names) - _CLASSES} more" if len(feature.names) > _CLASSES else ""
        return f"classes: {', '.join(map(inline_code, feature.names[:_CLASSES]))}{more}"
    if isinstance(getattr(feature, "feature", None), ClassLabel):
        return f"lists of {_kind(feature.feature)}"
    return inline_code(str(getattr(feature, "dtype", feature) if not hasattr(feature, "feature") else feature))


def _meaning(name: str, names: Sequence[str]) -> str:
    """Return the meaning of a column that a transform added; "" for other columns."""
    base, _, ending = name.rpartition("_")
    if name == "uid":
        return "the row's identity, which every draw is keyed by"
    if ending == "before" and base in names:
        return f"the first value of {inline_code(base)}; null where it was never changed"
    if ending == "given" and base in names:
        return f"the value of {inline_code(base)} that a filter replaced; null elsewhere"
    if name.removesuffix("_label_issue") in {*names} - {name}:
        return f"whether a filter flagged {inline_code(name.removesuffix('_label_issue'))} as wrong"
    return {"label_issue": "whether a filter flagged the label as wrong", "weight": "the row's weight in training"}.get(
        name, ""
    )


def _loading_code(content: str, split: str, repository: str | None) -> str:
    """Return code that loads the rows and checks their digest."""
    if repository is None:
        read = ["import xquality as xq", "", 'data = xq.load("FOLDER")  # the folder that xq.save wrote']
    else:
        read = ["import xquality as xq", "from datasets import load_dataset", ""]
        read.append(f"data = load_dataset({json.dumps(repository)}, split={json.dumps(split)})")
    return code_block("\n".join([*read, f'assert xq.digest(data) == "{content}"']), "python")


def escape(text: str) -> str:
    r"""Return text escaped for Markdown, on one line.

    Example:
        >>> print(escape("a *b* | c"))
        a \*b\* \| c
    """
    return _MARKUP.sub(r"\\\1", _visible(" ".join(text.split())))


def inline_code(text: str) -> str:
    r"""Return text as inline code, on one line; unprintable characters and backslashes are written as in JSON.

    Example:
        >>> print(inline_code("a|b"), inline_code("`"), inline_code("two\nlines"))
        `a\|b` `` ` `` `two\nlines`
    """
    return _inline(_visible(text.replace("\\", "\\\\")))


def inline_json(value: Any) -> str:
    r"""Return a plain JSON value as inline code.

    Example:
        >>> print(inline_json({"column": "a|b"}))
        `{"column": "a\|b"}`
    """
    return _inline(_visible(json.dumps(value, ensure_ascii=False)))


def code_block(text: str, language: str = "text") -> str:
    """Return text as a fenced code block, with a fence longer than any in the text."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def make_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown, each on one line and without an unescaped `|`."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _visible(text: str) -> str:
    """Return text with unprintable characters, such as line ends, written as in JSON."""
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


def _inline(text: str) -> str:
    """Return text on one line as inline code. Backslashes before a `|` come in pairs, so one more escapes it."""
    mark = "`" * (_longest_run(text) + 1)
    space = " " if not text or text[0] in "` " or text[-1] in "` " else ""
    return f"{mark}{space}{text or ' '}{space}{mark}".replace("|", "\\|")


def _longest_run(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
