"""The gateway's own broker: every uplink is on flash before it is acknowledged there.

The session is persistent under a fixed client id, so the local broker keeps uplinks while the relay
restarts. Nothing a local message holds may stop the relay.
"""

import collections
import logging
import time

from . import message, uplink
from .log import Seldom
from .session import Session

KEEPALIVE_S = 30
RETRY_S_MAX = 30
# Some firmware publishes an uplink twice. Sensors repeat a counter only after 65536 uplinks or a rejoin.
REPEAT_WINDOW_S = 30
REPEATS_REMEMBERED = 256


class Repeats:
    """Remembers the uplinks of the last moments."""

    def __init__(self):
        self.seen = collections.OrderedDict()

    def seen_before(self, identity):
        """Whether `identity` came within the window; remembers it. None is never a repeat."""
        now = time.monotonic()
        while self.seen and (
            len(self.seen) > REPEATS_REMEMBERED or next(iter(self.seen.values())) < now - REPEAT_WINDOW_S
        ):
            self.seen.popitem(last=False)
        if identity is None:
            return False
        if identity in self.seen:
            return True
        self.seen[identity] = now
        return False

    def forget(self):
        """What was seen did not reach the spool: the local broker will deliver it again."""
        self.seen.clear()


class LocalLink:
    """Takes uplinks and probes from the local broker into the spool."""

    def __init__(self, config, spool, status, heard, wake_remote):
        self.config = config
        self.spool = spool
        self.status = status
        self.heard = heard
        self.wake_remote = wake_remote
        self.repeats = Repeats()
        self.garbage_log = Seldom()
        self.unknown_log = Seldom()

    def run(self, stopping, tick):
        """Serves until `stopping` is set, calling `tick` about once a second."""
        retry_s = 1
        while not stopping.is_set():
            try:
                with Session("rocade-relay-" + self.config.gateway, clean_session=False) as session:
                    self._open(session)
                    retry_s = 1
                    while not stopping.is_set():
                        session.turn(1.0, before_write=self.commit)
                        tick()
            except Exception as error:  # Whatever it is, the next connection may do better.
                logging.warning("local broker: %s; again in %d s", error, retry_s)
                deadline = time.monotonic() + retry_s
                while time.monotonic() < deadline and not stopping.is_set():
                    tick()
                    stopping.wait(0.5)
                retry_s = min(retry_s * 2, RETRY_S_MAX)

    def _open(self, session):
        session.client.on_message = self._on_message
        session.client.on_subscribe = self._on_subscribe
        # Uplinks the broker kept for us arrive together with its consent.
        session.open(self.config.local, KEEPALIVE_S, before_write=self.commit)
        session.client.subscribe([(self.config.local.topic, 1), (self.config.local.probe_topic, 1)])

    def commit(self):
        """Makes what was read durable, and lets the remote side know. Raises OSError on a full flash."""
        try:
            if self.spool.commit():
                self.wake_remote()
        except OSError:
            self.repeats.forget()
            raise

    def _on_subscribe(self, client, userdata, message_id, granted, *properties):
        codes = [getattr(code, "value", code) for code in granted]
        if any(code >= 128 for code in codes):
            logging.error("local broker: subscription refused")
        else:
            logging.info("local broker: subscribed")

    def _on_message(self, client, userdata, received):
        try:
            if received.topic == self.config.local.probe_topic:
                nonce = uplink.parse_probe(received.payload)
                logging.info("probe %s", nonce)
                reply = message.probe_reply(self.config.probe_reply_topic, self.config.gateway, nonce)
                self.spool.append(reply)
            else:
                self._uplink(uplink.parse(received.payload))
        except Exception as reason:  # Raising would bring the same message back for ever.
            self.status.garbage += 1
            self.garbage_log.warning("not an uplink: %s (%d so far)", reason, self.status.garbage)

    def _uplink(self, read):
        sensor = self.config.sensors.get(read.dev_eui)
        if sensor is None:
            self.status.unknown(read.dev_eui)
            self.heard.stranger(read)
            self.unknown_log.warning(
                "uplink of unknown sensor %s (%d so far)", read.dev_eui, self.status.unknown_uplinks
            )
        elif self.repeats.seen_before(read.identity()):
            self.status.repeats += 1
        else:
            frame = message.frame_of(sensor, read)
            self.spool.append(message.reading(self.config.gateway, sensor, read, frame))
            self.heard.uplink(sensor, read, frame)
