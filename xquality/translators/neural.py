"""NeuralTranslator: what the engines have in common that read a checkpoint of a neural translation model."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of_package
from typing import Annotated

from xquality._settings import optional
from xquality.errors import warn
from xquality.translators.base import Pair, Translator, as_pair
from xquality.translators.checkpoint import Checkpoint, as_language, check_model, open_checkpoint
from xquality.translators.function import check_pairs


@dataclass(frozen=True)
class NeuralTranslator(Translator):
    """Base of the engines that read a Marian (OPUS-MT), M2M100 or NLLB checkpoint.

    Attributes:
        model: a local folder, or a Hub id with its revision.
        language_pairs: the pairs of languages; None: those of the checkpoint.
    """

    model: Annotated[str, check_model]
    language_pairs: Annotated[tuple[Pair, ...] | None, optional(check_pairs)] = None

    @property
    def name(self) -> str:
        """The last part of the model's name."""
        return self._checkpoint.name

    @property
    @abstractmethod
    def version(self) -> str:
        """Packages, the digest of the checkpoint, device, number format, and how translations are decoded.

        Raises:
            NotInstalledError: where a package is missing.
            ModelError: where the checkpoint cannot be read.
        """

    @property
    def context_free(self) -> bool:
        """True: a translation depends on its text alone."""
        return True

    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs of the checkpoint, or those given.

        Raises:
            ModelError: where the checkpoint cannot be read, or does not say its languages.
        """
        checkpoint = self._checkpoint
        return checkpoint.pairs if self.language_pairs is None else self.language_pairs

    def supports(self, source: str, target: str) -> bool:
        """Return whether the checkpoint has codes for both languages in their scripts, and the pair is not excluded."""
        checkpoint, first, second = self._checkpoint, as_language(source), as_language(target)
        known = first in checkpoint.sources and second in checkpoint.targets and first != second
        return known and (self.language_pairs is None or as_pair(source, target) in self.language_pairs)

    @property
    def _checkpoint(self) -> Checkpoint:
        """The checkpoint, which is opened once."""
        return open_checkpoint(self.model, self.language_pairs)

    def _warn_of_cut(self, cut: int, texts: Sequence[str], longest: int) -> None:
        """Warn where translations were cut off at the most tokens that were allowed."""
        if cut:
            warn(
                f"{cut} of {len(texts)} translations by {self.name} were cut off at {longest} tokens; raise "
                "max_new_tokens, or split long texts into sentences."
            )


def list_packages(packages: Sequence[str]) -> str:
    """Return packages with their versions, for `version`."""
    return ", ".join(f"{package} {version_of_package(package)}" for package in packages)
