"""What the relay keeps of each sensor: gaps are counted over wraps and restarts, a rejoin is none."""

import base64
import json
import os
import shutil
import tempfile
import unittest
from unittest import mock

import places  # noqa: F401
from rocade_relay import config, heard, message, uplink
from test_config import GOOD

HALL = "0018b21000004a2f"
CHANGING = "0018b21000005c01"
NOW = 1760000000.0  # 2025-10-09T08:53:20Z
MEASURES = "6a2000d72d0190"


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="rocade-heard-")
        self.addCleanup(shutil.rmtree, self.home)
        self.monotonic = 1000.0
        self.wall = NOW
        for name, read in (("monotonic", lambda: self.monotonic), ("time", lambda: self.wall)):
            patch = mock.patch("time." + name, side_effect=read)
            patch.start()
            self.addCleanup(patch.stop)
        self.anew()

    def settings(self, **changes):
        sensor = dict(GOOD["sensors"][HALL])
        value = dict(
            GOOD,
            spool={"dir": self.path("spool"), "max_bytes": 65536},
            heard_file=self.path("fresh.json"),
            sensors={HALL: sensor, CHANGING: dict(sensor, name="changing", model="adeunis-comfort")},
        )
        value.update(changes)
        return config.Config(config.Section(value, ""))

    def path(self, name):
        return os.path.join(self.home, name)

    def anew(self, **changes):
        """As a new run of the relay does."""
        self.config = self.settings(**changes)
        self.heard = heard.Heard(self.config)

    def hear(self, counter, payload=MEASURES, dev_eui=HALL, **fields):
        fields = dict({"rssi": -101, "lsnr": -3.5}, **fields)
        fields.update(deveui=dev_eui, seqn=counter, port=fields.get("port", 1))
        fields["data"] = base64.b64encode(bytes.fromhex(payload)).decode()
        read = uplink.parse(json.dumps(fields).encode("utf-8"))
        sensor = self.config.sensors.get(dev_eui)
        if sensor is None:
            self.heard.stranger(read)
        else:
            self.heard.uplink(sensor, read, message.frame_of(sensor, read))

    def tick(self, seconds):
        self.monotonic += seconds
        self.wall += seconds
        self.heard.write()

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return json.load(file)

    def entry(self, dev_eui=HALL):
        return self.heard.document()["sensors"][dev_eui]


class Counters(Case):
    def counted(self, counters, **fields):
        for counter in counters:
            self.hear(counter, **fields)
        entry = self.entry()
        return entry["uplinks"], entry["missed"], entry["sessions"]

    def test_no_gap(self):
        self.assertEqual(self.counted([7, 8, 9]), (3, 0, 1))
        self.assertIsNone(self.entry()["gap"])

    def test_gaps_add_up_and_the_last_is_kept(self):
        self.hear(7)
        self.tick(60)
        self.hear(10)
        self.tick(60)
        self.assertEqual(self.counted([12, 13]), (4, 3, 1))
        self.assertEqual(self.entry()["gap"], {"at": "2025-10-09T08:55:20.000Z", "missed": 1})
        self.assertEqual(self.entry()["f_cnt"], 13)

    def test_the_same_uplink_again_is_no_gap(self):
        self.assertEqual(self.counted([7, 7, 8])[1:], (0, 1))

    def test_wrap_at_16_bit(self):
        self.assertEqual(self.counted([65534, 65535, 0, 1]), (4, 0, 1))
        self.assertEqual(self.counted([65535, 2]), (6, 2, 2))

    def test_wrap_with_a_gap(self):
        self.assertEqual(self.counted([65530, 2]), (2, 7, 1))

    def test_counters_of_32_bit_are_taken_by_their_lower_half(self):
        for counter in (0x1FFFF, 0x20001):
            self.hear(None, fcnt=counter)
        self.assertEqual((self.entry()["f_cnt"], self.entry()["missed"]), (1, 1))

    def test_a_rejoin_begins_anew(self):
        self.assertEqual(self.counted([5000, 5001, 0, 1, 3]), (5, 1, 2))

    def test_a_rejoin_shows_in_the_device_address_though_the_counter_went_up(self):
        self.hear(3, mhdr="40b6feb000000300")
        self.hear(9, mhdr="4011223344000900")
        self.hear(10, mhdr="4011223344000a00")
        self.assertEqual((self.entry()["missed"], self.entry()["sessions"]), (0, 2))
        self.hear(12, mhdr="short")
        self.hear(14)
        self.assertEqual((self.entry()["missed"], self.entry()["sessions"]), (2, 2))

    def test_a_step_no_network_server_takes_is_no_gap(self):
        self.assertEqual(self.counted([10, 10 + heard.GAP_MAX])[1:], (heard.GAP_MAX - 1, 1))
        self.assertEqual(self.counted([10, 11 + heard.GAP_MAX])[1:], (heard.GAP_MAX - 1, 3))

    def test_without_a_counter_nothing_is_counted_missing(self):
        self.hear(7)
        self.hear(None)
        self.hear(8)
        self.assertEqual((self.entry()["uplinks"], self.entry()["missed"]), (3, 0))


class Words(Case):
    """What the frames say."""

    def test_signal_and_time_of_the_network_server(self):
        self.hear(7, time="2025-10-09T08:53:00.171964Z")
        entry = self.entry()
        self.assertEqual((entry["rssi"], entry["snr"]), (-101, -3.5))
        self.assertEqual(entry["last"], "2025-10-09T08:53:00.171964Z")
        self.hear(8, rssi=None, lsnr="x")
        self.assertEqual((self.entry()["rssi"], self.entry()["snr"]), (None, None))

    def test_without_a_clock_there_is_no_time(self):
        self.hear(7)
        self.wall = 12.0
        self.hear(8)
        self.assertIsNone(self.entry()["last"])
        self.assertEqual(self.entry()["since"], "2025-10-09T08:53:20.000Z")

    def test_low_battery(self):
        self.assertEqual(self.told("6a2200d72d0190"), True)
        self.assertEqual(self.told(""), True)  # No frame says nothing.
        self.assertEqual(self.told("ff00"), True)  # Nor does one that is not known.
        self.assertEqual(self.told("6a2000d72d"), False)  # Its status byte is whole.
        self.hear(9, "6a2200d72d0190", port=0)
        self.assertEqual(self.entry()["low_battery"], False)  # MAC commands are no frame.

    def told(self, payload):
        self.hear(8, payload)
        return self.entry()["low_battery"]

    def test_the_period_it_reports(self):
        # Every 2 s times 150 a sample, 2 samples an uplink.
        self.hear(1, "1010000100020096000100")
        reports = {"sending_s": 600, "sampling_s": 300, "at": "2025-10-09T08:53:20.000Z"}
        self.assertEqual(self.entry()["reports"], reports)
        self.hear(2)
        self.hear(3, "10100001")  # Torn.
        self.assertEqual(self.entry()["reports"], reports)

    def test_a_comfort_that_sends_no_measures_is_alive_every_keep_alive(self):
        self.hear(1, "1010000600000096000100", CHANGING)
        self.assertEqual(self.entry(CHANGING)["reports"]["sending_s"], 60)
        # A Comfort CO2 has no keep-alive: the same bytes are its daily frame.
        self.hear(1, "1010000600000096000100", HALL)
        self.assertEqual(self.entry()["reports"]["sending_s"], 0)

    def test_every_published_configuration_frame_tells_its_period(self):
        path = places.reference("adeunis", "vectors.jsonl")
        if not os.path.exists(path):
            self.skipTest("%s is not there" % path)
        count = 0
        with open(path, encoding="utf-8") as lines:
            for case in map(json.loads, lines):
                decoded = case["decoded"]
                payload = bytes.fromhex(case["hex"])
                codec = self.config.sensors[CHANGING if case["model"] == "comfort" else HALL].codec
                reports = codec.reports(payload, codec.decode(payload))
                if payload[:1] != b"\x10" or "error" in decoded or "status" not in decoded:
                    self.assertIsNone(reports, case)
                    continue
                if decoded["calculatedSendingPeriod"]["value"]:
                    self.assertEqual(reports["sending_s"], decoded["calculatedSendingPeriod"]["value"])
                self.assertEqual(reports["sampling_s"], decoded["calculatedPeriodRecording"]["value"])
                count += 1
        self.assertGreater(count, 10)


class Strangers(Case):
    def test_only_the_latest_are_kept(self):
        for number in range(100):
            self.hear(number, dev_eui="%016x" % number)
        self.hear(1, dev_eui="%016x" % 99)
        unknown = self.heard.document()["unknown"]
        self.assertEqual(list(unknown), ["%016x" % number for number in range(68, 100)])
        self.assertEqual(unknown["%016x" % 99]["uplinks"], 2)
        self.assertEqual(self.heard.document()["sensors"], {})


class Files(Case):
    def test_fresh_in_memory_and_seldom_on_flash(self):
        self.hear(1)
        self.tick(0)
        self.assertEqual(self.read("fresh.json"), json.loads(json.dumps(self.heard.document())))
        self.assertFalse(os.path.exists(self.path("heard.json")))
        self.hear(2)
        self.tick(heard.FRESH_S - 1)
        self.assertEqual(self.read("fresh.json")["sensors"][HALL]["f_cnt"], 1)
        self.tick(1)
        self.assertEqual(self.read("fresh.json")["sensors"][HALL]["f_cnt"], 2)
        self.tick(heard.KEPT_S - heard.FRESH_S)
        self.assertEqual(self.read("heard.json")["sensors"][HALL]["f_cnt"], 2)
        stamp = os.stat(self.path("heard.json")).st_ino
        self.tick(10 * heard.KEPT_S)
        self.assertEqual(os.stat(self.path("heard.json")).st_ino, stamp, "nothing was heard since")

    def test_a_day_of_uplinks_costs_the_flash_25_writes_at_most(self):
        kept = []
        with mock.patch("os.fsync", side_effect=kept.append):
            for number in range(24 * 60):
                payload = "1010000100020096000100" if number % 60 == 0 else MEASURES
                self.hear(number, payload)
                self.tick(60)
        self.assertLessEqual(len(kept), 25)
        self.assertGreaterEqual(len(kept), 24)

    def test_a_new_period_is_on_flash_within_a_minute(self):
        self.hear(1, "1010000100020096000100")
        self.tick(heard.KEPT_SOON_S)
        self.assertEqual(self.read("heard.json")["sensors"][HALL]["reports"]["sending_s"], 600)

    def test_a_slow_processor_writes_more_seldom(self):
        real = json.dump

        def slow(*arguments, **options):
            self.monotonic += 1.0
            real(*arguments, **options)

        with mock.patch("json.dump", side_effect=slow):
            self.hear(1)
            self.tick(0)
            self.hear(2)
            self.tick(heard.REST - 1)
        self.assertEqual(self.read("fresh.json")["sensors"][HALL]["f_cnt"], 1)
        self.tick(1)
        self.assertEqual(self.read("fresh.json")["sensors"][HALL]["f_cnt"], 2)

    def test_a_restart_of_the_relay_goes_on_and_one_of_the_gateway_goes_on_from_flash(self):
        self.hear(10)
        self.hear(1, dev_eui="%016x" % 5)
        self.heard.close()
        self.hear(11)
        self.tick(0)
        self.anew()
        self.hear(13)
        self.assertEqual((self.entry()["missed"], self.entry()["uplinks"]), (1, 3))
        self.assertEqual(list(self.heard.document()["unknown"]), ["%016x" % 5])
        os.remove(self.path("fresh.json"))
        self.anew()
        self.assertEqual((self.entry()["f_cnt"], self.entry()["uplinks"]), (10, 1))

    def test_what_the_configuration_no_longer_has_is_forgotten(self):
        self.hear(1)
        self.hear(1, dev_eui=CHANGING)
        self.heard.close()
        self.anew(sensors={HALL: GOOD["sensors"][HALL]})
        self.assertEqual(list(self.heard.document()["sensors"]), [HALL])
        self.hear(1, dev_eui=CHANGING)
        self.heard.close()
        self.anew()
        self.assertEqual(dict(self.heard.document()["unknown"]), {}, "it is configured now")

    def test_a_damaged_file_stops_nothing(self):
        self.hear(1)
        self.heard.close()
        whole = json.dumps(self.read("heard.json"))
        for damaged in (
            "",
            "{",
            "[]",
            "null",
            "[" * 9000,
            whole[: len(whole) // 2],
            whole.replace('"format": 1', '"format": 2'),
            whole.replace('"rssi": -101', '"rssi": NaN'),
            whole.replace('"uplinks": 1', '"uplinks": "1"'),
            whole.replace('"uplinks": 1', '"uplinks": true'),
            whole.replace('"missed": 0', '"missed": null'),
            whole.replace('"sensors"', '"others"'),
            whole.replace(HALL, HALL.upper()),
        ):
            with open(self.path("heard.json"), "w", encoding="utf-8") as file:
                file.write(damaged)
            self.anew()
            self.assertEqual(self.heard.document()["sensors"], {}, damaged[:60])
            self.hear(2)
            self.heard.close()
            self.assertEqual(self.read("heard.json")["sensors"][HALL]["f_cnt"], 2)

    def test_files_that_cannot_be_written_stop_nothing(self):
        self.anew(heard_file="/nowhere/at/all", spool={"dir": "/nowhere/spool", "max_bytes": 65536})
        with mock.patch("logging.warning") as warned:
            self.hear(1)
            self.tick(0)
            self.tick(heard.KEPT_S)
        self.assertEqual(warned.call_count, 2)
        self.assertEqual(self.entry()["uplinks"], 1)

    def test_without_a_place_in_memory_there_is_the_flash(self):
        self.config = self.settings()
        self.config.heard_file = None
        self.heard = heard.Heard(self.config)
        self.hear(1)
        self.tick(0)
        self.assertFalse(os.path.exists(self.path("fresh.json")))
        self.tick(heard.KEPT_S)
        self.assertEqual(self.read("heard.json")["sensors"][HALL]["f_cnt"], 1)


if __name__ == "__main__":
    unittest.main()
