"""Checkpoints of neural translation models: where they are, what they read, and how each family names a language.

Marian (OPUS-MT), M2M100 and NLLB are read. A text is turned into token ids here and not by the tokenizer's own call,
so that no text is taken for a language code or for the end of a sentence, and no tokenizer keeps a language.
"""

import functools
import hashlib
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from xquality import _settings
from xquality._files import checksum
from xquality.errors import ModelError, SettingError, TranslationError, first_line
from xquality.languages import UNKNOWN, identity, script
from xquality.models.model import quiet_transformers
from xquality.translators.base import Pair

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Language = tuple[str, str]
"""The code of a language, as `xquality.languages.identity` writes it, and its script."""

_FILES: Final = ("*.json", "*.spm", "*.model", "*.safetensors")  # what decides a translation
_FAMILIES: Final = ("marian", "m2m_100", "nllb-moe")  # as configurations name them; NLLB is m2m_100 but for its codes
_NLLB_CODE: Final = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_MARIAN_NAME: Final = re.compile(
    r"opus-?mt(?:[-_](?:tc|big|base|bible|tiny|small))*[-_](?P<source>\w+)-(?P<target>\w+)"
)
_OTHER_CODES: Final = {"ns": "nso"}  # M2M100's own


def check_model(owner: str, name: str, value: object) -> str:
    """Return a local folder or a Hub id with its revision, as text; a check of a setting."""
    model = _settings.text(owner, name, str(value) if isinstance(value, Path) else value)
    if not Path(model).is_dir() and not all(model.partition("@")):
        raise SettingError(
            f"{owner}({name}={model!r}) is no folder here, and names no revision of the Hub; write it as id@commit, so "
            "that the translations are the same later."
        )
    return model


@final
@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint's tokenizer, configuration and languages, without its weights.

    Attributes:
        name: the last part of the folder's name or the Hub id.
        folder: where its files are.
        digest: of the files that decide a translation, 32 hex digits.
        family: "marian", "m2m100" or "nllb".
        configuration: of the network, as transformers reads it.
        tokenizer: as transformers reads it.
        sources: the languages that it reads, each with the token that names it; "" for none.
        targets: the languages that it writes, likewise.
    """

    name: str
    folder: Path
    digest: str
    family: str
    configuration: Any
    tokenizer: Any
    sources: Mapping[Language, str]
    targets: Mapping[Language, str]

    @functools.cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs of languages; those of one language in two scripts are left out."""
        found = ((first, second) for first, _ in self.sources for second, _ in self.targets if first != second)
        return tuple(dict.fromkeys(found))

    @property
    def most_tokens(self) -> int:
        """How many tokens the network reads at most, or writes."""
        return min(int(self.tokenizer.model_max_length), int(self.configuration.max_position_embeddings))

    def limit(self, most: int) -> int:
        """Return the most tokens of a translation, where `most` are wanted: Marian has no positions beyond its own."""
        return min(most, self.most_tokens - 1)

    def encode(self, texts: Sequence[str], source: str, target: str, *, truncate: bool) -> list[list[int]]:
        """Return the token ids of each text, with the family's language code and the end.

        Raises:
            TranslationError: where a text is too long for the network, and must not be truncated.
        """
        # Marian's tokenizer takes what stands between >> and << at the start of a text for a language code.
        shielded = [f" {text}" if text.startswith(">>") and self.family == "marian" else text for text in texts]
        with quiet_transformers():
            pieces = self.tokenizer(shielded, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        before, after = self._frame(source, target)
        room = self.most_tokens - len(before) - len(after)
        long = next((number for number, ids in enumerate(pieces) if len(ids) > room), None)
        if long is not None and not truncate:
            raise TranslationError(
                f"{self.name} reads {room} tokens, but {texts[long]!r:.80} has {len(pieces[long])}; split it into "
                "sentences, or set too_long='truncate'."
            )
        return [[*before, *ids[:room], *after] for ids in pieces]

    def start_id(self, target: str) -> int | None:
        """Return the id of the token that a translation begins with; None where the source names the language."""
        return None if self.family == "marian" else self._token_id(self.targets, target)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of the tokens of a translation, without codes of languages and other special tokens."""
        kept = [number for number in ids if number not in self._unwritten]
        # By default Marian's tokenizer joins pieces of the target language with the rules of the source language.
        options: dict[str, Any] = {"use_source_tokenizer": False} if self.family == "marian" else {}
        text: str = self.tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False, **options)
        return text

    @functools.cached_property
    def _unwritten(self) -> frozenset[int]:
        """The ids that are no part of a text."""
        codes = (token for _, token in _language_tokens(self.tokenizer, self.family))
        return frozenset([*self.tokenizer.convert_tokens_to_ids(list(codes)), *self.tokenizer.all_special_ids])

    def _frame(self, source: str, target: str) -> tuple[list[int], list[int]]:
        """Return the ids before and after those of a text."""
        end = int(self.tokenizer.eos_token_id)
        code = self._token_id(self.targets, target) if self.family == "marian" else self._token_id(self.sources, source)
        if getattr(self.tokenizer, "legacy_behaviour", False) and code is not None:  # of NLLB
            return [], [end, code]
        return [] if code is None else [code], [end]

    def _token_id(self, languages: Mapping[Language, str], language: str) -> int | None:
        """Return the id of the token that names a language; None where no token does."""
        token = languages[as_language(language)]
        return int(self.tokenizer.convert_tokens_to_ids(token)) if token else None


def as_language(code: str) -> Language:
    """Return the key of a language: its code and its script, so that simplified Chinese is not traditional Chinese."""
    code = _OTHER_CODES.get(code, code)
    return identity(code), script(code)


def open_checkpoint(model: str, given: tuple[Pair, ...] | None) -> Checkpoint:
    """Return a checkpoint of a local folder or of the Hub, from where it is downloaded once.

    Args:
        model: as `check_model` returns it.
        given: the pairs of languages that the user named, for a model that does not say them itself.

    Raises:
        ModelError: where the checkpoint cannot be read, or would translate wrongly.
    """
    folder = Path(model)
    if not folder.is_dir():
        folder = _download(model)
    files = sorted({file for pattern in _FILES for file in folder.glob(pattern)})
    signature = tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _open_folder(model, folder, signature, given)


def load_network(checkpoint: Checkpoint, precision: str) -> "PreTrainedModel":
    """Return the network of a checkpoint in a precision, in evaluation mode on the CPU; the last one is kept.

    Raises:
        ModelError: where it has no safetensors, lacks weights or cannot be loaded.
    """
    return _load_network(checkpoint, precision)


@functools.lru_cache(maxsize=16)
def _download(model: str) -> Path:
    """Return the folder of the Hub's cache that holds the files of a revision."""
    from huggingface_hub import snapshot_download

    name, _, revision = model.partition("@")
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_FILES)))
    except Exception as fault:  # the client raises many kinds
        raise ModelError(
            f"The model {model!r} could not be loaded ({first_line(fault)}); name a local folder or a Hub id and "
            "revision that this machine can reach."
        ) from fault


@functools.lru_cache(maxsize=16)
def _open_folder(
    model: str, folder: Path, signature: tuple[tuple[str, int, int], ...], given: tuple[Pair, ...] | None
) -> Checkpoint:
    """Return the checkpoint of a folder, whose files have the names, sizes and times of the signature."""
    name = Path(model if Path(model).is_dir() else model.partition("@")[0]).resolve().name
    if not any(file.endswith(".safetensors") for file, _, _ in signature):
        raise ModelError(
            f"{model} has no weights in safetensors, and other formats are not read, since they can run code; name a "
            "revision that has them, or convert the model where you trust it: AutoModelForSeq2SeqLM.from_pretrained("
            "...).save_pretrained(folder), and its tokenizer likewise."
        )
    configuration, tokenizer = _load_settings(model, folder)
    family = _family(configuration, tokenizer)
    _check_vocabulary(model, configuration, tokenizer, family)
    sources, targets = _read_languages(model, configuration, tokenizer, family, given)
    total = hashlib.blake2b(digest_size=16)
    for file, _, _ in signature:
        total.update(f"{file} {checksum(folder / file)}\n".encode())
    return Checkpoint(name, folder, total.hexdigest(), family, configuration, tokenizer, sources, targets)


def _load_settings(model: str, folder: Path) -> tuple[Any, Any]:
    """Return the configuration and the tokenizer of a folder."""
    from transformers import AutoConfig, AutoTokenizer

    try:
        with quiet_transformers(), warnings.catch_warnings(action="ignore"):  # sacremoses is recommended, but not used
            configuration = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            known = configuration.model_type in _FAMILIES
            tokenizer = None
            if known:
                tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as fault:  # the libraries raise many kinds
        raise ModelError(
            f"{model} holds no translation model that can be loaded ({first_line(fault)}); restore the folder, or name "
            "another one."
        ) from fault
    if not known:
        raise ModelError(
            f"{model} is of the family {configuration.model_type!r}, but Marian, M2M100 and NLLB are read; name "
            "another model, or make a FunctionTranslator of it."
        )
    return configuration, tokenizer


@functools.lru_cache(maxsize=1)
def _load_network(checkpoint: Checkpoint, precision: str) -> "PreTrainedModel":
    """Return the network of a checkpoint."""
    import torch
    from transformers import AutoModelForSeq2SeqLM

    from xquality.models.isolation import preserve_random_state

    try:
        with quiet_transformers(), preserve_random_state():
            network, found = AutoModelForSeq2SeqLM.from_pretrained(
                checkpoint.folder,
                dtype=getattr(torch, precision),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except Exception as fault:  # the libraries raise many kinds
        raise ModelError(
            f"The weights in {checkpoint.folder} cannot be loaded ({first_line(fault)}); restore them from a copy, or "
            "download them again."
        ) from fault
    wrong = sorted({*found["missing_keys"], *(str(key) for key in found["mismatched_keys"])})
    if wrong:
        raise ModelError(
            f"The weights in {checkpoint.folder} lack {len(wrong)} parts of the network, the first {wrong[0]!r}; they "
            "would be drawn at random. Restore them from a copy, or name another model."
        )
    return network.eval()  # type: ignore[no-any-return]  # torch's own


def _family(configuration: Any, tokenizer: Any) -> str:
    """Return the family of a checkpoint."""
    if configuration.model_type == "marian":
        return "marian"
    return "m2m100" if hasattr(tokenizer, "lang_token_to_id") else "nllb"


def _language_tokens(tokenizer: Any, family: str) -> list[tuple[str, str]]:
    """Return each language that a tokenizer has a token for, in the family's spelling, with the token."""
    if family == "marian":
        return [(token[2:-2], token) for token in tokenizer.supported_language_codes]
    if family == "m2m100":
        return list(tokenizer.lang_code_to_token.items())
    return [(token, token) for token in tokenizer.get_added_vocab() if _NLLB_CODE.fullmatch(token)]


def _check_vocabulary(model: str, configuration: Any, tokenizer: Any, family: str) -> None:
    """Raise `ModelError` where a tokenizer has no words, or more tokens than the network has embeddings."""
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    special = {*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens}
    if not vocabulary.keys() - special:
        raise ModelError(
            f"The tokenizer of {model} has {len(vocabulary)} tokens, all of them special, so that every word is "
            "unknown: transformers 5 makes such a one where tokenizer.json is missing. Add the tokenizer.json of the "
            "Hub's repository, or write one with transformers 4: AutoTokenizer.from_pretrained(...).save_pretrained()."
        )
    codes = [token for _, token in _language_tokens(tokenizer, family)]
    last = max([*vocabulary.values(), *tokenizer.convert_tokens_to_ids(codes)])
    if last >= configuration.vocab_size:
        raise ModelError(
            f"The tokenizer of {model} has token ids up to {last}, but its network has embeddings for "
            f"{configuration.vocab_size}; set vocab_size to {last + 1} or more where the model is made, or restore its "
            "files."
        )


def _read_languages(
    model: str, configuration: Any, tokenizer: Any, family: str, given: tuple[Pair, ...] | None
) -> tuple[dict[Language, str], dict[Language, str]]:
    """Return the languages that a checkpoint reads and those that it writes, each with its token."""
    tokens: dict[Language, str] = {}
    # Where several codes name a language in a script (cmn, cmn_Hans), the one that names the script comes first.
    for code, token in sorted(
        _language_tokens(tokenizer, family), key=lambda item: (script(item[0]) not in item[0], len(item[0]), item[0])
    ):
        tokens.setdefault(as_language(code), token)
    if family != "marian":
        return tokens, tokens
    if given is not None:
        pairs = given
    else:
        source, target = _name_pair(model, configuration, tokenizer)
        pairs = tuple((source, second) for second, _ in tokens) or ((source, target),)
        if script(source) == UNKNOWN or (not tokens and script(target) == UNKNOWN):
            raise ModelError(
                f"{model} does not say which languages it translates; name them, as in language_pairs=[('es', 'en')]."
            )
    return {as_language(first): "" for first, _ in pairs}, tokens or {as_language(second): "" for _, second in pairs}


def _name_pair(model: str, configuration: Any, tokenizer: Any) -> Pair:
    """Return the languages of a Marian model as its tokenizer, or else its name, has them; empty for none."""
    said = (str(tokenizer.source_lang or ""), str(tokenizer.target_lang or ""))
    names = (model.partition("@")[0], str(Path(model).resolve()), str(getattr(configuration, "_name_or_path", "")))
    found = (_MARIAN_NAME.search(name.rstrip("/").rsplit("/", 1)[-1]) for name in names)
    for source, target in (said, *((match["source"], match["target"]) for match in found if match)):
        if script(source) != UNKNOWN:
            return source, target
    return "", ""
