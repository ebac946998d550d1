"""The init script and the supervisor: a dead relay comes back, stop leaves nothing, whatever the shell."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import places
from chain import free_port, wait_for
from test_config import changed


def alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Service(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="rocade-base-")
        self.addCleanup(shutil.rmtree, self.base)
        relay = os.path.join(self.base, "relay")
        shutil.copytree(places.RELAY, relay)
        self.script = os.path.join(relay, "rocade-relay.init")
        self.pid_file = os.path.join(self.base, "rocade-relay.pid")
        self.log = os.path.join(self.base, "log")
        settings = changed(("spool", "dir"), os.path.join(self.base, "spool"))
        for part in ("local", "remote"):
            settings[part]["host"], settings[part]["port"] = "127.0.0.1", free_port()
        with open(os.path.join(relay, "config.json"), "w", encoding="utf-8") as file:
            json.dump(settings, file)
        self.environment = dict(
            os.environ,
            ROCADE_BASE=self.base,
            ROCADE_PIDFILE=self.pid_file,
            ROCADE_LOG=self.log,
            ROCADE_PYTHON=sys.executable,
        )
        self.shell = ["sh"]
        self.addCleanup(self.act, "stop")

    def act(self, action):
        """Runs the init script; gives its exit code."""
        return subprocess.run(
            self.shell + [self.script, action],
            env=self.environment,
            timeout=90,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        ).returncode

    def supervisor(self):
        with open(self.pid_file) as file:
            return int(file.read())

    def relay(self, other_than=None):
        """The pid of the running relay, from its health file, once there is one."""

        def look():
            try:
                with open(os.path.join(self.base, "relay-status.json"), encoding="utf-8") as file:
                    pid = json.load(file)["pid"]
            except FileNotFoundError:
                return None
            return pid if pid != other_than and alive(pid) else None

        return wait_for("the relay to run", look)

    def life(self):
        self.assertEqual(self.act("status"), 3)
        self.assertEqual(self.act("start"), 0)
        first = self.relay()
        supervisor = self.supervisor()
        self.assertEqual(self.act("status"), 0)
        self.assertEqual(self.act("start"), 0)
        self.assertEqual(self.supervisor(), supervisor)

        os.kill(first, signal.SIGKILL)
        second = self.relay(other_than=first)
        self.assertEqual(self.supervisor(), supervisor)

        self.assertEqual(self.act("restart"), 0)
        third = self.relay(other_than=second)
        self.assertFalse(alive(second))
        self.assertFalse(alive(supervisor))
        supervisor = self.supervisor()

        self.assertEqual(self.act("stop"), 0)
        self.assertFalse(alive(third))
        self.assertFalse(alive(supervisor))
        self.assertFalse(os.path.exists(self.pid_file))
        self.assertEqual(self.act("status"), 3)
        self.assertEqual(self.act("stop"), 0)

    def test_life(self):
        self.life()

    def test_life_in_busybox(self):
        if shutil.which("busybox") is None:
            self.skipTest("busybox is not installed")
        self.shell = ["busybox", "sh"]
        self.environment["PATH"] = self.tools({"sh": "busybox", "start-stop-daemon": "busybox"})
        self.life()

    def test_life_without_start_stop_daemon(self):
        self.environment["PATH"] = self.tools({})
        self.life()

    def test_life_without_setsid(self):
        self.environment["PATH"] = self.tools({"setsid": None})
        self.life()

    def tools(self, changes):
        """A PATH of the few tools the scripts use; `changes`: tool -> program behind it, None: absent."""
        directory = os.path.join(self.base, "bin")
        os.mkdir(directory)
        tools = dict.fromkeys(("sh", "cat", "date", "grep", "rm", "setsid", "sleep"), "")
        tools.update(changes)
        for tool, program in tools.items():
            if program is not None:
                os.symlink(shutil.which(program or tool), os.path.join(directory, tool))
        os.symlink(shutil.which("busybox") or "/nonexistent", os.path.join(directory, "busybox"))
        return directory

    def test_killed_supervisor_leaves_no_relay(self):
        self.assertEqual(self.act("start"), 0)
        relay, supervisor = self.relay(), self.supervisor()
        os.kill(supervisor, signal.SIGKILL)
        wait_for("the relay to stop", lambda: not alive(relay))
        self.assertEqual(self.act("status"), 1)
        self.assertEqual(self.act("start"), 0)
        self.relay(other_than=relay)

    def test_pid_file_of_someone_else_is_not_believed(self):
        with open(self.pid_file, "w") as file:
            file.write("%d\n" % os.getpid())
        self.assertEqual(self.act("status"), 1)
        self.assertEqual(self.act("stop"), 0)  # And this process lives on.
        self.assertEqual(self.act("start"), 0)
        self.relay()

    def test_broken_configuration_is_tried_again_and_logged(self):
        path = os.path.join(self.base, "relay", "config.json")
        os.rename(path, path + ".good")
        self.assertEqual(self.act("start"), 0)
        wait_for("two failures", lambda: self.logged("ended with code 64") >= 2)
        os.rename(path + ".good", path)
        self.relay()

    def logged(self, text):
        try:
            with open(self.log, encoding="utf-8") as lines:
                return sum(text in line for line in lines)
        except FileNotFoundError:
            return 0

    def test_log_goes_to_syslog(self):
        """Through the real logger, which is told of a socket of ours by a wrapper."""
        if shutil.which("logger") is None:
            self.skipTest("logger is not installed")
        directory = os.path.join(self.base, "log-bin")
        os.mkdir(directory)
        wrapper, socket_path = os.path.join(directory, "logger"), os.path.join(self.base, "syslog")
        with open(wrapper, "w") as file:
            file.write('#!/bin/sh\nexec %s -u %s "$@"\n' % (shutil.which("logger"), socket_path))
        os.chmod(wrapper, 0o755)
        del self.environment["ROCADE_LOG"]
        self.environment["PATH"] = directory + os.pathsep + os.environ["PATH"]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
            syslog.bind(socket_path)
            syslog.settimeout(60)
            self.assertEqual(self.act("start"), 0)
            while b"relay 0.1.0 of pool-gw" not in syslog.recv(4096):
                pass
            self.assertEqual(self.act("stop"), 0)
            while b"stopped" not in syslog.recv(4096):
                pass


if __name__ == "__main__":
    unittest.main()
