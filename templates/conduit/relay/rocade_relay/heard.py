"""What was heard of each sensor: when, with which counter and gaps, how strong, what it says of itself.

`rocade sensors` reads it from two files of one form: one in memory, as fresh as the processor allows,
and one on flash, written seldom, from which a new run of the relay goes on. For the main thread only.
"""

import collections
import json
import os
import re
import time

from . import clock
from .config import normal_eui
from .log import Seldom
from .uplink import refuse_constant

FORMAT = 1
# Sensors that nobody configured, the latest heard of them.
UNKNOWN_KEPT = 32

COUNTER_VALUES = 0x10000  # The header carries the lower 16 bits of the frame counter.
# LoRaWAN's MAX_FCNT_GAP: a network server takes no uplink further ahead.
GAP_MAX = 16384
# A counter that went down has wrapped when so few are missing; else the sensor began anew.
WRAP_GAP_MAX = 256
DEV_ADDR = re.compile(r"[0-9a-fA-F]{2}([0-9a-fA-F]{8})")

FRESH_S = 2
# Of a large list the writing takes at most a fiftieth of the time.
REST = 50
KEPT_S = 3600
KEPT_SOON_S = 60

# The fields of a sensor, and of one that nobody configured, with what they may be in a file.
NUMBER = (int, float, type(None))
FIELDS = {
    "last": (str, type(None)),
    "uplinks": int,
    "since": (str, type(None)),
    "f_cnt": (int, type(None)),
    "session": (str, type(None)),
    "sessions": int,
    "missed": int,
    "gap": (dict, type(None)),
    "rssi": NUMBER,
    "snr": NUMBER,
    "low_battery": (bool, type(None)),
    "reports": (dict, type(None)),
}


class Heard:
    """The account of all sensors of a configuration."""

    def __init__(self, config):
        self.config = config
        self.sensors = {}
        self.unknown = collections.OrderedDict()
        self.log = Seldom()
        self.fresh_due = 0.0
        self.fresh_changed = True
        self.kept_changed_at = None
        self.kept_soon = False
        self._load()

    def uplink(self, sensor, uplink, frame):
        """An uplink of a configured sensor with its decoded frame, which may be None."""
        entry = self.sensors.get(uplink.dev_eui) or blank()
        self.sensors[uplink.dev_eui] = entry
        note(entry, uplink)
        count(entry, uplink)
        low_battery = sensor.codec.low_battery(frame)
        if low_battery is not None:
            entry["low_battery"] = low_battery
        reports = sensor.codec.reports(uplink.payload, frame)
        if reports is not None:
            known = entry["reports"] or {}
            # Sensors tell this seldom, so what is new of it must not be lost.
            self.kept_soon |= any(known.get(name) != reports[name] for name in reports)
            entry["reports"] = dict(reports, at=entry["last"])
        self._changed()

    def stranger(self, uplink):
        """An uplink of a sensor that is not configured."""
        entry = self.unknown.pop(uplink.dev_eui, None) or blank()
        self.unknown[uplink.dev_eui] = entry
        note(entry, uplink)
        while len(self.unknown) > UNKNOWN_KEPT:
            self.unknown.popitem(last=False)
        self._changed()

    def write(self):
        """To be called about once a second: writes what is due."""
        now = time.monotonic()
        if self.config.heard_file is not None and self.fresh_changed and now >= self.fresh_due:
            self.fresh_changed = False
            self._write(self.config.heard_file, durable=False)
            self.fresh_due = time.monotonic() + max(FRESH_S, REST * (time.monotonic() - now))
        if self.kept_changed_at is not None:
            if now - self.kept_changed_at >= (KEPT_SOON_S if self.kept_soon else KEPT_S):
                self._keep()

    def close(self):
        """Writes what is not on flash yet."""
        if self.kept_changed_at is not None:
            self._keep()

    def document(self):
        """What both files hold."""
        return {
            "format": FORMAT,
            "gateway": self.config.gateway,
            "written_at": clock.now(),
            "sensors": self.sensors,
            "unknown": self.unknown,
        }

    def _changed(self):
        self.fresh_changed = True
        if self.kept_changed_at is None:
            self.kept_changed_at = time.monotonic()

    def _keep(self):
        self.kept_changed_at, self.kept_soon = None, False
        self._write(self.config.heard_kept_file, durable=True)

    def _write(self, path, durable):
        try:
            with open(path + ".new", "w", encoding="utf-8") as file:
                json.dump(self.document(), file, allow_nan=False)
                file.write("\n")
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(path + ".new", path)
        except (OSError, ValueError) as error:
            self.log.warning("cannot write what was heard: %s", error)

    def _load(self):
        """Goes on from the fresh file, which a restart of the gateway takes away, or else the kept one."""
        for path in (self.config.heard_file, self.config.heard_kept_file):
            document = None if path is None else read(path)
            if document is None:
                continue
            for dev_eui, entry in entries(document, "sensors"):
                if dev_eui in self.config.sensors:
                    self.sensors[dev_eui] = entry
            for dev_eui, entry in entries(document, "unknown")[-UNKNOWN_KEPT:]:
                if dev_eui not in self.config.sensors:
                    self.unknown[dev_eui] = entry
            return


def blank():
    """The account of a sensor that was never heard."""
    entry = dict.fromkeys(FIELDS)
    entry.update(uplinks=0, sessions=0, missed=0)
    return entry


def note(entry, uplink):
    """Notes when and how strong an uplink came. Without a clock that is set it came at no known time."""
    entry["last"] = clock.sane(uplink.time) or clock.now()
    entry["rssi"] = uplink.rssi
    entry["snr"] = uplink.snr
    entry["uplinks"] += 1
    if entry["since"] is None:
        entry["since"] = entry["last"]


def count(entry, uplink):
    """Counts the uplinks that are missing between the last one and this one."""
    counter = uplink.f_cnt if uplink.seqn is None else uplink.seqn
    if counter is None:
        return
    counter %= COUNTER_VALUES
    session = dev_addr(uplink.mhdr)
    before, entry["f_cnt"] = entry["f_cnt"], counter
    known, entry["session"] = entry["session"], session or entry["session"]
    if before is None:
        entry["sessions"] += 1
        return
    missing = missed(before, counter)
    if missing is None or (session is not None and known is not None and session != known):
        # It joined again: how many it sent before this one nobody knows.
        entry["sessions"] += 1
    elif missing > 0:
        entry["missed"] += missing
        entry["gap"] = {"at": entry["last"], "missed": missing}


def missed(before, counter):
    """How many uplinks lie between two counters; None when the sensor began to count anew between them."""
    step = (counter - before) % COUNTER_VALUES
    if step == 0:
        return 0  # The same uplink again.
    limit = WRAP_GAP_MAX if counter < before else GAP_MAX
    return step - 1 if step <= limit else None


def dev_addr(mhdr):
    """The device address in a frame header, which each join gives anew; None when it cannot be told."""
    match = DEV_ADDR.match(mhdr) if mhdr is not None else None
    return match.group(1).lower() if match else None


def read(path):
    """The object in a file, or None when there is none that could be gone on from."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file, parse_constant=refuse_constant)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return None
    return document


def entries(document, key):
    """The entries of a list that have their form, in order."""
    listed = document.get(key)
    if not isinstance(listed, dict):
        return []
    return [(eui, dict(blank(), **entry)) for eui, entry in listed.items() if is_entry(eui, entry)]


def is_entry(dev_eui, entry):
    """Whether this is an entry as `note` and `count` make them."""
    return (
        normal_eui(dev_eui) == dev_eui
        and isinstance(entry, dict)
        and set(entry) <= set(FIELDS)
        and all(isinstance(entry[name], FIELDS[name]) for name in entry)
        and all(not isinstance(entry.get(name), bool) for name in FIELDS if name != "low_battery")
    )
