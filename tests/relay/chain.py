"""The whole chain on loopback: a local Mosquitto in clear, the relay as a process, a remote one with TLS."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import paho.mqtt.client as mqtt

import places

PATIENCE_S = 60
RELAY_USER, RELAY_PASSWORD = "relay-pool-gw", "planted-secret-3141"
EUI = "00-18-b2-10-00-00-4a-2f"
CONFIG_EUI = "0018b21000004a2f"
TOPIC = "sites/pool/hall"
STATUS_TOPIC = "rocade/relays/pool-gw/status"
PROBE_REPLY_TOPIC = "rocade/relays/pool-gw/probe"


def wait_for(what, condition):
    """Waits until `condition()` is true; gives its value. Fails with `what` after a generous time."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def openssl(*arguments):
    subprocess.run(("openssl",) + arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_authority(directory, name):
    """A CA of its own: NAME.pem and NAME.key."""
    openssl(
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=" + name,
        "-keyout",
        os.path.join(directory, name + ".key"),
        "-out",
        os.path.join(directory, name + ".pem"),
    )


def make_leaf(directory, authority, name, names="DNS:broker.test,IP:127.0.0.1", usage="serverAuth"):
    """A certificate for `names`, a server's when not told otherwise: NAME.pem and NAME.key."""
    path = os.path.join(directory, name)
    with open(path + ".ext", "w") as file:
        file.write("subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=%s\n" % (names, usage))
    openssl(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=" + name,
        "-keyout",
        path + ".key",
        "-out",
        path + ".csr",
    )
    openssl(
        "x509",
        "-req",
        "-in",
        path + ".csr",
        "-CA",
        os.path.join(directory, authority + ".pem"),
        "-CAkey",
        os.path.join(directory, authority + ".key"),
        "-CAcreateserial",
        "-days",
        "1",
        "-extfile",
        path + ".ext",
        "-out",
        path + ".pem",
    )


class Broker:
    """A Mosquitto that can be stopped and started on the same port."""

    def __init__(self, directory, name, lines):
        self.port = free_port()
        self.home = os.path.join(directory, name)
        os.mkdir(self.home)
        self.log = os.path.join(self.home, "log")
        self.config = os.path.join(self.home, "mosquitto.conf")
        settings = [
            "listener %d 127.0.0.1" % self.port,
            "persistence true",
            "persistence_location %s/" % self.home,
            "log_dest file " + self.log,
            "log_type all",
            "max_queued_messages 0",
        ]
        if os.getuid() == 0:
            settings.append("user root")
        with open(self.config, "w") as file:
            file.write("\n".join(settings + lines) + "\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["mosquitto", "-c", self.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for("the broker to listen", self.listens)
        return self

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None

    def logged(self, text):
        """How many lines of the broker's log hold `text`."""
        with open(self.log, encoding="utf-8", errors="replace") as lines:
            return sum(text in line for line in lines)


class Reader:
    """A subscriber of the remote broker: mosquitto_sub with a session the broker keeps.

    It is started again whenever it ends, since some TLS errors end it when the broker goes down.
    """

    def __init__(self, broker, home, name, authority):
        self.lines = os.path.join(home, name + ".lines")
        self.messages = []
        self.read_to = 0
        command = [
            "sh",
            "-c",
            'while :; do "$@"; sleep 0.2; done',
            "reader",
            "stdbuf",
            "-oL",
            "mosquitto_sub",
        ]
        command += ["-h", "127.0.0.1", "-p", str(broker.port), "-i", name]
        command += ["-c", "-q", "1", "-t", "#", "-F", "%r %t %p", "--cafile", authority]
        before = broker.logged("Sending SUBACK to " + name)
        with open(self.lines, "wb") as lines:
            self.process = subprocess.Popen(
                command + ["-u", "reader", "-P", "reader"],
                stdout=lines,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        wait_for("a subscription", lambda: broker.logged("Sending SUBACK to " + name) > before)

    def received(self):
        """What came so far, in order, as (topic, object, retained)."""
        with open(self.lines, "rb") as lines:
            lines.seek(self.read_to)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self.read_to += len(line)
                retained, topic, payload = line.decode("utf-8").split(" ", 2)
                self.messages.append((topic, json.loads(payload), retained == "1"))
        return self.messages

    def of(self, topic):
        """The objects received on `topic`."""
        return [value for at, value, _ in self.received() if at == topic]

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(PATIENCE_S)


class Publisher:
    """The network server's place at the local broker."""

    def __init__(self, broker):
        self.connections = 0
        arguments = dict(client_id="network-server", clean_session=False)
        if hasattr(mqtt, "CallbackAPIVersion"):
            self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, **arguments)
        else:
            self.client = mqtt.Client(**arguments)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self.on_connect
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        wait_for("the publisher to connect", lambda: self.connections)

    def on_connect(self, *details):
        self.connections += 1

    def publish(self, topic, payload):
        """Publishes at QoS 1; gives what can be waited on."""
        return self.client.publish(topic, payload, 1)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Relay:
    """The relay under test."""

    def __init__(self, directory, settings):
        self.home = os.path.join(directory, "relay")
        os.mkdir(self.home)
        self.settings = settings
        self.config = os.path.join(self.home, "config.json")
        self.log = os.path.join(self.home, "log")
        self.health_file = os.path.join(self.home, "relay-status.json")
        self.heard_kept_file = os.path.join(self.home, "heard.json")
        self.process = None
        self.starts = 0

    def start(self):
        """Starts it and waits for its subscription: uplinks before the very first one are not its own."""
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(self.settings, file)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, os.path.join(places.RELAY, "main.py"), "--config", self.config],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.starts += 1
        wait_for("the relay to subscribe", lambda: self.logged("local broker: subscribed") >= self.starts)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        self.process = None

    def stop(self):
        """Stops in order; gives the exit code."""
        if self.process is None:
            return None
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        self.process = None
        return code

    def health(self):
        return self.written(self.health_file)

    def heard(self, dev_eui=CONFIG_EUI):
        """What the fresh file says of a sensor."""
        return self.written(self.settings["heard_file"]).get("sensors", {}).get(dev_eui)

    def written(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def memory_kib(self, key):
        """A figure of /proc/PID/status: VmRSS or VmHWM."""
        with open("/proc/%d/status" % self.process.pid) as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))

    def logged(self, text):
        with open(self.log, encoding="utf-8") as lines:
            return sum(text in line for line in lines)


class Chain:
    """All parts, the brokers running, the relay not yet started."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="rocade-relay-")
        self.closing = []
        for authority in ("authority", "stranger"):
            make_authority(self.directory, authority)
        make_leaf(self.directory, "authority", "server")
        self.certificates_port = free_port()
        self.remote = Broker(self.directory, "remote", self.remote_lines())
        self.local = Broker(self.directory, "local", ["allow_anonymous true"])
        self.remote.start()
        self.local.start()
        self.relay = Relay(self.directory, self.settings())
        self.uplinks = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def remote_lines(self):
        passwords, access = self.path("passwords"), self.path("acl")
        for index, (user, password) in enumerate(((RELAY_USER, RELAY_PASSWORD), ("reader", "reader"))):
            subprocess.run(
                ["mosquitto_passwd", "-b"] + ["-c"] * (index == 0) + [passwords, user, password],
                check=True,
                stderr=subprocess.DEVNULL,
            )
        with open(access, "w") as file:
            file.write(
                "user %s\ntopic write sites/pool/#\ntopic write rocade/relays/pool-gw/#\n"
                "user reader\ntopic read #\n" % RELAY_USER
            )
        served = [
            "certfile " + self.path("server.pem"),
            "keyfile " + self.path("server.key"),
            "tls_version tlsv1.2",
        ]
        settings = ["allow_anonymous false", "password_file " + passwords, "acl_file " + access]
        certificates = [
            "listener %d 127.0.0.1" % self.certificates_port,
            "cafile " + self.path("authority.pem"),
            "require_certificate true",
            "use_identity_as_username true",
        ]
        return settings + served + certificates + served

    def settings(self):
        with open(self.path("password"), "w") as file:
            file.write(RELAY_PASSWORD + "\n")
        return {
            "format": 1,
            "gateway": "pool-gw",
            "site": "pool",
            "local": {
                "host": "127.0.0.1",
                "port": self.local.port,
                "topic": "lora/+/+/up",
                "probe_topic": "rocade/probe",
            },
            "remote": {
                "host": "127.0.0.1",
                "port": self.remote.port,
                "ca_file": self.path("authority.pem"),
                "username": RELAY_USER,
                "password_file": self.path("password"),
                "client_id": "rocade-relay-pool-gw",
                "keepalive_s": 60,
                "server_name": "broker.test",
            },
            "spool": {"dir": os.path.join(self.directory, "relay", "spool"), "max_bytes": 4 << 20},
            "heard_file": self.path("heard-now.json"),
            "status_topic": STATUS_TOPIC,
            "probe_reply_topic": PROBE_REPLY_TOPIC,
            "sensors": {
                CONFIG_EUI: {
                    "name": "pool-hall",
                    "site": "pool",
                    "model": "adeunis-comfort-co2",
                    "topic": TOPIC,
                    "period_s": 600,
                }
            },
        }

    def reader(self, name="reader"):
        client = Reader(self.remote, self.directory, name, self.path("authority.pem"))
        self.closing.append(client.close)
        return client

    def publisher(self):
        client = Publisher(self.local)
        self.closing.append(client.close)
        return client

    def uplink(self, payload="6a2000d72d0190", **fields):
        """The next uplink as the network server writes it (bytes)."""
        self.uplinks += 1
        body = {
            "tmst": 4293983404,
            "chan": 1,
            "rfch": 0,
            "freq": 868.3,
            "stat": 1,
            "modu": "LORA",
            "datr": "SF12BW125",
            "codr": "4/5",
            "lsnr": 10.2,
            "rssi": -27,
            "opts": "",
            "size": len(payload) // 2,
            "fcnt": self.uplinks,
            "cls": 0,
            "port": 1,
            "mhdr": "40b6feb000%04x00" % self.uplinks,
            "data": base64.b64encode(bytes.fromhex(payload)).decode(),
            "appeui": "7d-75-27-ad-d1-d2-f7-08",
            "deveui": EUI,
            "ack": False,
            "adr": False,
            "gweui": "00-80-00-00-a0-00-63-c3",
            "seqn": self.uplinks,
        }
        body.update(fields)
        return json.dumps(body).encode("utf-8")

    def send(self, publisher, count, **fields):
        """Sends `count` uplinks on both topics the network server uses; returns when the broker has them."""
        sent = []
        for _ in range(count):
            body = self.uplink(**fields)
            sent.append(publisher.publish("lora/%s/up" % EUI, body))
            sent.append(publisher.publish("lora/7d-75-27-ad-d1-d2-f7-08/%s/up" % EUI, body))
        wait_for("the local broker to take all", lambda: all(one.is_published() for one in sent))

    def close(self):
        for close in self.closing:
            close()
        self.relay.stop()
        self.remote.stop()
        self.local.stop()
        shutil.rmtree(self.directory)
