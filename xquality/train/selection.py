"""Selection: which weights of a stage are kept, and when it stops early."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, final

from xquality._settings import at_least, check_settings, choice, optional, texts
from xquality.errors import SettingError

if TYPE_CHECKING:
    import torch

    from xquality.train.checkpoint import Tensors


def _languages(owner: str, name: str, value: object) -> tuple[str, ...]:
    """Return a sequence of languages, which may be empty, as a tuple."""
    return texts(owner, name, value, least=0)


_Count = Annotated[int | None, optional(at_least(1))]


@final
@dataclass(frozen=True)
class Selection:
    """How a stage chooses its final weights.

    Attributes:
        rule: "last" keeps the weights of the last step; "best_source" those with the best score on development data
            of the training language; "best_target" those with the best mean score over `languages`, which a zero-shot
            study may not use: an oracle, and recorded as one; "average" the mean of the weights at the last `count`
            evaluations. The score is the task's main metric.
        every: the number of steps between two evaluations; None for a tenth of the budget.
        patience: stop after this many evaluations in a row without a better score; None never stops early.
        languages: for "best_target", the languages to evaluate in.
        rows: how many rows of each language to score, chosen by uid; None for all.
        count: for "average", how many evaluations to average over.

    Raises:
        SettingError: for settings out of range, or that the rule does not use.

    Example:
        >>> Selection("best_source", patience=3).steps(100)
        (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
    """

    rule: Annotated[str, choice("last", "best_source", "best_target", "average")] = "last"
    every: _Count = None
    patience: _Count = None
    languages: Annotated[tuple[str, ...], _languages] = ()
    rows: _Count = None
    count: Annotated[int, at_least(1)] = 5

    def __post_init__(self) -> None:
        check_settings(self)
        if bool(self.languages) != (self.rule == "best_target"):
            raise SettingError(f"{self!r} needs languages with the rule 'best_target', and only with it.")
        if self.patience is not None and not self.needs_scores:
            raise SettingError(f"{self!r} has patience, which needs a score; use 'best_source' or 'best_target'.")

    def steps(self, total: int) -> tuple[int, ...]:
        """Return the steps of a stage of `total` steps after which the weights are evaluated; the last is one."""
        if self.rule == "last":
            return ()
        every = self.every or max(1, total // 10)
        return tuple(dict.fromkeys([*range(every, total + 1, every), total]))

    @property
    def needs_scores(self) -> bool:
        """Whether the rule compares scores."""
        return self.rule.startswith("best")

    def settings(self) -> dict[str, Any]:
        """Return the settings that the rule uses, as plain JSON values, for the history."""
        used: dict[str, Any] = {"rule": self.rule}
        if self.rule != "last":
            used["every"] = self.every
        if self.rule == "average":
            used["count"] = self.count
        if self.needs_scores:
            used |= {"patience": self.patience, "rows": self.rows, "oracle": self.rule == "best_target"}
            used["languages"] = list(self.languages)
        return used


@final
class CheckpointSelector:
    """Applies a `Selection` to one run: evaluates the weights on the way and chooses at the end.

    Its state is a part of the run's checkpoints.

    Args:
        selection: the settings.
        total: how many steps the run may have.
        score: returns the score of the present weights; None where the rule needs none.
        higher_is_better: whether a larger score is a better one.
    """

    def __init__(
        self, selection: Selection, total: int, score: Callable[[], float] | None, *, higher_is_better: bool = True
    ) -> None:
        self.selection, self.score, self.sign = selection, score, 1 if higher_is_better else -1
        self.steps = frozenset(selection.steps(total))
        self.evaluations: list[tuple[int, float | None]] = []  # step and score
        self.candidates: dict[int, Tensors] = {}  # weights that may be chosen, by step

    def evaluate(self, step: int, network: "torch.nn.Module") -> bool:
        """Evaluate the weights after a step; return whether the run should stop."""
        self.evaluations.append((step, self.score() if self.score is not None else None))
        if self.selection.rule == "average":
            self.candidates[step] = _copy_weights(network)
            for old in sorted(self.candidates)[: -self.selection.count]:
                del self.candidates[old]
            return False
        best = self.best_step
        if best == step:
            self.candidates = {step: _copy_weights(network)}
        patience = self.selection.patience
        return patience is not None and sum(later > best for later, _ in self.evaluations) >= patience

    @property
    def best_step(self) -> int:
        """The step with the best score; the first of equal ones."""

        def goodness(evaluation: tuple[int, float | None]) -> tuple[float, int]:
            step, score = evaluation
            return (self.sign * score if score is not None else 0.0, -step)

        return max(self.evaluations, key=goodness)[0]

    def finish(self, network: "torch.nn.Module", last: int) -> dict[str, Any]:
        """Load the chosen weights into the network; return what the history keeps of the choice.

        Args:
            network: the network after the last step.
            last: the last step.
        """
        if not self.evaluations:
            return {**self.selection.settings(), "chosen_step": last}
        network.load_state_dict(_mean_weights(list(self.candidates.values())))
        chosen: Any = sorted(self.candidates) if self.selection.rule == "average" else self.best_step
        scores = [list(evaluation) for evaluation in self.evaluations] if self.selection.needs_scores else []
        return {**self.selection.settings(), "chosen_step": chosen, "looks": scores}

    def state(self) -> "tuple[dict[str, Any], Tensors]":
        """Return the JSON values and the tensors of a checkpoint."""
        tensors = {
            f"kept/{step}/{name}": tensor
            for step, weights in self.candidates.items()
            for name, tensor in weights.items()
        }
        return {"looks": self.evaluations}, tensors

    def restore(self, state: Mapping[str, Any], tensors: "Mapping[str, torch.Tensor]") -> None:
        """Restore what `state` returned."""
        self.evaluations = [(int(step), score) for step, score in state["looks"]]
        self.candidates = {}
        for key, tensor in tensors.items():
            if key.startswith("kept/"):
                _, step, name = key.split("/", 2)
                self.candidates.setdefault(int(step), {})[name] = tensor


def _copy_weights(network: "torch.nn.Module") -> "Tensors":
    """Return a copy of all weights and buffers, in main memory."""
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def _mean_weights(several: "list[Tensors]") -> "Tensors":
    """Return the mean of several weights; integer buffers, which have no mean, are those of the last."""
    import torch

    if len(several) == 1:
        return several[0]
    return {
        name: torch.stack([weights[name].double() for weights in several]).mean(0).to(last.dtype)
        if last.is_floating_point()
        else last
        for name, last in several[-1].items()
    }
