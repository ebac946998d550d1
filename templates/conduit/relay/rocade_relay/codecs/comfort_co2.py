"""Adeunis COMFORT CO2 (ARF8373A): temperature, humidity and CO2, with a daily summary."""

from .adeunis import PARTIAL_MISSING_NETWORK, Adeunis, alarm, sampling, samples, series, timestamped
from .base import tenths

SAMPLE_SIZE = 5
DAILY_SIGFOX = 11
DAILY_WHOLE = (19, 23)


class ComfortCo2(Adeunis):
    """Firmware from 2.2."""

    model = "comfort-co2"

    def parsers(self):
        table = super().parsers()
        table.update(
            {
                0x10: self.configuration,
                0x30: self.daily,
                0x37: self.software_version,
                0x6A: self.history,
                0x6B: self.alarms,
            }
        )
        return table

    def configuration(self, frame):
        """Frame 0x10; the black-out hours are there from 12 bytes on, and then both are needed."""
        body = {"type": "0x10 Comfort CO2 configuration", "dailyFrameActivated": frame.u16(2) != 0}
        body.update(sampling(frame, redundant=True))
        if len(frame) >= 12:
            body["blackOutDuration"] = {"unit": "h", "value": frame.u8(11)}
            body["blackOutStartTime"] = {"unit": "h", "value": frame.u8(12)}
        return body

    def daily(self, frame):
        """Frame 0x30: extremes and averages of the day; Sigfox sends the first 11 bytes only."""
        body = {"type": "0x30 Comfort CO2 Daily frame"}
        if timestamped(frame):
            body["timestamp"] = frame.timestamp(19)
        body["icone"] = frame.u8(2)
        body["qaiRedDuration"] = {"unit": "min", "value": frame.u8(3) * 10}
        body["temperatureMax"] = frame.temperature(4)
        body["co2Max"] = frame.co2(6)
        body["humidityMax"] = frame.humidity(8)
        body["temperatureMin"] = frame.temperature(9)
        if len(frame) in DAILY_WHOLE:
            body["co2Min"] = frame.co2(11)
            body["humidityMin"] = frame.humidity(13)
            body["temperatureAverage"] = frame.temperature(14)
            body["co2Average"] = frame.co2(16)
            body["humidityAverage"] = frame.humidity(18)
        elif len(frame) != DAILY_SIGFOX:
            body["partialDecoding"] = PARTIAL_MISSING_NETWORK
        return body

    def history(self, frame):
        """Frame 0x6a: samples of temperature, humidity and CO2, newest first."""
        offsets, timestamp = samples(frame, SAMPLE_SIZE, timestamped(frame))
        body = {"type": "0x6a Comfort CO2 data"}
        if timestamp:
            body["timestamp"] = timestamp
        body["decodingInfo"] = "values: [t=0, t-1, t-2, ...]"
        body["temperature"] = series("\u00b0C", [tenths(frame.i16(offset)) for offset in offsets])
        body["humidity"] = series("%", [frame.u8(offset + 2) for offset in offsets])
        body["co2"] = series("ppm", [frame.u16(offset + 3) for offset in offsets])
        return body

    def alarms(self, frame):
        """Frame 0x6b: the time stamp is the last four bytes, whatever the length.

        CO2 is signed in this frame alone, as in the manufacturer's codec; the sensor stays below 32768 ppm.
        """
        body = {"type": "0x6b Comfort CO2 alarm"}
        if timestamped(frame):
            body["timestamp"] = frame.timestamp(len(frame) - 4)
        bits = frame.u8(2)
        body["alarmTemperature"] = alarm(bits & 0x10, "temperature", frame.temperature(3))
        body["alarmHumidity"] = alarm(bits & 0x01, "humidity", frame.humidity(5))
        body["alarmCo2"] = alarm(bits & 0x20, "co2", {"unit": "ppm", "value": frame.i16(6)})
        return body
