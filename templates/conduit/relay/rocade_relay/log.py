"""The log goes to stderr, from where `supervise` passes it to syslog. A flood is one line a minute."""

import logging
import sys
import time

INTERVAL_S = 60


def start():
    """Sends the log to stderr. A log that cannot be written stops nothing."""
    logging.raiseExceptions = False
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")


class Seldom:
    """Warnings of one kind, a minute apart at least."""

    def __init__(self):
        self.due = time.monotonic()

    def warning(self, text, *arguments):
        """Logs, or says nothing when the last warning is less than a minute old."""
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + INTERVAL_S
            logging.warning(text, *arguments)
