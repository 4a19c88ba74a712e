"""Model: a network with its tokenizer; loading fitted models and pretrained encoders."""

import hashlib
import html
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, final

from safetensors import SafetensorError

from xquality._stored import check_folder, read_json, write_checksums, write_json
from xquality._tables import printable
from xquality.errors import DamagedError, ModelError, XqualityError, first_line
from xquality.models._transformers import computation_settings, save_tokenizer, tokenizer_settings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_FILE = "xquality-model.json"
_STOPS = (KeyboardInterrupt, SystemExit, GeneratorExit)  # a damaged tokenizer raises another BaseException: a panic


@final
@dataclass(frozen=True, repr=False)
class Model:
    """A network with its tokenizer and the label space of its head.

    Attributes:
        network: the network, on its device.
        tokenizer: the tokenizer that the network was trained with.
        max_length: the longest row in tokens that it was trained on; 0 for an encoder without a head.
        signature: the head's label space, as `Head.signature` returns it; empty without a head.
    """

    network: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    max_length: int
    signature: Mapping[str, Any]

    def __repr__(self) -> str:
        weights = sum(weight.numel() for weight in self.network.parameters())
        labels = self.signature.get("labels") or ()
        shown = ", ".join(map(str, labels[:6])) + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
        head = f", head {self.signature['head']}" if self.signature.get("head") else ", no head"
        length = f", at most {self.max_length} tokens" if self.max_length else ""
        kind = type(self.network).__name__
        return f"<Model: {kind}, {weights:,} weights{head}{f' ({shown})' if labels else ''}{length}>"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(printable(repr(self)[1:-1]))}</p>"

    @cached_property
    def digest(self) -> str:
        """The digest of weights, configuration and tokenizer, 32 hex digits: of everything that decides predictions."""
        settings = [computation_settings(self.network), tokenizer_settings(self.tokenizer), self.max_length]
        serialised = json.dumps(settings, sort_keys=True, default=str)
        total = hashlib.blake2b(serialised.encode(), digest_size=16)
        total.update(weights_digest(self.network).encode())
        return total.hexdigest()

    def encoder(self) -> "PreTrainedModel":
        """Return the network without its head."""
        encoder: Any = self.network.base_model
        return cast("PreTrainedModel", encoder)

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), configuration, tokenizer and label space into an empty folder."""
        with quiet_transformers():
            self.network.save_pretrained(folder)
            save_tokenizer(self.tokenizer, folder)
        described = {"max_length": self.max_length, "signature": dict(self.signature)}
        write_json(folder / _FILE, {**described, "weights": weights_digest(self.network)})
        write_checksums(folder, {})


def load_model(folder: Path) -> Model:
    """Return the model that `Model.save` wrote.

    The files are compared with their checksums, and the weights with their digest.

    Raises:
        ModelError: where the folder was not written by it, or its files cannot be loaded.
        DamagedError: where a file has other content than was written.
    """
    from transformers import AutoTokenizer

    if not is_model_folder(folder):
        raise ModelError(f"{folder} holds no model that fit trained; give the folder that Fitted.save wrote.")
    check_folder(folder)
    described = read_json(folder / _FILE)
    max_length, signature = described.get("max_length"), described.get("signature")
    if not isinstance(max_length, int) or not isinstance(signature, dict):
        raise DamagedError(f"{folder / _FILE} does not describe a model; restore the folder from a copy.")
    network = _load_network(folder)
    if weights_digest(network) != described.get("weights"):
        raise DamagedError(f"{folder} has other weights than were written; restore it from a copy, or train it again.")
    with quiet_transformers(), _name_load_errors(folder):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if not hasattr(tokenizer, "backend_tokenizer"):
            raise ModelError(f"{folder} has no fast tokenizer; restore it from a copy, or train the model again.")
    return Model(network, tokenizer, max_length, signature)


def is_model_folder(folder: Path) -> bool:
    """Return whether `Model.save` wrote the folder."""
    return (folder / _FILE).is_file()


def weights_digest(network: "PreTrainedModel") -> str:
    """Return the digest of all weights and buffers: their names, types, shapes and bytes."""
    import torch

    total = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(network.state_dict().items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()


def _load_network(folder: Path) -> "PreTrainedModel":
    """Return the network saved in `folder`, of the class that its configuration names.

    Raises:
        ModelError: where the folder holds no model of a class that transformers has.
    """
    import transformers

    from xquality.models.mean_pooling import named_class

    with quiet_transformers(), _name_load_errors(folder):
        configuration = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        name = (configuration.architectures or [""])[0]
        kind = getattr(transformers, name, None) or named_class(name)
        if not (isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)):
            raise ModelError(
                f"{folder} names the model class {configuration.architectures}, which transformers does not have; "
                "install the version it was made with."
            )
        network: PreTrainedModel = kind.from_pretrained(folder, local_files_only=True)
    network.eval()  # type: ignore[no-untyped-call]  # torch's own
    return network


@contextmanager
def _name_load_errors(folder: Path) -> Iterator[None]:
    """Raise `ModelError` in place of the many kinds of errors that the libraries raise for damaged files."""
    try:
        yield
    except XqualityError:
        raise
    except BaseException as fault:
        if isinstance(fault, _STOPS):
            raise
        raise ModelError(
            f"{folder} holds no model that can be loaded ({first_line(fault)}); restore it from a copy, or name "
            "another folder."
        ) from fault


def load_encoder(model: str | Path) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Return an encoder without any head and its tokenizer, from a local folder or the Hub (`id@revision`).

    Damaged files of the Hub, in the cache or from the network, are downloaded once more. Code that a repository brings
    along (`auto_map` in its configuration) is never run.

    Raises:
        ModelError: where neither a folder nor a repository of that name can be loaded, or only with code of its own.
    """
    is_local = Path(model).is_dir()
    name, _, revision = (str(model), "", "") if is_local else str(model).partition("@")
    try:
        network, tokenizer = _load_pretrained(name, revision or "main", download=False, retry=not is_local)
    except BaseException as fault:  # the libraries for weights, tokenizers and the network raise many kinds
        if isinstance(fault, _STOPS):
            raise
        raise ModelError(f"The model {str(model)!r} could not be loaded ({_explain(fault)}).") from fault
    if not hasattr(tokenizer, "backend_tokenizer") or tokenizer.pad_token_id is None:
        raise ModelError(f"The model {str(model)!r} has no fast tokenizer with a pad token; choose another model.")
    return network.eval(), tokenizer


def _explain(fault: BaseException) -> str:
    """Return why a pretrained model cannot be loaded and what to do."""
    if "trust_remote_code" in str(fault):
        return (
            "it needs code of its own, which is never run; name an encoder of a class that transformers has, or save "
            "it as one"
        )
    return f"{first_line(fault)}; name a local folder or a Hub id that this machine can reach"


def _load_pretrained(name: str, revision: str, *, download: bool, retry: bool) -> tuple[Any, Any]:
    """Return network and tokenizer.

    Args:
        name: a local folder or a Hub id.
        revision: of the Hub's repository.
        download: whether to download the files although the cache has them.
        retry: whether to download them once more where they are damaged.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    try:
        with quiet_transformers():
            torch.manual_seed(0)  # weights that the files lack, such as a pooler's, are drawn: always the same ones
            # Without trust_remote_code=False, transformers asks on standard input whether to run a repository's code.
            options: dict[str, Any] = {
                "revision": revision,
                "force_download": download,
                "trust_remote_code": False,
            }
            network = AutoModel.from_pretrained(name, dtype=torch.float32, **options)
            return network, AutoTokenizer.from_pretrained(name, **options)
    except Exception as fault:
        # The Hub's client raises a plain OSError where a file's size is wrong; with a cause, the connection failed.
        is_torn = isinstance(fault, SafetensorError | ValueError) or isinstance(fault.__context__, json.JSONDecodeError)
        if not retry or not (is_torn or (type(fault) is OSError and fault.__cause__ is None)):
            raise
    return _load_pretrained(name, revision, download=True, retry=False)


@contextmanager
def on_best_device(network: "PreTrainedModel") -> Iterator[None]:
    """Move the network to a GPU inside the block, where there is one, and back when the block ends."""
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
def quiet_transformers() -> Iterator[None]:
    """Turn off transformers' progress bars and its warnings about fresh heads inside the block."""
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
