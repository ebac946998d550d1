"""config.json, checked once at start: after `load` every value has its type and every key it needs.

Unknown keys are ignored, so that a newer rocade may write more than this relay knows.
"""

import json
import os
import re

from . import codecs

FORMAT = 1
DEV_EUI = re.compile(r"[0-9a-f]{16}")
# Below this a segment of the spool would hold a few records only.
SPOOL_BYTES_MIN = 65536


class ConfigError(Exception):
    """A configuration the relay cannot work with; the text names the key."""


class Broker:
    """Where and how to reach an MQTT broker."""

    def __init__(self, section):
        self.host = section.text("host")
        self.port = section.integer("port", 1, 65535)


class Local(Broker):
    """The gateway's own broker, in clear on the loopback."""

    def __init__(self, section):
        super().__init__(section)
        self.topic = section.topic("topic", wildcards=True)
        self.probe_topic = section.topic("probe_topic")


class Remote(Broker):
    """The broker readings go to, over TLS."""

    def __init__(self, section):
        super().__init__(section)
        self.ca_file = section.text("ca_file")
        self.username = section.text("username")
        # A certificate of its own, or a password.
        self.certificate_file = section.text("certificate_file") if "certificate_file" in section.value else None
        self.key_file = section.text("key_file") if self.certificate_file else None
        self.password_file = None if self.certificate_file else section.text("password_file")
        self.client_id = section.text("client_id")
        self.keepalive_s = section.integer("keepalive_s", 5, 65535)
        self.server_name = section.text("server_name") if "server_name" in section.value else self.host


class Sensor:
    """One sensor whose uplinks are published."""

    def __init__(self, section):
        self.name = section.text("name")
        self.site = section.text("site")
        self.topic = section.topic("topic")
        model = section.text("model")
        try:
            self.codec = codecs.find(model)
        except KeyError:
            raise ConfigError("%s.model: no codec for %r" % (section.place, model)) from None


class Config:
    """The whole file."""

    def __init__(self, section):
        if section.integer("format", 0, 1 << 31) != FORMAT:
            raise ConfigError("format: this relay reads format %d" % FORMAT)
        self.gateway = section.text("gateway")
        self.local = Local(section.section("local"))
        self.remote = Remote(section.section("remote"))
        spool = section.section("spool")
        self.spool_dir = spool.text("dir")
        self.spool_bytes_max = spool.integer("max_bytes", SPOOL_BYTES_MIN, 1 << 40)
        self.status_topic = section.topic("status_topic")
        self.probe_reply_topic = section.topic("probe_reply_topic")
        home = os.path.dirname(os.path.abspath(self.spool_dir))
        self.health_file = os.path.join(home, "relay-status.json")
        # Where what was heard is kept over restarts of the gateway, and where it is fresh, in memory.
        self.heard_kept_file = os.path.join(home, "heard.json")
        self.heard_file = section.text("heard_file") if "heard_file" in section.value else None
        self.sensors = {}
        sensors = section.section("sensors")
        for key in sensors.value:
            dev_eui = normal_eui(key)
            if dev_eui is None:
                raise ConfigError("sensors: %r is not a DevEUI of 16 hexadecimal digits" % key)
            self.sensors[dev_eui] = Sensor(sensors.section(key))


class Section:
    """One object of the file, and where it stands, for messages."""

    def __init__(self, value, place):
        if not isinstance(value, dict):
            raise ConfigError("%s: must be an object" % (place or "the file"))
        self.value = value
        self.place = place

    def section(self, key):
        """The object under `key`."""
        return Section(self._get(key), self._name(key))

    def text(self, key):
        """The non-empty text under `key`."""
        value = self._get(key)
        if not isinstance(value, str) or not value or "\0" in value:
            raise ConfigError("%s: must be a non-empty text" % self._name(key))
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ConfigError("%s: is not valid Unicode" % self._name(key)) from None
        return value

    def integer(self, key, low, high):
        """The integer under `key`, from `low` to `high`."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ConfigError("%s: must be an integer from %d to %d" % (self._name(key), low, high))
        return value

    def topic(self, key, wildcards=False):
        """The MQTT topic under `key`; a topic to publish on has no wildcards."""
        value = self.text(key)
        if not wildcards and ("+" in value or "#" in value):
            raise ConfigError("%s: a topic to publish on has no wildcards" % self._name(key))
        if len(value.encode("utf-8")) > 65535:
            raise ConfigError("%s: is longer than MQTT allows" % self._name(key))
        return value

    def _get(self, key):
        if key not in self.value:
            raise ConfigError("%s: is missing" % self._name(key))
        return self.value[key]

    def _name(self, key):
        return "%s.%s" % (self.place, key) if self.place else key


def normal_eui(text):
    """The 16 lower-case hexadecimal digits of an EUI written in any usual way, or None."""
    if not isinstance(text, str):
        return None
    digits = text.replace("-", "").replace(":", "").strip().lower()
    return digits if DEV_EUI.fullmatch(digits) else None


def load(path):
    """Reads the configuration at `path`. Raises ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError("cannot read %s: %s" % (path, error)) from None
    return Config(Section(value, ""))
