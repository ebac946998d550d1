"""Adeunis COMFORT (ARF8275A): temperature and humidity.

The same reference exists with firmware before and from 2.1; frames do not tell which, the inventory does.
"""

from .adeunis import Adeunis, alarm, sampling, samples, seconds, series, timestamped
from .base import tenths

SAMPLE_SIZE = 3


class ComfortV1(Adeunis):
    """Firmware before 2.1: no time stamps in data and alarm frames, no redundancy, no frame 0x37."""

    model = "comfort-v1"
    title = "Comfort"
    has_timestamp = False

    def parsers(self):
        table = super().parsers()
        table.update({0x10: self.configuration, 0x4C: self.history, 0x4D: self.alarms})
        return table

    def configuration(self, frame):
        """Frame 0x10, registers S300 to S323."""
        body = {
            "type": "0x10 %s configuration" % self.title,
            "transmissionPeriodKeepAlive": seconds(frame.u16(2) * 10),
        }
        body.update(sampling(frame, redundant=self.has_timestamp))
        return body

    def history(self, frame):
        """Frame 0x4c: samples of temperature and humidity, newest first."""
        offsets, timestamp = samples(frame, SAMPLE_SIZE, self.stamped(frame))
        body = {"type": "0x4c %s data" % self.title}
        if timestamp:
            body["timestamp"] = timestamp
        body["decodingInfo"] = "values: [t=0, t-1, t-2, ...]"
        body["temperature"] = series("\u00b0C", [tenths(frame.i16(offset)) for offset in offsets])
        body["humidity"] = series("%", [frame.u8(offset + 2) for offset in offsets])
        return body

    def alarms(self, frame):
        """Frame 0x4d. Any of bits 4 to 7 makes temperature active, as in the manufacturer's codec."""
        body = {"type": "0x4d %s alarm" % self.title}
        if self.stamped(frame):
            body["timestamp"] = frame.timestamp(6)
        bits = frame.u8(2)
        body["alarmTemperature"] = alarm(bits >> 4, "temperature", frame.temperature(3))
        body["alarmHumidity"] = alarm(bits & 0x01, "humidity", frame.humidity(5))
        return body

    def stamped(self, frame):
        """Whether this frame ends with a time stamp: bit 2 meant a hardware error before 2.1."""
        return self.has_timestamp and timestamped(frame)


class Comfort(ComfortV1):
    """Firmware from 2.1, which the manufacturer's library calls Comfort 2."""

    model = "comfort"
    title = "Comfort 2"
    has_timestamp = True

    def parsers(self):
        table = super().parsers()
        table[0x37] = self.software_version
        return table
