"""Payloads of models without a codec are passed on as they came: no frame, no measures."""

from .base import Codec


class Raw(Codec):
    """Any sensor whose payload the consumer decodes."""

    model = "raw"

    def decode(self, payload):
        """Gives None: there is nothing decoded to show."""
        return None
