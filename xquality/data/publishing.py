"""push_to_hub: rows and their card on the Hub, with no moment at which a card tells of other rows."""

from pathlib import Path

import datasets
from datasets import Dataset
from huggingface_hub import DatasetCard, HfApi
from huggingface_hub.errors import RemoteEntryNotFoundError, RepositoryNotFoundError

from xquality import _settings
from xquality.data.card import begin_mark, card, end_mark, split_of
from xquality.data.markdown import plain
from xquality.errors import DataKindError

_README = "README.md"


def push_to_hub(data: Dataset, repository: str, *, private: bool | None = None, token: str | None = None) -> str:
    """Upload rows as parquet and then their card to a dataset repository of the Hub; return the commit that holds both.

    The rows are uploaded by `Dataset.push_to_hub`, as the split they are (`train` where they have none). The card is
    merged into the repository's: what `Dataset.push_to_hub` wrote at its top stays, and so do a text of your own and
    what was said of other splits. Where the repository has a card of these rows already, that part is taken out first,
    so that an upload that breaks off leaves no card that tells of other rows.

    Args:
        data: one split, with its history.
        repository: the Hub id, such as "user/name".
        private: whether a new repository is private; None for the organisation's default.
        token: a token that may write; None for the one that was logged in with.

    Returns:
        The commit, 40 hex digits, for example as the `revision` of a `HubSource`.

    Raises:
        DataKindError: where `data` is not a `Dataset`.
        SettingError: for an empty repository.
        huggingface_hub.errors.HfHubHTTPError: where the Hub refuses, or another commit came in between.
    """
    if not isinstance(data, Dataset):
        raise DataKindError(
            f"xq.push_to_hub uploads a Dataset, but got {type(data).__name__}; push one split at a time."
        )
    name = _settings.text("xq.push_to_hub", "repository", repository)
    written, split = card(data, repository=name), split_of(data)
    api = HfApi(endpoint=datasets.config.HF_ENDPOINT, token=token)
    before = _readme(api, name, None)
    if before is not None and begin_mark(split) in before:
        _upload(api, name, without(before, split), None, f"Take out the card of {split}, whose rows are replaced")
    rows = data.push_to_hub(name, split=split, private=private, token=token)
    return _upload(api, name, merged(_readme(api, name, rows.oid), written, split), rows.oid, f"Card of {split}")


def merged(present: str | None, written: str, split: str) -> str:
    """Return a README that has what stands in the repository, and the card of a split.

    Args:
        present: the repository's README; None where there is none.
        written: what `card` returned.
        split: the split's name.

    Returns:
        The text of both. At the top, what stands there is kept, and languages and tags are joined; the part that tells
        of the split takes the place of an older one, or comes last.
    """
    if present is None:
        return written
    old, new = DatasetCard(present), DatasetCard(written)
    begin, end = _place(old.text, split)
    ours = f"# {plain(str(old.data.get('pretty_name')))}\n" in old.text[begin:end]  # the name that an older card gave
    for name in ("language", "pretty_name", "tags"):
        there, value = old.data.get(name), new.data.get(name)
        if isinstance(value, list) and there is not None:
            old.data[name] = list(dict.fromkeys([*([there] if isinstance(there, str) else there), *value]))
        elif there is None or ours:
            old.data[name] = value
    text = "\n\n".join(one for one in (old.text[:begin].strip(), new.text.strip(), old.text[end:].strip()) if one)
    return f"---\n{old.data.to_yaml()}\n---\n\n{text}\n"


def without(present: str, split: str) -> str:
    """Return a README without the part that tells of a split; in its place it says that the rows are being replaced."""
    old = DatasetCard(present)
    begin, end = _place(old.text, split)
    note = f"The rows of {split} are being replaced. Where this stays, the upload broke off: push them again."
    said = f"{begin_mark(split)}\n\n{note}\n\n{end_mark(split)}"
    return f"---\n{old.data.to_yaml()}\n---\n{old.text[:begin]}{said}{old.text[end:]}"


def _place(text: str, split: str) -> tuple[int, int]:
    """Return where the part of a split begins and ends; the end of the text twice where there is none."""
    begin = text.find(begin_mark(split))
    end = text.find(end_mark(split), begin)
    return (begin, end + len(end_mark(split))) if 0 <= begin < end else (len(text), len(text))


def _readme(api: HfApi, repository: str, revision: str | None) -> str | None:
    """Return the README of a repository; None where there is none."""
    try:
        return Path(api.hf_hub_download(repository, _README, repo_type="dataset", revision=revision)).read_text("utf-8")
    except (RemoteEntryNotFoundError, RepositoryNotFoundError):  # not one that no connection found
        return None


def _upload(api: HfApi, repository: str, text: str, parent: str | None, message: str) -> str:
    """Write the README of a repository, on top of the given commit and no other; return the commit."""
    made = api.upload_file(
        path_or_fileobj=text.encode(),
        path_in_repo=_README,
        repo_id=repository,
        repo_type="dataset",
        commit_message=message,
        parent_commit=parent,
    )
    return str(made.oid)
