"""How the relay does: counters, the retained status message, the health file. Says nothing secret.

Each counter has one writing thread; readers may be a moment late.
"""

import json
import os
import time

from . import VERSION, clock
from .log import Seldom
from .message import Message, to_json

UNKNOWN_SHOWN = 5
# At most this often on change, at least this often without.
MESSAGE_CHANGED_S = 30
MESSAGE_UNCHANGED_S = 300
HEALTH_CHANGED_S = 5
HEALTH_UNCHANGED_S = 300
APP_INFO_CHARS_MAX = 160  # What mPower's application list shows.


class Status:
    """The state of one running relay."""

    def __init__(self, config, spool):
        self.config = config
        self.spool = spool
        self.state = "connecting"
        self.since = None
        self.published = 0
        self.garbage = 0
        self.repeats = 0
        self.unknown_uplinks = 0
        self.unknown_sensors = ()
        self.last_error = None
        self.sent = (None, 0.0)
        self.written = (None, 0.0)
        self.health_log = Seldom()

    def online(self):
        """The remote broker has accepted the relay; the next `due_message` is due at once."""
        self.state = "online"
        self.since = clock.now()
        self.sent = (None, 0.0)

    def failed(self, state, error):
        """There is no connection, for the reason `error`. `state`: unreachable, untrusted or refused."""
        self.state = state
        self.since = None
        self.last_error = error

    def unknown(self, dev_eui):
        """An uplink of a sensor that is not in the configuration."""
        self.unknown_uplinks += 1
        others = tuple(known for known in self.unknown_sensors if known != dev_eui)
        self.unknown_sensors = (others + (dev_eui,))[-UNKNOWN_SHOWN:]

    def document(self):
        """The object published as status."""
        return {
            "state": self.state,
            "gateway": self.config.gateway,
            "version": VERSION,
            "since": self.since,
            "spooled": self.spool.waiting(),
            "spool_bytes": self.spool.size(),
            "dropped": self.spool.dropped,
            "published": self.published,
            "garbage": self.garbage,
            "repeats": self.repeats,
            "unknown_uplinks": self.unknown_uplinks,
            "unknown_sensors": list(self.unknown_sensors),
            "last_error": self.last_error,
        }

    def due_message(self):
        """The status Message when it is time for one, else None."""
        document = self.document()
        before, at = self.sent
        age = time.monotonic() - at
        if before is not None and age < (MESSAGE_UNCHANGED_S if document == before else MESSAGE_CHANGED_S):
            return None
        self.sent = (document, time.monotonic())
        return Message(self.config.status_topic, to_json(document), True)

    def will(self):
        """The Message the broker publishes when the relay is gone."""
        return Message(
            self.config.status_topic, to_json({"state": "offline", "gateway": self.config.gateway}), True
        )

    def write_health(self):
        """Writes the health file when the state changed or the file is old. For the main thread."""
        before, at = self.written
        mark = (self.state, self.last_error, self.spool.dropped)
        age = time.monotonic() - at
        if before is not None and age < (HEALTH_UNCHANGED_S if mark == before else HEALTH_CHANGED_S):
            return
        self.written = (mark, time.monotonic())
        health = {"pid": os.getpid(), "AppInfo": self.app_info(), "written_at": clock.now()}
        health.update(self.document())
        try:
            replace_json(self.config.health_file, health)
        except OSError as error:
            self.health_log.warning("cannot write the health file: %s", error)

    def app_info(self):
        """One line for a person, of the length mPower shows."""
        text = "%s, %d published, %d spooled" % (self.state, self.published, self.spool.waiting())
        if self.last_error and self.state != "online":
            text += ": " + self.last_error
        return text[:APP_INFO_CHARS_MAX]


def replace_json(path, value):
    """Writes `value` to `path`, which readers find whole, old or new."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.write("\n")
    os.replace(path + ".new", path)
