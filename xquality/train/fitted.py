"""Fitted: the result of `fit`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

from xquality._files import atomic_folder, write_text
from xquality.errors import DamagedError, SettingError
from xquality.models.model import Model, load_model
from xquality.records import History

_FILE = "history.json"


@final
@dataclass(frozen=True)
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

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that any stage was trained in."""
        return tuple(dict.fromkeys(str(name) for stage in self.history.stages for name in stage["languages"]))

    def save(self, folder: str | Path) -> Path:
        """Write weights, tokenizer and history to a new folder, completely or not at all; return the folder.

        Raises:
            SettingError: where the folder exists; nothing is overwritten.
        """
        target = Path(folder)
        if target.exists():
            raise SettingError(f"Fitted.save does not overwrite {target}, which exists; name a new folder.")
        with atomic_folder(target) as unfinished:
            self.write(unfinished)
        return target

    def write(self, folder: Path) -> None:
        """Write everything into an empty folder."""
        self.model.save(folder)
        write_text(folder / _FILE, json.dumps(self.history.to_dict(), ensure_ascii=False, sort_keys=True))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return what `save` wrote.

        Raises:
            ModelError: where the folder was not written by `save`.
            DamagedError: where its history cannot be read.
        """
        source = Path(folder)
        model = load_model(source)
        try:
            history = History.from_dict(json.loads((source / _FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError) as fault:
            raise DamagedError(f"The history in {source} cannot be read ({fault}); train the model again.") from fault
        return cls(model, history)
