"""One MQTT connection driven from one thread, acknowledging nothing before the caller says so.

paho-mqtt 1.6 acknowledges as soon as on_message returns. With a write callback registered it only
queues the acknowledgement, and `turn` writes after `before_write`: so one fsync covers a batch.
The same code runs on paho-mqtt 1.6 and 2.x. A session is used for one connection, in a `with`.
"""

import select
import sys
import time
import types

# paho-mqtt imports urllib.request, and with it http and email, only to look for proxies. The relay
# uses none, and they would cost 2 MiB of memory and seconds of start on slow flash.
NO_PROXIES = types.ModuleType("urllib.request")
NO_PROXIES.getproxies = dict
sys.modules.setdefault("urllib.request", NO_PROXIES)

import paho.mqtt.client as mqtt  # noqa: E402

PACKETS_A_TURN_MAX = 64
CONNECT_PATIENCE_S = 30
# CONNACK: MQTT 3.1.1 codes, and the MQTT 5 reason codes paho-mqtt 2 turns them into.
BAD_CREDENTIALS = (4, 5, 134, 135)


class ConnectionLost(Exception):
    """The connection ended or never came about; the text says why."""


class CredentialsRefused(ConnectionLost):
    """The broker does not know the user name and password."""


class Session:
    """One connection. Set callbacks on `client` before `open`; it is an ordinary paho-mqtt client."""

    def __init__(self, client_id, clean_session):
        if hasattr(mqtt, "CallbackAPIVersion"):
            self.client = mqtt.Client(
                mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean_session
            )
        else:
            self.client = mqtt.Client(client_id=client_id, clean_session=clean_session)
        self.connack = None
        self.client.on_connect = self._on_connect
        self.client.on_socket_register_write = keep_queued

    def open(self, broker, keepalive_s, before_write=None):
        """Connects and waits for the broker's consent. Raises ConnectionLost, OSError or ssl.SSLError."""
        self.client.connect(broker.host, broker.port, keepalive_s)
        deadline = time.monotonic() + CONNECT_PATIENCE_S
        while self.connack is None:
            if time.monotonic() > deadline:
                raise ConnectionLost("the broker does not answer")
            self.turn(1.0, before_write=before_write)

    def turn(self, timeout_s, wake=None, before_write=None):
        """Waits for something to do, at most `timeout_s`, and does it.

        `wake` is a socket whose readability ends the wait. `before_write` is called between reading
        and writing, also when reading failed. Raises ConnectionLost.
        """
        socket = self.client.socket()
        if socket is None:
            raise ConnectionLost("the connection is closed")
        readers = [socket] if wake is None else [socket, wake]
        writers = [socket] if self.client.want_write() else []
        readable = select.select(readers, writers, [], 0 if has_buffered(socket) else timeout_s)[0]
        if wake in readable:
            wake.recv(4096)
        try:
            if socket in readable or has_buffered(socket):
                self._read(socket)
        finally:
            if before_write is not None:
                before_write()
        if self.client.want_write():
            self._check(self.client.loop_write())
        self._check(self.client.loop_misc())

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        """Drops the connection without a word, so that the broker publishes the last will."""
        socket = self.client.socket()
        if socket is not None:
            socket.close()

    def _read(self, socket):
        for _ in range(PACKETS_A_TURN_MAX):
            self._check(self.client.loop_read())
            if not has_buffered(socket) and not select.select([socket], [], [], 0)[0]:
                break

    def _check(self, code):
        if code == mqtt.MQTT_ERR_SUCCESS:
            return
        if self.connack in BAD_CREDENTIALS:
            raise CredentialsRefused("the broker refuses the user name or password")
        raise ConnectionLost(mqtt.error_string(code))

    def _on_connect(self, client, userdata, flags, code, *properties):
        self.connack = getattr(code, "value", code)


def has_buffered(socket):
    """Whether a TLS socket has bytes that select() cannot see."""
    pending = getattr(socket, "pending", None)
    return pending is not None and pending() > 0


def keep_queued(client, userdata, socket):
    """Registered so that paho-mqtt leaves all writing to `turn`."""
