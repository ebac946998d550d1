"""Whatever the local broker brings gives Garbage or a valid message that says what was received."""

import base64
import json
import os
import random
import unittest
from unittest import mock

import jsonschema

import places
from rocade_relay import clock, codecs, message, uplink

EUI = "0018b21000004a2f"
with open(os.path.join(places.RELAY, "reading.schema.json"), encoding="utf-8") as schema_file:
    SCHEMA = jsonschema.Draft202012Validator(json.load(schema_file))


class Sensor:
    name, site, topic = "pool-hall", "pool", "sites/pool/hall"

    def __init__(self, model):
        self.codec = codecs.find(model)


def message_of(sensor, read):
    return message.reading("pool-gw", sensor, read, message.frame_of(sensor, read))


def reading(fields, model="adeunis-comfort-co2"):
    """The Message of an uplink and its object, held against the schema."""
    made = message_of(Sensor(model), uplink.parse(json.dumps(fields).encode("utf-8")))
    fields = json.loads(made.payload.decode("utf-8"))
    SCHEMA.validate(fields)
    return made, fields


class Parsing(unittest.TestCase):
    def test_recorded_uplinks(self):
        count = 0
        for name in ("uplinks-eu868.jsonl", "uplinks-other-regions.jsonl"):
            path = places.reference("conduit", "mqtt", name)
            if not os.path.exists(path):
                self.skipTest("%s is not there" % path)
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    local = json.loads(line)["message"]
                    made, fields = reading(local, "raw")
                    self.assertEqual(fields["payload"], local["data"])
                    self.assertEqual(fields["dev_eui"], local["deveui"].replace("-", ""))
                    self.assertEqual(len(base64.b64decode(fields["payload"])), local["size"])
                    self.assertEqual(fields["radio"]["snr"], local.get("lsnr"))
                    self.assertIsNone(fields["frame"])
                    self.assertFalse(made.retain)
                    count += 1
        self.assertEqual(count, 8)

    def test_only_the_eui_is_needed(self):
        for written in (EUI, EUI.upper(), "00-18-b2-10-00-00-4a-2f", "00:18:B2:10:00:00:4A:2F"):
            _, fields = reading({"deveui": written})
            self.assertEqual((fields["dev_eui"], fields["payload"], fields["f_port"]), (EUI, "", None))

    def test_payload_as_base64_or_hexadecimal(self):
        frame = bytes.fromhex("6ae400d72d0190")
        for data, size in (
            (base64.b64encode(frame).decode(), None),
            (frame.hex(), 7),
            (frame.hex().upper(), None),
        ):
            _, fields = reading({"deveui": EUI, "data": data, "size": size, "port": 1})
            self.assertEqual(fields["payload"], base64.b64encode(frame).decode(), data)
        # These eight characters are both; the size tells.
        for size, payload in ((4, bytes.fromhex("0018b210")), (6, base64.b64decode("0018b210"))):
            self.assertEqual(uplink.payload({"data": "0018b210", "size": size}), payload)

    def test_garbage(self):
        for garbage in (
            b"",
            b"\xff\xfe",
            b"null",
            b"[]",
            b"{",
            b"'single'",
            b'{"deveui":1}',
            b'{"deveui":"12"}',
            b"[" * 10000,
            b"{" * 10000,
            b'{"deveui":"%s","data":NaN}' % EUI.encode(),
            b"x" * 100000,
            b'{"deveui":"%s","data":7}' % EUI.encode(),
            b'{"deveui":"%s","data":"%%"}' % EUI.encode(),
            b'{"deveui":"%s","port":"1"}' % EUI.encode(),
            b'{"deveui":"%s","port":256}' % EUI.encode(),
            b'{"deveui":"%s","port":true}' % EUI.encode(),
            b'{"deveui":"%s","fcnt":-1}' % EUI.encode(),
            b'{"deveui":"%s","data":"%s"}' % (EUI.encode(), b"00" * 300),
        ):
            with self.assertRaises(uplink.Garbage, msg=garbage[:60]):
                uplink.parse(garbage)
        for garbage in (b"{}", b'{"nonce":""}', b'{"nonce":7}', b'{"nonce":"a\\nb"}', b'{"nonce":"\\ud800"}'):
            with self.assertRaises(uplink.Garbage, msg=garbage):
                uplink.parse_probe(garbage)

    def test_odd_values_still_give_a_valid_message(self):
        source = random.Random(868)
        odd = [None, True, -1, 0, 1.5, 1e400, "", "x", "\ud800", "\u00b0", [], {}, 10**40, "SF7BW125", 50000]
        valid = 0
        for _ in range(3000):
            fields = {
                key: source.choice(odd) for key in ("mhdr", "time", "rssi", "lsnr", "freq", "datr", "size")
            }
            for key in ("port", "seqn", "fcnt", "data"):
                fields[key] = source.choice(odd + [None] * 60)
            fields["deveui"] = EUI
            text = json.dumps(fields).replace("Infinity", "1e400").encode("utf-8")
            try:
                parsed = uplink.parse(text)
            except uplink.Garbage:
                continue
            SCHEMA.validate(json.loads(message_of(Sensor("comfort"), parsed).payload.decode("utf-8")))
            parsed.identity()
            valid += 1
        self.assertGreater(valid, 1000)

    def test_fsk_data_rate_is_text(self):
        self.assertEqual(reading({"deveui": EUI, "datr": 50000})[1]["radio"]["data_rate"], "50000")


class Readings(unittest.TestCase):
    def send(self, payload, **fields):
        return reading(
            dict(
                {"deveui": EUI, "data": base64.b64encode(bytes.fromhex(payload)).decode(), "port": 1},
                **fields
            )
        )

    def test_live_measures_are_the_newest_and_retained(self):
        made, fields = self.send("6a2000d72d019000d82e0191")
        self.assertEqual(
            fields["measures"],
            {
                "temperature": {"unit": "\u00b0C", "value": 21.5},
                "humidity": {"unit": "%", "value": 45},
                "co2": {"unit": "ppm", "value": 400},
            },
        )
        self.assertTrue(made.retain)
        made, fields = self.send("6b803102463201a4")
        self.assertEqual(fields["measures"]["co2"], {"unit": "ppm", "value": 420})
        self.assertTrue(made.retain)

    def test_other_frames_are_not_retained(self):
        for payload in (
            "1010000100010001070800",
            "30" + "00" * 18,
            "3700020100020001",
            "",
            "6a",
            "6a2000d72d",
            "6a20",
            "ff00",
        ):
            made, fields = self.send(payload)
            self.assertEqual(fields["measures"], {}, payload)
            self.assertFalse(made.retain, payload)

    def test_mac_commands_are_not_decoded(self):
        self.assertIsNone(self.send("6a2000d72d0190", port=0)[1]["frame"])

    def test_frame_is_the_decoded_object(self):
        frame = self.send("6b803102463201a4")[1]["frame"]
        self.assertTrue(
            places.same(frame, codecs.find("comfort-co2").decode(bytes.fromhex("6b803102463201a4")))
        )


class Times(unittest.TestCase):
    NOW = 1760000000.25

    def times(self, now, text):
        with mock.patch("time.time", return_value=now):
            return reading({"deveui": EUI, "time": text})[1]

    def test_network_server_time_first(self):
        fields = self.times(self.NOW, "2025-10-09T08:53:00.171964Z")
        self.assertEqual(fields["time"], "2025-10-09T08:53:00.171964Z")
        self.assertEqual(fields["received_at"], "2025-10-09T08:53:20.250Z")

    def test_unbelievable_times_give_the_relays_own(self):
        for text in (
            None,
            "",
            7,
            "1970-01-01T00:00:10Z",
            "2025-02-30T00:00:00Z",
            "2025-10-09 08:53:00",
            "2099-01-01T00:00:00Z",
            "2025-10-09T08:53:00+02:00",
            "x" * 500,
        ):
            self.assertEqual(self.times(self.NOW, text)["time"], "2025-10-09T08:53:20.250Z", text)

    def test_no_clock_at_all(self):
        fields = self.times(12.0, "1970-01-01T00:00:10Z")
        self.assertEqual((fields["time"], fields["received_at"]), (None, None))
        fields = self.times(12.0, "2025-10-09T08:53:00Z")
        self.assertEqual((fields["time"], fields["received_at"]), ("2025-10-09T08:53:00Z", None))

    def test_a_clock_that_is_not_set_is_named(self):
        from rocade_relay.remote import why_untrusted

        error = mock.Mock(verify_message="certificate is not yet valid")
        with mock.patch("time.time", return_value=12.0):
            self.assertFalse(clock.is_sane())
            self.assertIn("clock", why_untrusted(error))
        self.assertNotIn("clock", why_untrusted(error))


class Schema(unittest.TestCase):
    def test_refuses_what_is_not_a_reading(self):
        _, good = reading({"deveui": EUI, "data": "aiAA1y0BkA==", "port": 1})
        for key, value in (
            ("format", 2),
            ("dev_eui", EUI.upper()),
            ("time", "yesterday"),
            ("payload", "%"),
            ("measures", {"temperature": 20}),
            ("radio", {}),
            ("extra", 1),
            ("f_port", 256),
            ("frame", {"error": "x", "temperature": 1}),
        ):
            with self.assertRaises(jsonschema.ValidationError, msg=key):
                SCHEMA.validate(dict(good, **{key: value}))
        for key in good:
            with self.assertRaises(jsonschema.ValidationError, msg=key):
                SCHEMA.validate({name: value for name, value in good.items() if name != key})

    def test_is_a_schema(self):
        SCHEMA.check_schema(SCHEMA.schema)


if __name__ == "__main__":
    unittest.main()
