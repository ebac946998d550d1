"""The remote broker: TLS with the given CA and nothing else, records out in order, at least once.

There is no clear-text path and no way to turn verification off. Whatever goes wrong, the relay
keeps spooling and tries again. A record is acknowledged in the spool only after the broker's PUBACK.
"""

import collections
import logging
import random
import socket
import ssl
import threading
import time

from . import clock
from .session import ConnectionLost, CredentialsRefused, Session

IN_FLIGHT_MAX = 20
RETRY_S_MAX = 60
# Brokers lock out who tries wrong passwords too often.
REFUSED_RETRY_S = 120
PUBACK_PATIENCE_S = 120


class Untrusted(ConnectionLost):
    """The server's certificate does not verify."""


class VerifyingContext(ssl.SSLContext):
    """Verifies chain and name as `ssl.create_default_context` does, against one CA file.

    The name is `server_name` whatever address paho-mqtt connects to.
    """

    def __new__(cls, ca_file, server_name):
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
        context.load_verify_locations(cafile=ca_file)
        context.server_name = server_name
        return context

    def __init__(self, ca_file, server_name):
        super().__init__()

    def wrap_socket(self, sock, **options):
        """As in SSLContext, for the name that was configured."""
        options["server_hostname"] = self.server_name
        return super().wrap_socket(sock, **options)


class RemoteLink:
    """Sends what the spool holds; runs in a thread of its own, because connecting may block."""

    def __init__(self, config, spool, status):
        self.config = config
        self.spool = spool
        self.status = status
        self.wake_reader, self.wake_writer = socket.socketpair()
        self.wake_reader.setblocking(False)
        self.wake_writer.setblocking(False)
        self.in_flight = collections.OrderedDict()  # message id -> record number, in order of sending
        self.heard_at = 0.0
        self.retry_s = 1.0

    def start(self, stopping):
        """Serves in a new thread until `stopping` is set; gives the thread."""
        thread = threading.Thread(target=self._run, args=(stopping,), daemon=True)
        thread.start()
        return thread

    def wake(self):
        """Lets the link look at the spool now. For any thread."""
        try:
            self.wake_writer.send(b".")
        except BlockingIOError:
            pass  # Enough wake-ups are waiting already.

    def _run(self, stopping):
        while not stopping.is_set():
            try:
                self._serve(stopping)
            except CredentialsRefused as error:
                self._failed("refused", str(error), REFUSED_RETRY_S, stopping)
            except Untrusted as error:
                self._failed("untrusted", str(error), self._next_retry(), stopping)
            except Exception as error:  # Whatever it is, the next connection may do better.
                self._failed("unreachable", describe(error), self._next_retry(), stopping)

    def _failed(self, state, error, retry_s, stopping):
        self.status.failed(state, error)
        logging.warning("remote broker: %s; again in %.0f s", error, retry_s)
        deadline = time.monotonic() + retry_s
        while time.monotonic() < deadline and not stopping.wait(0.5):
            self.spool.save_acked_lazily()

    def _next_retry(self):
        retry_s = self.retry_s
        self.retry_s = min(retry_s * 2, RETRY_S_MAX)
        return retry_s * random.uniform(0.75, 1.0)

    def _serve(self, stopping):
        with Session(self.config.remote.client_id, clean_session=True) as session:
            self._open(session)
            logging.info("remote broker: connected, %d messages waiting", self.spool.waiting())
            self.in_flight.clear()
            self.spool.rewind()
            self.status.online()
            while not stopping.is_set():
                self._fill(session.client)
                message = self.status.due_message()
                if message is not None:
                    publish(session.client, message)
                session.turn(1.0, wake=self.wake_reader)
                self.spool.save_acked_lazily()
                if self.in_flight and time.monotonic() - self.heard_at > PUBACK_PATIENCE_S:
                    raise ConnectionLost("the broker acknowledges nothing")

    def _open(self, session):
        remote, will = self.config.remote, self.status.will()
        context = VerifyingContext(remote.ca_file, remote.server_name)
        session.client.tls_set_context(context)
        if remote.certificate_file is None:
            session.client.username_pw_set(remote.username, read_password(remote.password_file))
        else:
            # Its name is the account's: a password beside it would not be read.
            context.load_cert_chain(remote.certificate_file, remote.key_file)
        session.client.will_set(will.topic, will.payload, qos=1, retain=True)
        session.client.on_publish = self._on_publish
        try:
            session.open(remote, remote.keepalive_s)
        except ssl.SSLCertVerificationError as error:
            raise Untrusted(why_untrusted(error)) from None

    def _fill(self, client):
        room = IN_FLIGHT_MAX - len(self.in_flight)
        if room <= 0:
            return
        if not self.in_flight:
            self.heard_at = time.monotonic()
        for number, message in self.spool.take(room):
            self.in_flight[publish(client, message)] = number

    def _on_publish(self, client, userdata, message_id, *details):
        self.heard_at = time.monotonic()
        if self.in_flight.pop(message_id, None) is None:
            return  # A status message.
        self.status.published += 1
        self.retry_s = 1.0
        first_unacked = next(iter(self.in_flight.values()), self.spool.position())
        self.spool.ack(first_unacked)


def publish(client, message):
    """Hands `message` to paho-mqtt at QoS 1; gives its message id."""
    return client.publish(message.topic, message.payload, qos=1, retain=message.retain).mid


def read_password(path):
    """The password in the file at `path`, without the line end an editor leaves."""
    with open(path, encoding="utf-8") as file:
        return file.read().rstrip("\r\n")


def why_untrusted(error):
    """The reason in words, with the clock when the clock may be to blame."""
    text = "the server's certificate is not accepted: %s" % error.verify_message
    if not clock.is_sane():
        text += " (this gateway's clock says %s and must be set first)" % clock.shown()
    return text


def describe(error):
    """An error for the log: its text, or its kind when it has none."""
    return str(error) or type(error).__name__
