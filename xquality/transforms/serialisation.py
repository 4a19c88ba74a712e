"""Reading transforms back from plain JSON values."""

from collections.abc import Callable, Sequence
from typing import Any

from xquality.errors import SerialisationError, XqualityError
from xquality.transforms.base import Compose, Transform
from xquality.translators import Translator
from xquality.translators import from_dict as read_translator
from xquality.translators.base import is_description as is_translator

Known = type[Transform] | type[Translator] | Callable[..., Any]


def from_dict(data: Any, *, known: Sequence[Known] = ()) -> Transform | Compose:
    """Return the transform that `to_dict` described.

    Args:
        data: what `to_dict` returned, also after it was written as JSON and read back.
        known: transform and translator classes of your own, and the functions of a `FunctionTransform` or a
            `FunctionTranslator`, that may be named in `data`; none of them is looked up anywhere else.

    Raises:
        SerialisationError: where `data` describe no known transform, or one of another algorithm version.

    Example:
        >>> from xquality.transforms import LabelNoise
        >>> from_dict(LabelNoise(rate=0.2).to_dict()) == LabelNoise(rate=0.2)
        True
    """
    if not _is_description(data):
        raise SerialisationError(
            f"A transform is written as a dict with 'transform' and 'settings', but got {data!r:.100}."
        )
    if data["transform"] == "Compose":
        return Compose(tuple(_read_transform(member, known) for member in data["settings"].get("transforms", ())))
    return _read_transform(data, known)


def _is_description(data: Any) -> bool:
    """Return whether JSON values have the form in which transforms are written."""
    return isinstance(data, dict) and isinstance(data.get("settings"), dict) and isinstance(data.get("transform"), str)


def _read_transform(data: Any, known: Sequence[Known]) -> Transform:
    """Return one transform that is not a composition."""
    own = [kind for kind in Transform.__subclasses__() if kind.__module__.startswith(f"{__package__}.")]
    mine = (kind for kind in known if isinstance(kind, type) and issubclass(kind, Transform))
    classes: dict[str, type[Transform]] = {kind.__name__: kind for kind in (*own, *mine)}
    if not _is_description(data) or data["transform"] not in classes:
        name = data.get("transform") if isinstance(data, dict) else data
        raise SerialisationError(
            f"No transform is named {name!r}; there are {sorted(classes)}, and your own come in known=."
        )
    name, kind = data["transform"], classes[data["transform"]]
    if data.get("algorithm", kind.algorithm) != kind.algorithm:
        raise SerialisationError(
            f"{name} was written with algorithm {data['algorithm']}, but this version has {kind.algorithm}; install "
            "the version that wrote it."
        )
    settings = {setting: _read_setting(value, known) for setting, value in data["settings"].items()}
    try:
        transform: Transform = kind(**settings)
    except XqualityError:
        raise
    except TypeError as fault:
        raise SerialisationError(f"{name} cannot be rebuilt from {data['settings']!r:.200}: {fault}.") from fault
    return transform


def _read_setting(value: Any, known: Sequence[Known]) -> Any:
    """Return a setting with tuples for JSON's lists, and what the name of a known function or translator stands for."""
    if isinstance(value, list):
        return tuple(_read_setting(item, known) for item in value)
    if is_translator(value):
        return read_translator(value, known=known)
    if isinstance(value, dict) and set(value) == {"function"}:
        functions = {function.__qualname__: function for function in known if not isinstance(function, type)}
        return functions.get(value["function"], value)
    return value
