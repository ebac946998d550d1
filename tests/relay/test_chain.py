"""Real brokers, a real relay: everything arrives, in clear nothing, over outages, kills and garbage."""

import json
import os
import shutil
import subprocess
import sys
import time
import unittest

import jsonschema
import paho.mqtt

import chain
import places
from chain import TOPIC, wait_for
from eavesdropper import Eavesdropper
from rocade_relay.remote import IN_FLIGHT_MAX
from rocade_relay.spool import ACKS_UNSAVED_MAX

RSS_KIB_MAX = 25 * 1024
with open(os.path.join(places.RELAY, "reading.schema.json"), encoding="utf-8") as schema_file:
    SCHEMA = jsonschema.Draft202012Validator(json.load(schema_file))


class ChainCase(unittest.TestCase):
    def setUp(self):
        self.chain = chain.Chain()
        self.addCleanup(self.chain.close)
        self.relay = self.chain.relay

    def online(self, reader):
        wait_for(
            "the relay to be online",
            lambda: reader.of(chain.STATUS_TOPIC) and reader.of(chain.STATUS_TOPIC)[-1]["state"] == "online",
        )

    def counters(self, reader):
        return [value["f_cnt"] for value in reader.of(TOPIC)]

    def assert_all_arrived(self, reader, count, duplicates_max):
        counters = self.counters(reader)
        first_times = list(dict.fromkeys(counters))
        self.assertEqual(first_times, list(range(1, count + 1)))
        duplicates = len(counters) - len(first_times)
        self.assertLessEqual(duplicates, duplicates_max)
        for value in reader.of(TOPIC):
            SCHEMA.validate(value)
        return duplicates


class Delivery(ChainCase):
    def test_readings_status_probe_and_last_will(self):
        reader, publisher = self.chain.reader(), self.chain.publisher()
        self.relay.start()
        self.online(reader)
        self.chain.send(publisher, 1)
        reading = wait_for("the reading", lambda: reader.of(TOPIC))[0]
        SCHEMA.validate(reading)
        self.assertEqual(reading["measures"]["co2"], {"unit": "ppm", "value": 400})
        self.assertEqual(reading["dev_eui"], chain.CONFIG_EUI)

        probe = subprocess.run(
            [
                sys.executable,
                os.path.join(places.RELAY, "main.py"),
                "--config",
                self.relay.config,
                "--probe",
                "n-271828",
            ],
            timeout=60,
        )
        self.assertEqual(probe.returncode, 0)
        reply = wait_for("the probe's answer", lambda: reader.of(chain.PROBE_REPLY_TOPIC))[0]
        self.assertEqual((reply["nonce"], reply["gateway"]), ("n-271828", "pool-gw"))

        # A configuration frame arrives, and the reading stays the retained value.
        self.chain.send(publisher, 1, payload="1010000100010001070800")
        wait_for("the configuration frame", lambda: len(reader.of(TOPIC)) == 2)
        late = self.chain.reader("late-reader")
        retained = wait_for("the retained reading", lambda: late.of(TOPIC))[0]
        self.assertEqual(retained, reading)
        self.assertTrue([held for topic, _, held in late.received() if topic == TOPIC][0])
        self.assertEqual(late.of(chain.PROBE_REPLY_TOPIC), [])

        health = wait_for("the health file", self.relay.health)
        self.assertEqual(health["pid"], self.relay.process.pid)
        self.relay.kill()
        wait_for("the last will", lambda: reader.of(chain.STATUS_TOPIC)[-1]["state"] == "offline")
        self.assertEqual(reader.of(chain.STATUS_TOPIC)[-1], {"state": "offline", "gateway": "pool-gw"})
        self.assertEqual(self.chain.remote.logged("Denied PUBLISH"), 0)

    def test_orderly_stop(self):
        reader, publisher = self.chain.reader(), self.chain.publisher()
        self.relay.start()
        self.online(reader)
        self.chain.send(publisher, 30)
        wait_for("30 readings", lambda: len(reader.of(TOPIC)) >= 30)
        wait_for("the status to follow", lambda: self.relay.health().get("state") == "online")
        self.assertEqual(self.relay.stop(), 0)
        wait_for("the last will", lambda: reader.of(chain.STATUS_TOPIC)[-1]["state"] == "offline")
        self.relay.start()
        self.online(reader)
        self.chain.send(publisher, 1)
        wait_for("the 31st reading", lambda: 31 in self.counters(reader))
        self.assert_all_arrived(reader, 31, IN_FLIGHT_MAX)

    def test_what_was_heard_outlasts_restarts(self):
        publisher = self.chain.publisher()
        self.relay.start()
        self.chain.send(publisher, 1, payload="1010000100020096000100")
        self.chain.send(publisher, 1)
        entry = wait_for("two uplinks", lambda: self.heard_uplinks(2))
        self.assertEqual((entry["reports"]["sending_s"], entry["rssi"], entry["snr"]), (600, -27, 10.2))
        self.relay.kill()
        self.chain.uplink()  # Nobody hears it.
        self.relay.start()
        self.chain.send(publisher, 1)
        entry = wait_for("the third uplink", lambda: self.heard_uplinks(3))
        self.assertEqual((entry["f_cnt"], entry["missed"], entry["low_battery"]), (4, 1, False))
        self.assertEqual(self.relay.stop(), 0)
        self.assertEqual(self.relay.written(self.relay.heard_kept_file)["sensors"][chain.CONFIG_EUI], entry)

    def heard_uplinks(self, count):
        entry = self.relay.heard()
        return entry if entry and entry["uplinks"] == count else None

    def test_probe_without_a_local_broker(self):
        self.relay.start()
        self.chain.local.stop()
        probe = subprocess.run(
            [
                sys.executable,
                os.path.join(places.RELAY, "main.py"),
                "--config",
                self.relay.config,
                "--probe",
                "x",
            ],
            stderr=subprocess.PIPE,
            timeout=60,
        )
        self.assertEqual(probe.returncode, 69, probe.stderr)


class Outages(ChainCase):
    def test_remote_broker_and_relay_die_in_turn(self):
        reader, publisher = self.chain.reader(), self.chain.publisher()
        self.relay.start()
        self.online(reader)
        self.chain.send(publisher, 100)
        wait_for("100 readings", lambda: len(reader.of(TOPIC)) >= 100)
        before = len(reader.of(TOPIC))

        self.chain.remote.stop()
        self.chain.send(publisher, 300)
        self.relay.kill()
        self.chain.send(publisher, 100)  # Kept by the local broker, for the relay's session.
        self.relay.start()
        self.chain.send(publisher, 500)
        self.chain.remote.start()
        wait_for("the first of the backlog", lambda: len(reader.of(TOPIC)) > before)
        self.relay.kill()  # In the middle of the backlog.
        self.relay.start()
        wait_for("part of the backlog", lambda: len(set(self.counters(reader))) > 400)
        self.chain.remote.stop()
        self.chain.remote.start()
        wait_for("all 1000 readings", lambda: len(set(self.counters(reader))) == 1000)
        # Two kills of the relay, two stops of the broker; the reader's own session may repeat as much.
        duplicates = self.assert_all_arrived(reader, 1000, 2 * ACKS_UNSAVED_MAX + 6 * IN_FLIGHT_MAX)
        rss, peak = self.relay.memory_kib("VmRSS"), self.relay.memory_kib("VmHWM")
        print(
            "paho-mqtt %s: 1000 of 1000 arrived, %d twice; RSS %d KiB, peak %d KiB"
            % (paho.mqtt.__version__, duplicates, rss, peak)
        )
        self.assertLess(peak, RSS_KIB_MAX)

    def test_local_broker_restarts(self):
        reader, publisher = self.chain.reader(), self.chain.publisher()
        self.relay.start()
        self.online(reader)
        self.chain.send(publisher, 10)
        self.chain.local.stop()
        self.chain.local.start()
        wait_for("the publisher to be back", lambda: publisher.connections == 2)
        self.chain.send(publisher, 10)
        wait_for("20 readings", lambda: len(set(self.counters(reader))) == 20)
        self.assert_all_arrived(reader, 20, 0)


class Trust(ChainCase):
    def test_unknown_authority_and_then_the_right_one(self):
        reader, publisher = self.chain.reader(), self.chain.publisher()
        proxy, clear = Eavesdropper(self.chain.remote.port), Eavesdropper()
        self.addCleanup(proxy.close)
        self.addCleanup(clear.close)
        remote = self.relay.settings["remote"]
        remote.update(port=proxy.port, ca_file=self.chain.path("stranger.pem"))
        self.relay.start()
        self.chain.send(publisher, 5)
        wait_for("two refusals", lambda: self.relay.logged("certificate is not accepted") >= 2)
        wait_for("the health file to say so", lambda: self.relay.health().get("state") == "untrusted")
        self.assertEqual(reader.received(), [])
        self.assertEqual(self.chain.remote.logged(" as rocade-relay-pool-gw"), 0)
        self.assert_only_tls(proxy)

        # A certificate of the right authority for another name is no better.
        self.relay.stop()
        remote.update(ca_file=self.chain.path("authority.pem"), server_name="other.test")
        self.relay.start()
        wait_for("a refusal of the name", lambda: self.relay.logged("Hostname mismatch") >= 1)
        self.assertEqual(reader.received(), [])

        # The right authority and name: what was spooled meanwhile arrives, still over TLS only.
        self.relay.stop()
        del remote["server_name"]  # The address itself is in the certificate.
        self.relay.start()
        wait_for("all 5 readings", lambda: len(set(self.counters(reader))) == 5)
        self.assert_all_arrived(reader, 5, 0)
        self.assert_only_tls(proxy)
        self.assertEqual(clear.connections, 0)

    def assert_only_tls(self, proxy):
        heard = bytes(proxy.heard)
        self.assertEqual(heard[:2], b"\x16\x03")  # A TLS handshake record.
        for secret in (chain.RELAY_PASSWORD, chain.RELAY_USER, TOPIC, "MQTT"):
            self.assertNotIn(secret.encode("ascii"), heard)

    def test_a_server_without_tls_gets_nothing(self):
        publisher = self.chain.publisher()
        clear = chain.Broker(self.chain.directory, "clear", ["allow_anonymous true"]).start()
        self.addCleanup(clear.stop)
        self.relay.settings["remote"]["port"] = clear.port
        self.relay.start()
        self.chain.send(publisher, 2)
        wait_for("two failures", lambda: self.relay.logged("remote broker:") >= 2)
        self.assertEqual(clear.logged("PUBLISH"), 0)
        self.assertEqual(clear.logged(" as rocade-relay-pool-gw"), 0)

    def test_wrong_password(self):
        reader, publisher = self.chain.reader(), self.chain.publisher()
        with open(self.chain.path("password"), "w") as file:
            file.write("wrong\n")
        self.relay.start()
        self.chain.send(publisher, 3)
        wait_for("the health file to say so", lambda: self.relay.health().get("state") == "refused")
        self.assertEqual(self.relay.logged("refuses the user name or password; again in 120 s"), 1)
        with open(self.chain.path("password"), "w") as file:
            file.write(chain.RELAY_PASSWORD)
        self.relay.stop()
        self.relay.start()
        wait_for("the readings", lambda: len(set(self.counters(reader))) == 3)
        with open(self.relay.log, encoding="utf-8") as log, open(
            self.relay.health_file, encoding="utf-8"
        ) as health:
            written = log.read() + health.read()
        self.assertIn("refuses", written)
        self.assertNotIn(chain.RELAY_PASSWORD, written)

    def test_a_certificate_instead_of_a_password(self):
        reader, publisher = self.chain.reader(), self.chain.publisher()
        names = dict(names="DNS:relay.test", usage="clientAuth")
        for authority, name in (("authority", chain.RELAY_USER), ("stranger", "forged")):
            chain.make_leaf(self.chain.directory, authority, name, **names)
        remote = self.relay.settings["remote"]
        del remote["password_file"]
        remote.update(port=self.chain.certificates_port)
        remote.update(certificate_file=self.chain.path("forged.pem"), key_file=self.chain.path("forged.key"))
        self.relay.start()
        self.chain.send(publisher, 3)
        wait_for("two refusals", lambda: self.relay.logged("remote broker:") >= 2)
        self.assertEqual(reader.received(), [])

        # Its own: what was spooled meanwhile arrives under the account of the certificate's name.
        self.relay.stop()
        own = self.chain.path(chain.RELAY_USER)
        remote.update(certificate_file=own + ".pem", key_file=own + ".key", username="somebody-else")
        self.relay.start()
        wait_for("the readings", lambda: len(set(self.counters(reader))) == 3)
        self.assert_all_arrived(reader, 3, 0)


class Garbage(ChainCase):
    KINDS = (
        b"",
        b"\xff\xfe\x00",
        b"{",
        b"[]",
        b"{'deveui': 'x'}",
        b'{"deveui": 5}',
        b"[" * 9000,
        b"null",
        b'{"deveui":"0018b21000004a2f","data":NaN}',
        b'{"deveui":"0018b21000004a2f","port":[]}',
    )

    def test_flood(self):
        reader, publisher = self.chain.reader(), self.chain.publisher()
        began = time.monotonic()
        self.relay.start()
        self.online(reader)
        for number in range(2000):
            publisher.publish("lora/x/y/up", self.KINDS[number % len(self.KINDS)])
        publisher.publish("lora/x/y/up", b"x" * 1000000)
        publisher.publish("rocade/probe", b'{"nonce":[]}')
        strangers = ["00000000000000%02x" % number for number in range(9)]
        for stranger in strangers:
            publisher.publish("lora/x/y/up", self.chain.uplink(deveui=stranger))
        body = self.chain.uplink()
        publisher.publish("lora/x/y/up", body)
        publisher.publish("lora/x/y/up", body)
        last = self.chain.uplink()
        publisher.publish("lora/x/y/up", last)
        wait_for("the last reading", lambda: len(reader.of(TOPIC)) >= 2)
        for value in reader.of(TOPIC):
            SCHEMA.validate(value)
        self.assertEqual(self.counters(reader), [10, 11])
        status = wait_for(
            "a status with the counts",
            lambda: [value for value in reader.of(chain.STATUS_TOPIC) if value.get("garbage") == 2002],
        )[-1]
        self.assertEqual(status["unknown_uplinks"], 9)
        self.assertEqual(status["unknown_sensors"], strangers[-5:])
        self.assertEqual(status["repeats"], 1)
        wait_for("the last to be heard", lambda: (self.relay.heard() or {}).get("uplinks") == 2)
        self.assertEqual((status["published"], status["spooled"], status["dropped"]), (2, 0, 0))
        minutes = int(time.monotonic() - began) // 60 + 1
        self.assertLessEqual(self.relay.logged("not an uplink"), minutes)
        print(
            "paho-mqtt %s: peak RSS %d KiB after 2002 garbage messages, one of 1 MB"
            % (paho.mqtt.__version__, self.relay.memory_kib("VmHWM"))
        )
        self.assertLess(self.relay.memory_kib("VmRSS"), RSS_KIB_MAX)


if __name__ == "__main__":
    if shutil.which("mosquitto") is None:
        sys.exit("mosquitto is not installed")
    unittest.main()
