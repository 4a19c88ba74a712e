"""Model: a network with its tokenizer, as training leaves it and evaluation takes it; and how to find a start."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, final

from safetensors import SafetensorError

from xquality._files import write_text
from xquality.errors import ModelError, first_line

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


_FILE = "xquality-model.json"
_VOLATILE = frozenset({"_name_or_path", "transformers_version", "architectures", "dtype"})


@final
@dataclass(frozen=True)
class Model:
    """A network, its tokenizer and what its head gives.

    Attributes:
        network: the model, on its device.
        tokenizer: the tokenizer it was trained with.
        max_length: the longest row it was trained on, in tokens.
        signature: the head's label space, as `Head.signature` gives it.
    """

    network: "PreTrainedModel" = field(repr=False)
    tokenizer: "PreTrainedTokenizerBase" = field(repr=False)
    max_length: int
    signature: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """The digest of weights, configuration and tokenizer, 32 hex digits: everything that decides predictions."""
        settings = {name: one for name, one in self.network.config.to_dict().items() if name not in _VOLATILE}
        pieces = json.loads(self.tokenizer.backend_tokenizer.to_str())
        pieces = {name: one for name, one in pieces.items() if name not in ("padding", "truncation")}  # set by use
        written = json.dumps([settings, pieces, self.max_length], sort_keys=True, default=str)
        whole = hashlib.blake2b(written.encode(), digest_size=16)
        whole.update(weights_digest(self.network).encode())
        return whole.hexdigest()

    def encoder(self) -> "PreTrainedModel":
        """Return the network without its head."""
        inner: Any = self.network.base_model
        return cast("PreTrainedModel", inner)

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), configuration, tokenizer and what the head gives into an empty folder."""
        with quiet():
            self.network.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        kept = {"max_length": self.max_length, "signature": dict(self.signature)}
        write_text(folder / _FILE, json.dumps(kept, ensure_ascii=False, sort_keys=True))


def load(folder: Path) -> Model:
    """Return the model that `Model.save` wrote.

    Raises:
        ModelError: where the folder was not written by it, or its weights cannot be loaded.
    """
    from transformers import AutoTokenizer

    if not is_fitted(folder):
        raise ModelError(f"{folder} holds no model that fit trained; give the folder that Fitted.save wrote.")
    kept = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    network = load_network(folder)
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return Model(network, tokenizer, kept["max_length"], kept["signature"])


def is_fitted(folder: Path) -> bool:
    """Say whether `Model.save` wrote the folder."""
    return (folder / _FILE).is_file()


def weights_digest(network: "PreTrainedModel") -> str:
    """Return the digest of all weights and buffers: their names, types, shapes and bytes."""
    import torch

    whole = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(network.state_dict().items()):
        whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        whole.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return whole.hexdigest()


def load_network(folder: Path) -> "PreTrainedModel":
    """Return the model saved in `folder` with the class that its configuration names.

    Raises:
        ModelError: where the folder holds no model of a class that transformers has.
    """
    import transformers

    with quiet():
        try:
            configuration = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
            kind = getattr(transformers, (configuration.architectures or [""])[0], None)
            if not (isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)):
                raise ModelError(
                    f"{folder} names the model class {configuration.architectures}, which transformers does not have."
                )
            network: PreTrainedModel = kind.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as fault:
            raise ModelError(
                f"{folder} holds no model that can be loaded ({first_line(fault)}); name another folder."
            ) from fault
    network.eval()  # type: ignore[no-untyped-call]  # torch's own
    return network


def load_encoder(model: str | Path) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Return the encoder alone, without any head, and its tokenizer, from a local folder or the Hub (`id@revision`).

    Files from the Hub that prove damaged, in the cache or on their way, are fetched once more.

    Raises:
        ModelError: where neither a folder nor a repository of that name can be loaded.
    """
    folder = Path(model).is_dir()
    name, _, revision = (str(model), "", "") if folder else str(model).partition("@")
    try:
        network, tokenizer = _pretrained(name, revision or "main", again=False, retry=not folder)
    except Exception as fault:  # the libraries for weights, tokenizers and the network raise many kinds
        raise ModelError(
            f"The model {str(model)!r} could not be loaded ({first_line(fault)}); name a local folder or a "
            "Hub id that this machine can reach."
        ) from fault
    if not hasattr(tokenizer, "backend_tokenizer") or tokenizer.pad_token_id is None:
        raise ModelError(f"The model {str(model)!r} has no fast tokenizer with a pad token; choose another model.")
    return network.eval(), tokenizer


def _pretrained(name: str, revision: str, *, again: bool, retry: bool) -> tuple[Any, Any]:
    """Return network and tokenizer, fetched again where asked, or where `retry` allows and what is there is damaged."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    try:
        with quiet():
            torch.manual_seed(0)  # what a checkpoint lacks (a pooler, say) is drawn, and must be drawn alike
            network = AutoModel.from_pretrained(name, revision=revision, dtype=torch.float32, force_download=again)
            return network, AutoTokenizer.from_pretrained(name, revision=revision, force_download=again)
    except Exception as fault:
        # The Hub's client raises a plain OSError where a size is wrong; faults with a cause are the network's own.
        torn = isinstance(fault, SafetensorError | ValueError) or isinstance(fault.__context__, json.JSONDecodeError)
        if not retry or not (torn or (type(fault) is OSError and fault.__cause__ is None)):
            raise
    return _pretrained(name, revision, again=True, retry=False)


@contextmanager
def on_best_device(network: "PreTrainedModel") -> Iterator[None]:
    """Have the network on a GPU meanwhile, where there is one, and put it back."""
    import torch

    before = network.device
    if torch.cuda.is_available():
        network.to("cuda")  # type: ignore[arg-type]  # torch's own
    try:
        yield
    finally:
        if network.device != before:
            network.to(before)  # type: ignore[arg-type]  # torch's own


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from printing about heads that are fresh on purpose; its settings are put back."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # transformers' own
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
