"""A configuration the relay cannot work with ends with code 64 and names the key at fault."""

import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

import places
from rocade_relay import config

GOOD = {
    "format": 1,
    "gateway": "pool-gw",
    "site": "pool",
    "local": {"host": "127.0.0.1", "port": 1883, "topic": "lora/+/+/up", "probe_topic": "rocade/probe"},
    "remote": {
        "host": "broker.example.net",
        "port": 8883,
        "ca_file": "/ca.pem",
        "username": "relay-pool-gw",
        "password_file": "/password",
        "client_id": "rocade-relay-pool-gw",
        "keepalive_s": 60,
    },
    "spool": {"dir": "/var/config/rocade/spool", "max_bytes": 16777216},
    "status_topic": "rocade/relays/pool-gw/status",
    "probe_reply_topic": "rocade/relays/pool-gw/probe",
    "sensors": {
        "0018b21000004a2f": {
            "name": "pool-hall",
            "site": "pool",
            "model": "adeunis-comfort-co2",
            "topic": "sites/pool/hall",
            "period_s": 600,
        }
    },
}


def paths(value, at=()):
    """All places in the configuration, as tuples of keys."""
    for key in value:
        yield at + (key,)
        if isinstance(value[key], dict):
            yield from paths(value[key], at + (key,))


def changed(at, value):
    """The good configuration with another value at a place; None takes the key away."""
    result = copy.deepcopy(GOOD)
    inner = result
    for key in at[:-1]:
        inner = inner[key]
    if value is None:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return result


def load(value):
    return config.Config(config.Section(value, ""))


class Configuration(unittest.TestCase):
    def test_good(self):
        settings = load(GOOD)
        self.assertEqual(settings.remote.server_name, "broker.example.net")
        self.assertEqual(settings.health_file, "/var/config/rocade/relay-status.json")
        self.assertEqual(settings.heard_kept_file, "/var/config/rocade/heard.json")
        self.assertIsNone(settings.heard_file)
        self.assertEqual(load(dict(GOOD, heard_file="/run/x")).heard_file, "/run/x")
        self.assertEqual(settings.sensors["0018b21000004a2f"].codec.model, "comfort-co2")
        for model in ("adeunis-comfort", "adeunis-comfort-v1", "comfort", "raw"):
            load(changed(("sensors", "0018b21000004a2f", "model"), model))
        self.assertEqual(
            load(changed(("remote", "server_name"), "b.example")).remote.server_name, "b.example"
        )

    def test_a_certificate_stands_for_the_password(self):
        value = changed(("remote", "password_file"), None)
        value["remote"].update(certificate_file="/client.pem", key_file="/client.key")
        remote = config.Config(config.Section(value, "")).remote
        self.assertEqual(
            (remote.certificate_file, remote.key_file, remote.password_file),
            ("/client.pem", "/client.key", None),
        )
        del value["remote"]["key_file"]
        with self.assertRaisesRegex(config.ConfigError, "remote.key_file: is missing"):
            config.Config(config.Section(value, ""))

    def test_every_needed_key_is_missed_by_name(self):
        unused = {("site",), ("sensors", "0018b21000004a2f"), ("sensors", "0018b21000004a2f", "period_s")}
        count = 0
        for at in paths(GOOD):
            if at in unused:
                load(changed(at, None))
                continue
            with self.assertRaises(config.ConfigError) as caught:
                load(changed(at, None))
            self.assertTrue(str(caught.exception).startswith(".".join(at) + ":"), (at, caught.exception))
            count += 1
        self.assertEqual(count, 25)

    def test_wrong_values(self):
        for at, value in (
            (("format",), 2),
            (("local", "port"), "1883"),
            (("remote", "port"), 0),
            (("remote",), []),
            (("status_topic",), "a/#"),
            (("spool", "max_bytes"), 1000),
            (("sensors", "zz"), {}),
            (("gateway",), ""),
            (("heard_file",), 7),
            (("remote", "keepalive_s"), True),
            (("sensors", "0018b21000004a2f", "model"), "toaster"),
            (("sensors", "0018b21000004a2f", "topic"), "sites/+/x"),
        ):
            with self.assertRaises(config.ConfigError, msg=at):
                load(changed(at, value))

    def test_exit_code(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "config.json")
            for text in ("", "{", json.dumps(changed(("remote", "ca_file"), None)), "[1]"):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                result = subprocess.run(
                    [sys.executable, os.path.join(places.RELAY, "main.py"), "--config", path],
                    stderr=subprocess.PIPE,
                    timeout=60,
                )
                self.assertEqual(result.returncode, 64, result.stderr)
                self.assertIn(b"configuration", result.stderr)
            self.assertIn(b"file", result.stderr)


if __name__ == "__main__":
    unittest.main()
