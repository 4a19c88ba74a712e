"""Models: loading pretrained encoders and fitted models, and training a tiny multilingual encoder offline."""

from xquality.models.model import Model, load_encoder
from xquality.models.tiny_encoder import tiny_encoder
from xquality.models.trimming import trim_encoder

__all__ = ["Model", "load_encoder", "tiny_encoder", "trim_encoder"]
