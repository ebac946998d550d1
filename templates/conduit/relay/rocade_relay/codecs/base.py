"""What every codec keeps to: bytes in, the manufacturer's decoded object out, never an exception.

The object is that of the manufacturer's library `@adeunis/codecs` 1.6.1, key for key, misspellings
included. Only the text of an `error` differs: theirs is the JavaScript engine's.
"""

import datetime

# The only frames that carry measures of now; a daily frame carries extremes of the past day.
LIVE_FRAMES = (0x4C, 0x4D, 0x6A, 0x6B)
# How the sensor is set; on every product here.
CONFIGURATION = 0x10
QUANTITIES = ("temperature", "humidity", "co2")

# Device time stamps count seconds from here (digest: register S318). They carry no zone, because
# the device may be set to local time.
DEVICE_EPOCH = datetime.datetime(2013, 1, 1)


class Codec:
    """One sensor model. `model` is its short name in the inventory and on the command line."""

    model = ""

    def decode(self, payload):
        """Gives the decoded object of `payload` (bytes), or None when the model has none."""
        raise NotImplementedError

    def measures(self, payload, frame):
        """Gives the latest measures of a live frame, {"temperature": {"unit", "value"}, ...}.

        Takes the payload and what `decode` gave for it. Empty for every other kind of frame.
        """
        if frame is None or "error" in frame or not payload or payload[0] not in LIVE_FRAMES:
            return {}
        found = {}
        for name in QUANTITIES:
            alarm = frame.get("alarm" + name.capitalize())
            quantity = alarm[name] if alarm else frame.get(name)
            if quantity is None:
                continue
            if "value" in quantity:
                found[name] = quantity
            elif quantity["values"]:
                # Series are newest first.
                found[name] = {"unit": quantity["unit"], "value": quantity["values"][0]}
        return found

    def low_battery(self, frame):
        """Whether what `decode` gave says that the battery is low; None when it does not tell."""
        status = frame.get("status") if frame else None
        return status["lowBattery"] if status else None

    def reports(self, payload, frame):
        """Gives how a configuration frame says the sensor is set, {"sending_s", "sampling_s"}.

        Takes the payload and what `decode` gave for it. None for every other kind of frame. 0 is never.
        """
        if not frame or "error" in frame or not payload or payload[0] != CONFIGURATION:
            return None
        sending_s = frame["calculatedSendingPeriod"]["value"]
        if sending_s == 0 and "transmissionPeriodKeepAlive" in frame:
            # It sends no measures by itself, only that it is alive.
            sending_s = frame["transmissionPeriodKeepAlive"]["value"]
        return {"sending_s": sending_s, "sampling_s": frame["calculatedPeriodRecording"]["value"]}


class FrameError(Exception):
    """A frame that breaks its own layout."""


class Frame:
    """Big-endian fields of one uplink; reading past its end raises FrameError."""

    def __init__(self, payload):
        self.payload = payload

    def __len__(self):
        return len(self.payload)

    def u8(self, offset):
        """The unsigned byte at `offset`."""
        return self._integer(offset, 1, False)

    def u16(self, offset):
        """The unsigned 16-bit integer at `offset`."""
        return self._integer(offset, 2, False)

    def i16(self, offset):
        """The signed 16-bit integer at `offset`."""
        return self._integer(offset, 2, True)

    def u32(self, offset):
        """The unsigned 32-bit integer at `offset`."""
        return self._integer(offset, 4, False)

    def timestamp(self, offset):
        """The device time stamp at `offset`, as text without a zone.

        Values reach the year 2149, past the 32-bit time_t of the gateway, hence no fromtimestamp().
        """
        moment = DEVICE_EPOCH + datetime.timedelta(seconds=self.u32(offset))
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000")

    def temperature(self, offset):
        """The temperature in tenths of a degree at `offset`."""
        return {"unit": "\u00b0C", "value": tenths(self.i16(offset))}

    def humidity(self, offset):
        """The relative humidity at `offset`."""
        return {"unit": "%", "value": self.u8(offset)}

    def co2(self, offset):
        """The CO2 concentration at `offset`."""
        return {"unit": "ppm", "value": self.u16(offset)}

    def _integer(self, offset, size, signed):
        if offset < 0 or offset + size > len(self.payload):
            raise FrameError("the frame has %d bytes, byte %d is missing" % (len(self), offset + size - 1))
        return int.from_bytes(self.payload[offset : offset + size], "big", signed=signed)


def tenths(value):
    """A tenth of `value`, as an integer where it is one: JSON then reads 20, as JavaScript writes it."""
    return value // 10 if value % 10 == 0 else value / 10
