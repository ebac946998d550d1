"""A probe enters where uplinks enter: its answer at the remote broker proves the whole chain."""

import os
import time

from .message import to_json
from .session import ConnectionLost, Session

PATIENCE_S = 10


class ProbeError(Exception):
    """The local broker did not take the probe."""


def send(config, nonce):
    """Publishes the probe at the local broker and waits until it is acknowledged. Raises ProbeError."""
    accepted = []
    deadline = time.monotonic() + PATIENCE_S
    try:
        with Session("rocade-probe-%d" % os.getpid(), clean_session=True) as session:
            session.client.on_publish = lambda *details: accepted.append(True)
            session.open(config.local, PATIENCE_S)
            session.client.publish(config.local.probe_topic, to_json({"nonce": nonce}), qos=1)
            while not accepted:
                if time.monotonic() > deadline:
                    raise ConnectionLost("the local broker does not acknowledge")
                session.turn(1.0)
            session.client.disconnect()
            session.client.loop_write()
    except (OSError, ConnectionLost) as error:
        raise ProbeError(str(error)) from None
