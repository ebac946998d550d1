"""What all Adeunis products share: byte 0 frame code, byte 1 status, the generic frames.

Source of every layout: `@adeunis/codecs` 1.6.1 (MIT), behind the manufacturer's online decoder.
"""

from .base import Codec, Frame, FrameError

DEBOUNCE_CODE_3_MS = 500  # Almost certainly their slip for 50 ms, kept because both their codecs have it.
DEBOUNCE_MS = (
    0,
    10,
    20,
    DEBOUNCE_CODE_3_MS,
    100,
    200,
    500,
    1000,
    2000,
    5000,
    10000,
    20000,
    40000,
    60000,
    300000,
    600000,
)
INPUT_TYPES = {0: "deactivated", 1: "highEdge", 2: "lowEdge", 3: "bothEdges"}
REQUEST_STATUSES = {
    1: "success",
    2: "successNoUpdate",
    3: "errorCoherency",
    4: "errorInvalidRegister",
    5: "errorInvalidValue",
    6: "errorTruncatedValue",
    7: "errorAccesNotAllowed",
}
PARTIAL_MISSING_NETWORK = 1


def seconds(value):
    """A quantity in seconds."""
    return {"unit": "s", "value": value}


class Adeunis(Codec):
    """The frames every product answers with; a product adds its own to `parsers`."""

    has_timestamp = True

    def parsers(self):
        """The table frame code -> method that takes a Frame and gives the body, `type` included."""
        return {
            0x1F: self.digital_input_configuration,
            0x20: self.network_configuration,
            0x30: self.keep_alive,
            0x33: self.set_register_status,
            0x51: self.digital_input_1_alarm,
            0x52: self.digital_input_2_alarm,
        }

    def __init__(self):
        self.table = self.parsers()

    def decode(self, payload):
        if len(payload) < 2:
            return {"type": "Invalid"}
        frame = Frame(payload)
        if frame.u8(0) == 0:
            # The manufacturer's decoder takes code 0 for its status parser and answers no type.
            return {"status": self.status(frame)}
        parser = self.table.get(frame.u8(0))
        if parser is None:
            return {"type": "Unsupported"}
        try:
            body = parser(frame)
        except FrameError as error:
            # Never part of a body: half a frame must not look like a reading.
            return {"status": self.status(frame), "error": str(error)}
        decoded = {"type": body.pop("type"), "status": self.status(frame)}
        decoded.update(body)
        return decoded

    def status(self, frame):
        """The object of the status byte."""
        bits = frame.u8(1)
        status = {
            "frameCounter": bits >> 5,
            "hardwareError": False,
            "lowBattery": bool(bits & 0x02),
            "configurationDone": bool(bits & 0x01),
            "configurationInconsistency": bool(bits & 0x08),
        }
        if self.has_timestamp:
            status["timestamp"] = timestamped(frame)
        return status

    def digital_input_configuration(self, frame):
        """Frame 0x1f, registers S380 to S383."""
        return {
            "type": "0x1f digital input configuration",
            "digitalInput1": digital_input(frame, 2),
            "digitalInput2": digital_input(frame, 5),
        }

    def network_configuration(self, frame):
        """Frame 0x20: its exact length tells LoRaWAN (4) from Sigfox (3, 5)."""
        body = {"type": "0x20 Configuration"}
        if len(frame) == 4:
            options = frame.u8(2)
            body["loraAdr"] = bool(options & 0x01)
            body["loraProvisioningMode"] = "OTAA" if frame.u8(3) else "ABP"
            body["loraDutycyle"] = "activated" if options & 0x04 else "deactivated"
            body["loraClassMode"] = "CLASS C" if options & 0x20 else "CLASS A"
        elif len(frame) in (3, 5):
            body["sigfoxRetry"] = frame.u8(2) & 0x03
            if len(frame) == 5:
                body["sigfoxDownlinkPeriod"] = {"unit": "m", "value": frame.i16(3)}
        else:
            body["partialDecoding"] = PARTIAL_MISSING_NETWORK
        return body

    def keep_alive(self, frame):
        """Frame 0x30: the status is all it says."""
        return {"type": "0x30 Keep alive"}

    def set_register_status(self, frame):
        """Frame 0x33, answer to a "set register" downlink."""
        return {
            "type": "0x33 Set register status",
            "requestStatus": REQUEST_STATUSES.get(frame.u8(2), "errorOtherReason"),
            "registerId": frame.u16(3),
        }

    def software_version(self, frame):
        """Frame 0x37, not sent by the first generation."""
        numbers = [str(frame.u8(offset)) for offset in range(2, 8)]
        return {
            "type": "0x37 Software version",
            "appVersion": ".".join(numbers[:3]),
            "rtuVersion": ".".join(numbers[3:]),
        }

    def digital_input_1_alarm(self, frame):
        """Frame 0x51."""
        return digital_input_alarm(frame, "0x51 digital input 1 alarm")

    def digital_input_2_alarm(self, frame):
        """Frame 0x52."""
        return digital_input_alarm(frame, "0x52 digital input 2 alarm")


def timestamped(frame):
    """Whether status bit 2 announces a device time stamp."""
    return bool(frame.u8(1) & 0x04)


def digital_input(frame, offset):
    """One input of frame 0x1f."""
    bits = frame.u8(offset)
    return {
        "type": INPUT_TYPES.get(bits & 0x0F, ""),
        "debouncingPeriod": {"unit": "ms", "value": DEBOUNCE_MS[bits >> 4]},
        "threshold": frame.u16(offset + 1),
    }


def digital_input_alarm(frame, name):
    """Frames 0x51 and 0x52; their time stamp sits at a fixed place, on every product."""
    body = {"type": name}
    if timestamped(frame):
        body["timestamp"] = frame.timestamp(9)
    state = frame.u8(2)
    body["state"] = {"previousFrame": bool(state & 0x02), "current": bool(state & 0x01)}
    body["counter"] = {"global": frame.u32(3), "instantaneous": frame.u16(7)}
    return body


def sampling(frame, redundant):
    """The fields of frame 0x10 that the Comfort family shares: registers S301, S320, S321, S323."""
    sending, recording, period_s = frame.u16(4), frame.u16(6), frame.u16(8) * 2
    body = {
        "numberOfHistorizationBeforeSending": sending,
        "numberOfSamplingBeforeHistorization": recording,
        "samplingPeriod": seconds(period_s),
    }
    if redundant:
        body["redundantSamples"] = frame.u8(10)
    body["calculatedPeriodRecording"] = seconds(period_s * recording)
    body["calculatedSendingPeriod"] = seconds(period_s * recording * sending)
    return body


def samples(frame, size, stamped):
    """The offsets of the samples of `size` bytes in a data frame (0x4c, 0x6a), and its time stamp or None.

    A frame whose tail was cut is refused. The manufacturer's codecs take sample bytes for the time
    stamp there and answer a wrong date and wrong measures without an error.
    """
    end = len(frame) - 4 if stamped else len(frame)
    if end < 2 or (end - 2) % size:
        raise FrameError(
            "%d bytes are not whole samples of %d%s"
            % (len(frame), size, " and a time stamp" if stamped else "")
        )
    return range(2, end, size), frame.timestamp(end) if stamped else None


def series(unit, values):
    """A quantity sampled over time, newest first."""
    return {"unit": unit, "values": values}


def alarm(active, name, quantity):
    """One quantity of an alarm frame."""
    return {"alarmStatus": "active" if active else "inactive", name: quantity}
