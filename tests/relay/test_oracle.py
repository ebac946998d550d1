"""The codecs agree with the manufacturer's library itself, run in Node, on generated frames."""

import collections
import json
import os
import shutil
import subprocess
import sys
import unittest

import places
from rocade_relay import codecs

sys.path.insert(0, os.path.join(places.HERE, "oracle"))
import frames  # noqa: E402

DEVICE_TYPES = {"comfort-v1": "comfort", "comfort": "comfort2", "comfort-co2": "comfortCo2"}


class Oracle(unittest.TestCase):
    """One frame a line through both decoders."""

    def test_generated_frames(self):
        library = os.path.join(places.ORACLE, "node_modules", "@adeunis", "codecs")
        if shutil.which("node") is None or not os.path.isdir(library):
            self.skipTest("no node, or %s is not there" % library)
        generated = list(frames.generate())
        self.assertGreaterEqual(len(generated), 10000)
        request = "".join("%s %s\n" % (DEVICE_TYPES[model], payload.hex()) for model, _, payload in generated)
        answer = subprocess.run(
            ["node", os.path.join(places.HERE, "oracle", "driver.js"), places.ORACLE],
            input=request.encode("ascii"),
            stdout=subprocess.PIPE,
            check=True,
            timeout=120,
        )
        expected = [json.loads(line) for line in answer.stdout.splitlines()]
        self.assertEqual(len(expected), len(generated))
        counts, outcomes = collections.Counter(), collections.Counter()
        for (model, kind, payload), theirs in zip(generated, expected):
            counts[(model, "%02x" % payload[0] if kind != "random" and kind != "unknown" else kind)] += 1
            outcomes[self.compare(model, payload, theirs)] += 1
        for (model, code), count in sorted(counts.items()):
            print("oracle: %-12s %-8s %5d frames" % (model, code, count))
        print("oracle: %d frames, %s" % (len(generated), dict(outcomes)))
        for outcome in ("equal", "both refuse", "known exception"):
            self.assertGreater(outcomes[outcome], 100)

    def compare(self, model, payload, theirs):
        codec = codecs.find(model)
        ours = json.loads(json.dumps(codec.decode(payload), allow_nan=False))
        shown = (model, payload.hex(), ours, theirs)
        if frames.is_cut_stamped_data(model, payload):
            self.assertNotIn("error", theirs, shown)
            self.assertEqual(set(ours), {"status", "error"}, shown)
            self.assertTrue(places.same(ours["status"], theirs["status"]), shown)
            return "known exception"
        self.assertTrue(places.agrees(ours, theirs), shown)
        if "error" in theirs:
            self.assertEqual(codec.measures(payload, ours), {}, shown)
            return "both refuse"
        return "equal"


if __name__ == "__main__":
    unittest.main()
