"""Fitted: the result of `fit`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

from xquality._files import atomic_folder, write_text
from xquality._stored import write_checksums
from xquality.errors import DamagedError, ModelError, SettingError, first_line
from xquality.models.model import Model, load_model, weights_digest
from xquality.records import History

_FILE = "history.json"


@final
@dataclass(frozen=True, repr=False)
class Fitted:
    """A trained model and its history.

    Attributes:
        model: the network after the last stage, and its tokenizer.
        history: the settings and data of every stage, and the points that were measured.

    Example:
        `Fitted.load(fitted.save("runs/fitted"))` is the same model, for `xquality.evaluation.evaluate`.
    """

    model: Model
    history: History

    def __repr__(self) -> str:
        return f"<Fitted: {repr(self.model)[1:-1]}; {repr(self.history)[1:-1]}>"

    def _repr_html_(self) -> str:
        return self.model._repr_html_() + self.history._repr_html_()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that any stage was trained in."""
        return tuple(dict.fromkeys(str(name) for stage in self.history.stages for name in stage["languages"]))

    def save(self, folder: str | Path) -> Path:
        """Write weights, tokenizer and history to a new folder, completely or not at all; return the folder.

        The folder has the checksums of its files; transformers' `pipeline` and `AutoModel` classes load it too.

        Raises:
            SettingError: where the folder exists; nothing is overwritten.
            ModelError: where the weights were changed after training: the history would not be theirs.
        """
        target = Path(folder)
        trained = _trained_weights(self.history)
        if trained is not None and weights_digest(self.model.network) != trained:
            raise ModelError(
                "Fitted.save found other weights than its history describes: the network was changed after training; "
                "save it with fitted.model.network.save_pretrained."
            )
        if target.exists():
            raise SettingError(f"Fitted.save does not overwrite {target}, which exists; name a new folder.")
        with atomic_folder(target) as unfinished:
            self.write(unfinished)
        return target

    def write(self, folder: Path) -> None:
        """Write everything into an empty folder."""
        self.model.save(folder)
        write_text(folder / _FILE, json.dumps(self.history.to_dict(), ensure_ascii=False, sort_keys=True))
        write_checksums(folder, {})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return what `save` wrote.

        The files are compared with their checksums, and the weights with the digest that the history has of them.

        Raises:
            ModelError: where the folder was not written by `save`.
            DamagedError: where it has other content than was written.
        """
        source = Path(folder)
        model = load_model(source)
        try:
            history = History.from_dict(json.loads((source / _FILE).read_text(encoding="utf-8")))
            trained = _trained_weights(history)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
            raise DamagedError(
                f"The history in {source} cannot be read ({first_line(fault)}); train the model again."
            ) from fault
        if trained is not None and weights_digest(model.network) != trained:
            raise DamagedError(f"{source} has other weights than its history describes; train the model again.")
        return cls(model, history)


def _trained_weights(history: History) -> str | None:
    """Return the digest of the weights after the last stage; None without stages."""
    return str(history.stages[-1]["weights_after"]) if history.stages else None
