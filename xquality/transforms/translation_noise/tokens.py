"""Tokens: a plan for some rows written out as lists of tokens."""

import numpy as np
import pyarrow as pa

from xquality.data.arrow import make_lists_like
from xquality.transforms.translation_noise.plan import Plan


def written_tokens(tokens: pa.Array, plan: Plan) -> pa.Array:
    """Return the lists of tokens after a plan."""
    flat = tokens.flatten()
    place = np.arange(len(flat))
    place[plan.renewed] = len(flat) + np.arange(len(plan.renewed))
    values = pa.concat_arrays([flat, plan.texts.cast(flat.type)])
    return make_lists_like(tokens, values.take(pa.array(place[plan.unit])), np.diff(plan.first))
