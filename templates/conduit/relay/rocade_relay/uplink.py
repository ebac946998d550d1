"""The local message: a MultiTech network server's uplink, or garbage. Nothing here ever raises but Garbage.

Key order, optional keys and even the writing of EUIs differ between firmware versions; only `deveui`
is needed to know whose uplink it is. `lsnr` is the signal to noise ratio, `datr` may be a number (FSK).
"""

import base64
import binascii
import json
import math

from .config import normal_eui

# A LoRaWAN payload has 242 bytes at most; the whole message stays well below 2 KiB.
MESSAGE_BYTES_MAX = 16384
PAYLOAD_BYTES_MAX = 255
PROBE_NONCE_CHARS_MAX = 128


class Garbage(Exception):
    """A local message that is no uplink; the text says why."""


class Uplink:
    """One uplink, every field of its type or None."""

    def __init__(self, fields):
        self.dev_eui = normal_eui(fields.get("deveui"))
        if self.dev_eui is None:
            raise Garbage("no DevEUI")
        self.f_port = integer(fields, "port", 255)
        self.payload = payload(fields)
        self.seqn = integer(fields, "seqn", 0xFFFFFFFF)
        self.f_cnt = integer(fields, "fcnt", 0xFFFFFFFF)
        self.mhdr = fields.get("mhdr") if isinstance(fields.get("mhdr"), str) else None
        self.time = fields.get("time")
        self.rssi = number(fields.get("rssi"))
        self.snr = number(fields.get("lsnr"))
        self.frequency_mhz = number(fields.get("freq"))
        self.data_rate = data_rate(fields.get("datr"))

    def identity(self):
        """What tells one uplink from the next, or None when the message carries no counter at all."""
        if self.seqn is None and self.f_cnt is None and self.mhdr is None:
            return None
        return (self.dev_eui, self.seqn, self.f_cnt, self.mhdr, self.payload)


def parse(message):
    """The Uplink in `message` (bytes). Raises Garbage."""
    return Uplink(json_object(message))


def parse_probe(message):
    """The nonce in a probe message (bytes). Raises Garbage."""
    nonce = json_object(message).get("nonce")
    if not isinstance(nonce, str) or not nonce.isprintable() or not 0 < len(nonce) <= PROBE_NONCE_CHARS_MAX:
        raise Garbage("a probe without a printable nonce")
    return nonce


def json_object(message):
    """The JSON object in `message` (bytes). Raises Garbage."""
    if len(message) > MESSAGE_BYTES_MAX:
        raise Garbage("%d bytes" % len(message))
    try:
        fields = json.loads(bytes(message).decode("utf-8"), parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Garbage("not JSON: %s" % error) from None
    if not isinstance(fields, dict):
        raise Garbage("not an object")
    return fields


def refuse_constant(name):
    """NaN and Infinity are no JSON, though Python reads them."""
    raise ValueError(name)


def payload(fields):
    """The bytes of `data`: base64, or hexadecimal on some firmware, or nothing. Raises Garbage."""
    text = fields.get("data")
    if text is None:
        return b""
    if not isinstance(text, str):
        raise Garbage("data is no text")
    readings = [read for read in (from_base64(text), from_hex(text)) if read is not None]
    if not readings:
        raise Garbage("data is neither base64 nor hexadecimal")
    if len(readings[0]) > PAYLOAD_BYTES_MAX:
        raise Garbage("%d bytes of data" % len(readings[0]))
    # Hexadecimal text can pass for base64: `size`, where present, tells.
    for read in readings:
        if len(read) == fields.get("size"):
            return read
    return readings[0]


def from_base64(text):
    """The bytes, or None."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def from_hex(text):
    """The bytes, or None."""
    try:
        return binascii.unhexlify(text)
    except ValueError:
        return None


def integer(fields, key, high):
    """The integer under `key`, from 0 to `high`, or None when absent. Raises Garbage."""
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= high:
        raise Garbage("%s is no integer from 0 to %d" % (key, high))
    return value


def number(value):
    """`value` when it is a number of radio, else None: a reading is worth more than its signal strength."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) and abs(value) < 1e6 else None


def data_rate(value):
    """The data rate as text: "SF12BW125", or the bit rate of FSK."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and 0 < len(value) <= 32:
        return value
    rate = number(value)
    return None if rate is None else str(rate)
