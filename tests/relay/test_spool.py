"""The spool loses nothing committed, gives nothing again once acknowledged, and stays in its bound."""

import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import places
from rocade_relay.message import Message
from rocade_relay.spool import HEADER, Spool, SpoolBusy


def numbers(spool):
    """The numbers in all messages from the first that is not acknowledged."""
    spool.rewind()
    found = []
    while True:
        batch = spool.take(7)
        if not batch:
            return found
        found.extend(int(message.payload.split()[0]) for _, message in batch)


def fill(spool, numbers_in, padding=0):
    for number in numbers_in:
        spool.append(Message("sites/x", b"%d " % number + b"x" * padding, False))
    spool.commit()


logging.disable(logging.ERROR)


class SpoolCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)

    def open(self, bytes_max=1 << 20):
        spool = Spool(self.directory, bytes_max)
        self.addCleanup(self.abandon, spool)
        return spool

    def abandon(self, spool):
        """Leaves the spool as a crash would: nothing is saved."""
        spool.cursor.close()
        spool.tail.close()
        spool.lock_file.close()

    def test_messages_come_back_as_they_were(self):
        spool = self.open()
        messages = [Message("a/\u00e9", b"\x00\xff", True), Message("b", b"", False)]
        for message in messages:
            spool.append(message)
        self.assertEqual(spool.take(5), [])
        spool.commit()
        for got, want in zip(spool.take(5), messages):
            self.assertEqual(
                (got[1].topic, got[1].payload, got[1].retain), (want.topic, want.payload, want.retain)
            )

    def test_only_unacknowledged_messages_after_a_restart(self):
        spool = self.open()
        fill(spool, range(250), padding=900)
        spool.ack(120)
        spool.save_acked()
        self.abandon(spool)
        spool = self.open()
        self.assertEqual(numbers(spool), list(range(120, 250)))
        self.assertEqual(spool.waiting(), 130)
        spool.ack(250)
        spool.close()
        spool = self.open()
        self.assertEqual(numbers(spool), [])
        fill(spool, [250])
        self.assertEqual(numbers(spool), [250])

    def test_one_fsync_per_batch(self):
        spool = self.open()
        calls = []
        real = os.fsync
        os.fsync = lambda descriptor: (calls.append(descriptor), real(descriptor))
        try:
            fill(spool, range(40))
        finally:
            os.fsync = real
        self.assertEqual(len(calls), 1)

    def test_bound_is_kept_and_the_oldest_go(self):
        bytes_max = 1 << 17
        spool = self.open(bytes_max)
        for start in range(0, 3000, 10):
            fill(spool, range(start, start + 10), padding=200)
            on_disk = sum(
                os.path.getsize(os.path.join(self.directory, name))
                for name in os.listdir(self.directory)
                if name.endswith(".seg")
            )
            self.assertLessEqual(on_disk, bytes_max)
            self.assertEqual(on_disk, spool.size())
        kept = numbers(spool)
        self.assertEqual(kept, list(range(3000 - len(kept), 3000)))
        self.assertEqual(spool.dropped, 3000 - len(kept))
        self.assertGreater(spool.size(), bytes_max * 7 // 8)

    def test_acknowledged_messages_are_not_counted_as_dropped(self):
        spool = self.open(1 << 16)
        for number in range(2000):
            fill(spool, [number], padding=200)
            spool.take(1)
            spool.ack(spool.position())
        self.assertEqual((spool.dropped, spool.waiting()), (0, 0))

    def test_overflow_while_reading(self):
        spool = self.open(1 << 16)
        fill(spool, range(100), padding=200)
        first = [number for number, _ in spool.take(5)]
        fill(spool, range(100, 1000), padding=200)
        rest = []
        while True:
            batch = spool.take(50)
            if not batch:
                break
            rest.extend(number for number, _ in batch)
        self.assertEqual(first, [0, 1, 2, 3, 4])
        self.assertEqual(rest, list(range(rest[0], 1000)))
        self.assertEqual(spool.waiting(), len(rest))

    def test_torn_tail_at_every_byte(self):
        spool = self.open()
        fill(spool, range(3), padding=20)
        self.abandon(spool)
        path = os.path.join(self.directory, "%016d.seg" % 0)
        with open(path, "rb") as file:
            whole = file.read()
        last = len(whole) // 3 * 2
        for length in range(last, len(whole)):
            for tail in (b"", bytes(40), b"\xff" * 40):
                with open(path, "wb") as file:
                    file.write(whole[:length] + tail)
                spool = self.open()
                self.assertEqual(numbers(spool), [0, 1], (length, tail))
                fill(spool, [2])
                self.assertEqual(numbers(spool), [0, 1, 2], (length, tail))
                self.abandon(spool)

    def test_damage_in_an_older_segment_costs_that_segment_only(self):
        spool = self.open(1 << 17)
        fill(spool, range(200), padding=200)
        second = spool.segments[1]
        self.abandon(spool)
        with open(second.path, "r+b") as file:
            file.seek(HEADER.size + 30)
            file.write(b"\x00\x01\x02")
        spool = self.open(1 << 17)
        lost = range(second.first, second.first + second.count)
        self.assertEqual(numbers(spool), [number for number in range(200) if number not in lost])
        self.assertEqual(spool.dropped, len(lost))

    def test_damaged_position_sends_all_again(self):
        spool = self.open()
        fill(spool, range(10))
        spool.ack(5)
        spool.close()
        for content in (b"", b"5", b"7 00000000\n", b"\xff\xff\n"):
            with open(os.path.join(self.directory, "acked"), "wb") as file:
                file.write(content)
            spool = self.open()
            self.assertEqual(numbers(spool), list(range(10)))
            self.abandon(spool)

    def test_full_flash_keeps_what_was_and_takes_on_later(self):
        spool = self.open()
        fill(spool, range(5))
        real = os.fsync

        def full(descriptor):
            raise OSError(28, "No space left on device")

        os.fsync = full
        try:
            with self.assertRaises(OSError):
                fill(spool, range(5, 9))
        finally:
            os.fsync = real
        self.assertEqual(numbers(spool), list(range(5)))
        fill(spool, range(9, 12))
        self.assertEqual(numbers(spool), [0, 1, 2, 3, 4, 9, 10, 11])
        self.abandon(spool)
        self.assertEqual(numbers(self.open()), [0, 1, 2, 3, 4, 9, 10, 11])

    def test_one_relay_a_spool(self):
        self.open()
        with self.assertRaises(SpoolBusy):
            Spool(self.directory, 1 << 20)

    def test_kill_while_appending(self):
        source = random.Random(4)
        durable = -1
        for _ in range(12):
            writer = subprocess.Popen(
                [
                    sys.executable,
                    os.path.join(places.HERE, "spool_writer.py"),
                    self.directory,
                    "100000000",
                    str(durable + 1),
                ],
                stdout=subprocess.PIPE,
            )
            for _ in range(source.randint(1, 60)):
                line = writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().splitlines(True)
            writer.stdout.close()
            writer.wait()
            complete = [text for text in [line] + rest if text.endswith(b"\n")]
            spool = self.open(100000000)
            kept = numbers(spool)
            self.assertGreaterEqual(kept[-1], int(complete[-1]))
            self.assertEqual(kept, list(range(len(kept))))
            durable = kept[-1]
            self.abandon(spool)
        print("spool: %d messages over 12 kills, none lost" % (durable + 1))


if __name__ == "__main__":
    unittest.main()
