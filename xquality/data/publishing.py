"""xq.push_to_hub: upload rows and their card to the Hub; at no commit does a card describe different rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import datasets
from datasets import Dataset
from huggingface_hub import DatasetCard, HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
)

from xquality import _settings
from xquality.data.card import begin_mark, card, end_mark, escape, split_of
from xquality.errors import DataKindError, SettingError, UnreachableError, first_line

_README = "README.md"
_NO_CONNECTION = (ConnectionError, LocalEntryNotFoundError, HfHubHTTPError.__bases__[0])  # the last: its HTTP client's


def push_to_hub(data: Dataset, repository: str, *, private: bool | None = None, token: str | None = None) -> str:
    """Upload rows as parquet and then their card to a dataset repository of the Hub; return the commit that holds both.

    The rows are uploaded by `Dataset.push_to_hub`, as their split ("train" if they have none). The card is merged into
    the README of the repository: its YAML, your own text and the sections about other splits are kept. If the README
    has a section about this split already, that is removed first, so that an interrupted upload never leaves a card
    that describes different rows.

    Args:
        data: one split, with its history.
        repository: the Hub id, such as "user/name".
        private: whether a new repository is private; None for the default of its owner.
        token: a token with write access; None for that of the login on this machine.

    Returns:
        The commit, 40 hex digits, for example as the `revision` of a `HubSource`.

    Raises:
        DataKindError: if `data` is not a `Dataset`.
        SettingError: for an empty repository, or one whose name the Hub does not allow.
        UnreachableError: if the Hub cannot be reached, for example with HF_HUB_OFFLINE set.
        huggingface_hub.errors.HfHubHTTPError: if the Hub refuses, or the repository changed during the upload.
    """
    if not isinstance(data, Dataset):
        raise DataKindError(
            f"xq.push_to_hub uploads a Dataset, but got {type(data).__name__}; push one split at a time."
        )
    name = _settings.text("xq.push_to_hub", "repository", repository)
    written, split = card(data, repository=name), split_of(data)
    api = HfApi(endpoint=datasets.config.HF_ENDPOINT, token=token)
    with _name_hub_errors(name):
        before = _readme(api, name, None)
        if before is not None and begin_mark(split) in before:
            message = f"Remove the card of {split}, whose rows are replaced"
            _upload(api, name, remove_section(before, split), None, message)
        rows = data.push_to_hub(name, split=split, private=private, token=token)
        readme = merge_cards(_readme(api, name, rows.oid), written, split)
        return _upload(api, name, readme, rows.oid, f"Card of {split}")


@contextmanager
def _name_hub_errors(repository: str) -> Iterator[None]:
    """Raise typed errors in place of those for no connection and for a name that the Hub does not allow."""
    try:
        yield
    except HFValidationError as error:
        raise SettingError(
            f"xq.push_to_hub(repository={repository!r}) must be a Hub id such as 'user/name' ({first_line(error)})."
        ) from error
    except Exception as error:
        is_answer = isinstance(error, HfHubHTTPError) and not isinstance(error, LocalEntryNotFoundError)
        if is_answer or not isinstance(error, _NO_CONNECTION):
            raise
        raise UnreachableError(
            f"The Hub could not be reached to push {repository} ({first_line(error)}); connect, unset HF_HUB_OFFLINE "
            "and push again, or keep the rows by xq.save."
        ) from error


def merge_cards(present: str | None, written: str, split: str) -> str:
    """Return the README of a repository with the card of a split merged into it.

    Args:
        present: the README; None if there is none.
        written: what `card` returned.
        split: the split's name.

    Returns:
        A README with the YAML of `present`, whose languages and tags are extended, and with the section about the
        split in place of an older one, or last.
    """
    if present is None:
        return written
    old, new = DatasetCard(present), DatasetCard(written)
    begin, end = _section(old.text, split)
    heading = f"# {escape(str(old.data.get('pretty_name')))}\n"
    ours = heading in old.text[begin:end]  # the name was given by an older card
    for name in ("language", "pretty_name", "tags"):
        known, value = old.data.get(name), new.data.get(name)
        if isinstance(value, list) and known is not None:
            old.data[name] = list(dict.fromkeys([*([known] if isinstance(known, str) else known), *value]))
        elif known is None or ours:
            old.data[name] = value
    sections = (old.text[:begin].strip(), new.text.strip(), old.text[end:].strip())
    text = "\n\n".join(section for section in sections if section)
    return f"---\n{old.data.to_yaml()}\n---\n\n{text}\n"


def remove_section(present: str, split: str) -> str:
    """Return a README in which a note that rows are being replaced stands in place of the section about a split."""
    old = DatasetCard(present)
    begin, end = _section(old.text, split)
    note = f"The rows of {split} are being replaced. If this note stays, the upload was interrupted: push them again."
    section = f"{begin_mark(split)}\n\n{note}\n\n{end_mark(split)}"
    return f"---\n{old.data.to_yaml()}\n---\n{old.text[:begin]}{section}{old.text[end:]}"


def _section(text: str, split: str) -> tuple[int, int]:
    """Return where the section about a split begins and ends; the end of the text twice if there is none."""
    begin = text.find(begin_mark(split))
    end = text.find(end_mark(split), begin)
    return (begin, end + len(end_mark(split))) if 0 <= begin < end else (len(text), len(text))


def _readme(api: HfApi, repository: str, revision: str | None) -> str | None:
    """Return the README of a repository; None if there is none."""
    try:
        return Path(api.hf_hub_download(repository, _README, repo_type="dataset", revision=revision)).read_text("utf-8")
    except (RemoteEntryNotFoundError, RepositoryNotFoundError):  # other errors mean that it is not known
        return None


def _upload(api: HfApi, repository: str, text: str, parent: str | None, message: str) -> str:
    """Commit the README of a repository on top of the given commit and no other; return the new commit."""
    made = api.upload_file(
        path_or_fileobj=text.encode(),
        path_in_repo=_README,
        repo_id=repository,
        repo_type="dataset",
        commit_message=message,
        parent_commit=parent,
    )
    return str(made.oid)
