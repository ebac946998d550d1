"""The table of sensor models: the only place that knows which codec decodes which model.

A frame code means different things on different products, so the model comes from the inventory
and is never guessed from the frame.
"""

from .comfort import Comfort, ComfortV1
from .comfort_co2 import ComfortCo2
from .raw import Raw

CODECS = {codec.model: codec for codec in (Comfort(), ComfortV1(), ComfortCo2(), Raw())}


def find(model):
    """Gives the codec of a model, named as in the inventory (`adeunis-comfort`) or short (`comfort`).

    Raises KeyError for an unknown model.
    """
    short = model[len("adeunis-") :] if model.startswith("adeunis-") else model
    return CODECS[short]
