"""The relay: `main.py --config FILE` runs it; with `--probe NONCE` it asks a running one to answer.

Exit codes: 0 stopped on request or probe accepted, 64 wrong arguments or configuration, 69 no local
broker for a probe, 75 another relay runs on the same spool.
"""

import argparse
import logging
import os
import signal
import sys
import threading

from rocade_relay import VERSION, config, log, probe
from rocade_relay.heard import Heard
from rocade_relay.local import LocalLink
from rocade_relay.remote import RemoteLink
from rocade_relay.spool import Spool, SpoolBusy
from rocade_relay.status import Status

EX_OK = 0
EX_USAGE = 64
EX_UNAVAILABLE = 69
EX_TEMPFAIL = 75
STOP_PATIENCE_S = 3


def relay(settings):
    """Runs until SIGTERM or SIGINT; gives the exit code."""
    try:
        spool = Spool(settings.spool_dir, settings.spool_bytes_max)
    except SpoolBusy as error:
        logging.error("%s", error)
        return EX_TEMPFAIL
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    status = Status(settings, spool)
    heard = Heard(settings)
    remote = RemoteLink(settings, spool, status)
    parent = os.getppid()
    supervised = "ROCADE_SUPERVISED" in os.environ

    def tick():
        status.write_health()
        heard.write()
        if supervised and os.getppid() != parent:
            # Without this, killing the supervisor would leave a relay nobody can stop by its pid file.
            logging.error("the supervisor is gone")
            stopping.set()

    logging.info(
        "relay %s of %s: %d sensors, %d messages waiting",
        VERSION,
        settings.gateway,
        len(settings.sensors),
        spool.waiting(),
    )
    thread = remote.start(stopping)
    LocalLink(settings, spool, status, heard, remote.wake).run(stopping, tick)
    heard.close()
    remote.wake()
    thread.join(STOP_PATIENCE_S)
    spool.close()
    logging.info("stopped")
    return EX_OK


def main(arguments):
    """Gives the exit code."""
    parser = argparse.ArgumentParser(description="Relay LoRaWAN uplinks to a remote broker.")
    parser.add_argument("--config", required=True)
    parser.add_argument("--probe", metavar="NONCE")
    options = parser.parse_args(arguments)
    log.start()
    try:
        settings = config.load(options.config)
    except config.ConfigError as error:
        logging.error("configuration: %s", error)
        return EX_USAGE
    if options.probe is None:
        return relay(settings)
    try:
        probe.send(settings, options.probe)
    except probe.ProbeError as error:
        logging.error("probe: %s", error)
        return EX_UNAVAILABLE
    return EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
