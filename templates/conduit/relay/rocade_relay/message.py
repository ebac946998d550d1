"""The outgoing message, as `reading.schema.json` describes it: valid UTF-8 JSON, one object per uplink."""

import base64
import json

from . import clock

FORMAT = 1


class Message:
    """What is published: topic, payload (bytes), and whether the broker keeps it as the last value."""

    __slots__ = ("topic", "payload", "retain")

    def __init__(self, topic, payload, retain):
        self.topic = topic
        self.payload = payload
        self.retain = retain


def frame_of(sensor, uplink):
    """The decoded frame of an uplink. None on port 0, which carries MAC commands, and without a codec."""
    return None if uplink.f_port == 0 else sensor.codec.decode(uplink.payload)


def reading(gateway, sensor, uplink, frame):
    """The Message of an uplink of a known sensor, with its decoded frame.

    Only live measures are retained: a configuration or keep-alive frame must not push the last
    reading off the topic.
    """
    measures = sensor.codec.measures(uplink.payload, frame)
    received_at = clock.now()
    fields = {
        "format": FORMAT,
        "sensor": sensor.name,
        "site": sensor.site,
        "gateway": gateway,
        "dev_eui": uplink.dev_eui,
        "time": clock.sane(uplink.time) or received_at,
        "received_at": received_at,
        "f_port": uplink.f_port,
        "f_cnt": uplink.seqn if uplink.f_cnt is None else uplink.f_cnt,
        "frame": frame,
        "measures": measures,
        "radio": {
            "rssi": uplink.rssi,
            "snr": uplink.snr,
            "frequency_mhz": uplink.frequency_mhz,
            "data_rate": uplink.data_rate,
        },
        "payload": base64.b64encode(uplink.payload).decode("ascii"),
    }
    return Message(sensor.topic, to_json(fields), bool(measures))


def probe_reply(topic, gateway, nonce):
    """The Message that answers a probe, through the same spool as the readings."""
    return Message(topic, to_json({"nonce": nonce, "gateway": gateway, "time": clock.now()}), False)


def to_json(value):
    """UTF-8 JSON, compact. Raises ValueError on NaN, which no caller lets through."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
