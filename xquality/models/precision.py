"""The numbers that a network computes in when it is scored: float32, or bfloat16 where that loses little.

bfloat16 is torch's autocast, as in training: weights stay float32, products of matrices are computed in bfloat16, sums
and normalisation in float32. It takes about half of the time and the memory on processors and GPUs that have it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from xquality._settings import choice
from xquality.models._transformers import plain_forward

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FLOAT32: Final = "float32"
BFLOAT16: Final = "bfloat16"

Precision = Annotated[str, choice(FLOAT32, BFLOAT16)]
"""The name of one of the two."""


def run_network(run: Callable[[], Any], network: "PreTrainedModel", precision: str) -> Any:
    """Return the outputs of a network, as float32 in either precision.

    A network that is being trained in mixed precision is scored in the precision that is asked for all the same.

    Args:
        run: returns the outputs of the network.
        network: the network that it runs.
        precision: "float32" or "bfloat16".
    """
    import torch
    from accelerate.utils import convert_to_fp32

    with plain_forward(network):
        if precision == FLOAT32:
            return run()
        with torch.autocast(network.device.type, dtype=torch.bfloat16):
            outputs = run()
    return convert_to_fp32(outputs)
