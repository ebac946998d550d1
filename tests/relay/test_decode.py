"""`decode.py` keeps its contract: one line out per line in, in order, and never paho-mqtt."""

import json
import os
import subprocess
import sys
import unittest

import places

DECODE = os.path.join(places.RELAY, "decode.py")


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, DECODE] + list(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
        **options
    )


class Decode(unittest.TestCase):
    def test_hexadecimal_and_base64_give_the_same(self):
        first = run("--model", "comfort", "4dc010010832")
        second = run("--model", "adeunis-comfort", "TcAQAQgy")
        self.assertEqual((first.returncode, second.returncode), (0, 0))
        self.assertEqual(first.stdout, second.stdout)
        self.assertEqual(json.loads(first.stdout)["type"], "0x4d Comfort 2 alarm")

    def test_output_is_utf8_in_any_locale(self):
        result = run("--model", "comfort", "4dc010010832", env=dict(os.environ, LC_ALL="C", PYTHONUTF8="0"))
        self.assertIn("\u00b0C", result.stdout.decode("utf-8"))

    def test_wrong_arguments(self):
        self.assertEqual(run("--model", "toaster", "00").returncode, 65)
        self.assertEqual(run("--model", "comfort", "%%").returncode, 65)
        self.assertEqual(run("--model", "comfort").returncode, 64)

    def test_every_line_is_answered_in_order(self):
        lines = [
            b'{"model":"adeunis-comfort","fport":1,"hex":"30a9"}',
            b"not json",
            b'{"model":"toaster","fport":1,"hex":"30a9"}',
            b'{"model":"comfort","fport":1,"hex":"3"}',
            b'["list"]',
            b'{"model":"comfort"}',
            b"\xff\xfe",
            b"[" * 5000,
            b'{"model":"raw","hex":"00"}',
            b'{"model":"comfort-co2","fport":1,"hex":""}',
        ]
        result = run("--jsonl", input=b"\n".join(lines))
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(answers), len(lines))
        self.assertEqual(answers[0]["type"], "0x30 Keep alive")
        for answer in answers[1:8]:
            self.assertEqual(list(answer), ["error"])
        self.assertIsNone(answers[8])
        self.assertEqual(answers[9], {"type": "Invalid"})

    def test_answers_before_the_next_line_comes(self):
        process = subprocess.Popen(
            [sys.executable, DECODE, "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            for _ in range(2):
                process.stdin.write(b'{"model":"comfort","hex":"30a9"}\n')
                process.stdin.flush()
                self.assertEqual(json.loads(process.stdout.readline())["type"], "0x30 Keep alive")
        finally:
            process.stdin.close()
            process.wait(10)
            process.stdout.close()

    def test_needs_no_paho(self):
        program = (
            "import sys; sys.modules['paho'] = None; sys.argv = ['decode.py', '--model', 'comfort', '30a9']\n"
            "import runpy; runpy.run_path(%r, run_name='__main__')" % DECODE
        )
        result = subprocess.run(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=places.RELAY,
            timeout=60,
            env=dict(os.environ, PYTHONPATH=places.RELAY),
        )
        self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main()
