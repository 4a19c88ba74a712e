"""Reading transforms back from plain JSON values."""

from collections.abc import Sequence
from typing import Any

from xquality.errors import SerialisationError, XqualityError
from xquality.transforms.base import Compose, Transform


def from_dict(data: Any, *, known: Sequence[type[Transform]] = ()) -> Transform | Compose:
    """Return the transform that `to_dict` described.

    Args:
        data: what `to_dict` returned, also after a trip through JSON.
        known: transform classes of your own that may be named in `data`; no class is looked up anywhere else.

    Raises:
        SerialisationError: where `data` describe no known transform, or one of another algorithm version.

    Example:
        >>> from xquality.transforms import LabelNoise
        >>> from_dict(LabelNoise(rate=0.2).to_dict()) == LabelNoise(rate=0.2)
        True
    """
    if not isinstance(data, dict) or not isinstance(data.get("settings"), dict):
        raise SerialisationError(f"A transform is written as a dict with 'transform' and 'settings', but got {data!r}.")
    name, settings = data.get("transform"), data["settings"]
    if name == "Compose":
        return Compose(tuple(_one(one, known) for one in settings.get("transforms", ())))
    return _one(data, known)


def _one(data: Any, known: Sequence[type[Transform]]) -> Transform:
    """Return one transform that is not a composition."""
    own = [kind for kind in Transform.__subclasses__() if kind.__module__.startswith(f"{__package__}.")]
    classes = {kind.__name__: kind for kind in (*own, *known)}
    whole = isinstance(data, dict) and isinstance(data.get("settings"), dict) and isinstance(data.get("transform"), str)
    if not whole or data["transform"] not in classes:
        name = data.get("transform") if isinstance(data, dict) else data
        raise SerialisationError(
            f"No transform is named {name!r}; there are {sorted(classes)}, and your own come in known=."
        )
    kind = classes[data["transform"]]
    if data.get("algorithm", kind.algorithm) != kind.algorithm:
        raise SerialisationError(
            f"{data['transform']} was written with algorithm {data['algorithm']}, but this version has "
            f"{kind.algorithm}; install the version that wrote it."
        )
    try:
        made: Transform = kind(**{setting: _tuples(value) for setting, value in data["settings"].items()})
    except XqualityError:
        raise
    except TypeError as fault:
        raise SerialisationError(f"{data['transform']} cannot be rebuilt from {data['settings']}: {fault}.") from fault
    return made


def _tuples(value: Any) -> Any:
    """Return JSON's lists as the tuples that frozen values hold."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
