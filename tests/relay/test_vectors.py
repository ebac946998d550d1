"""The codecs give the manufacturer's object on every reference vector."""

import json
import os
import unittest

import places
from rocade_relay import codecs


class Vectors(unittest.TestCase):
    """Cases are the lines of the reference files."""

    def compare(self, name, wanted_models):
        path = places.reference("adeunis", name)
        if not os.path.exists(path):
            self.skipTest("%s is not there" % path)
        count = 0
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                vector = json.loads(line)
                if vector["model"] not in wanted_models:
                    continue
                got = codecs.find(vector["model"]).decode(bytes.fromhex(vector["hex"]))
                got = json.loads(json.dumps(got, allow_nan=False))
                self.assertTrue(places.agrees(got, vector["decoded"]), (vector, got))
                count += 1
        print("%s: %d vectors equal" % (name, count))
        return count

    def test_comfort_and_comfort_co2(self):
        self.assertEqual(self.compare("vectors.jsonl", ("comfort", "comfort-co2")), 410)

    def test_first_generation_comfort(self):
        self.assertEqual(self.compare("other-models.jsonl", ("comfort-v1",)), 6)

    def test_the_comparison_would_notice(self):
        decoded = codecs.find("comfort").decode(bytes.fromhex("30a9"))
        wrong = json.loads(json.dumps(decoded))
        wrong["status"]["lowBattery"] = 0
        self.assertFalse(places.agrees(decoded, wrong))


class CutDataFrames(unittest.TestCase):
    """Time-stamped data frames whose tail is cut give an error and no measure."""

    def test_examples_of_the_digest(self):
        for model, text in (
            ("comfort", "4c6400c51f"),
            ("comfort", "4c6400c51f00c72014aba3"),
            ("comfort-co2", "6a8401b33e01a40f777c"),
        ):
            codec = codecs.find(model)
            payload = bytes.fromhex(text)
            got = codec.decode(payload)
            self.assertEqual(set(got), {"status", "error"}, text)
            self.assertEqual(codec.measures(payload, got), {})

    def test_every_cut_of_a_whole_frame(self):
        whole = bytes.fromhex("6ae4" + "00d72d0190" * 3 + "18c52b7b")
        codec = codecs.find("comfort-co2")
        self.assertEqual(codec.measures(whole, codec.decode(whole))["co2"], {"unit": "ppm", "value": 400})
        for length in range(2, len(whole)):
            cut = codec.decode(whole[:length])
            # A cut of whole samples cannot be told from a shorter frame.
            if (length - 6) % 5 or length < 6:
                self.assertEqual(set(cut), {"status", "error"}, length)


if __name__ == "__main__":
    unittest.main()
