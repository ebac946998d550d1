"""Messages on flash until the remote broker has them: a record counts once `commit` returned, not before.

Append-only segments named after their first record's number; each record carries its length and CRC,
so what a power cut tore off is recognised and skipped. Full means the oldest segment goes, counted.
A record is forgotten only after `ack`: a crash may send records twice, never lose one.
"""

import fcntl
import logging
import os
import struct
import threading
import time
import zlib

from .log import Seldom
from .message import Message

HEADER = struct.Struct(">II")  # length of the body, CRC-32 of the body
BODY = struct.Struct(">BH")  # 1 = retained, length of the topic; topic and payload follow
RECORD_BYTES_MAX = 1 << 20
SEGMENT_BYTES_MAX = 1 << 20
SEGMENTS_MIN = 16  # One sixteenth is lost when the spool overflows.
SUFFIX = ".seg"
# The acknowledged position is a small write of its own: this seldom, to be gentle to flash.
ACKS_UNSAVED_MAX = 100
ACK_UNSAVED_S = 1.0


class SpoolBusy(Exception):
    """Another relay has this spool open."""


class Segment:
    """One file of records; `size` and `count` cover what is known to be durable."""

    def __init__(self, directory, first):
        self.path = os.path.join(directory, "%016d%s" % (first, SUFFIX))
        self.first = first
        self.size = 0
        self.count = 0


class Cursor:
    """Where the next record is taken from."""

    def __init__(self, segment):
        self.segment = segment
        self.offset = 0
        self.number = segment.first
        self.file = None

    def close(self):
        """Closes the segment's file."""
        if self.file is not None:
            self.file.close()
            self.file = None


class Spool:
    """One writer (`append`, `commit`) and one reader (`rewind`, `take`, `ack`), in two threads."""

    def __init__(self, directory, bytes_max):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.directory = directory
        self.bytes_max = bytes_max
        self.segment_bytes = min(SEGMENT_BYTES_MAX, bytes_max // SEGMENTS_MIN)
        self.dropped = 0
        self.pending = []
        self.mutex = threading.RLock()
        self.lock_file = lock(os.path.join(directory, "lock"))
        self.acked_path = os.path.join(directory, "acked")
        self.acked = read_acked(self.acked_path)
        self.acked_saved = self.acked
        self.acked_saved_at = time.monotonic()
        self.acked_log = Seldom()
        self.segments = self._open_segments()
        self.acked = max(self.acked, self.segments[0].first)
        self.tail = open(self.segments[-1].path, "ab", buffering=0)
        self.cursor = Cursor(self.segments[0])
        self.rewind()

    def append(self, message):
        """Keeps `message` in memory for the next `commit`."""
        topic = message.topic.encode("utf-8")
        body = BODY.pack(1 if message.retain else 0, len(topic)) + topic + message.payload
        self.pending.append(HEADER.pack(len(body), zlib.crc32(body)) + body)

    def commit(self):
        """Makes all appended messages durable with one fsync; gives how many there were.

        Raises OSError when the flash does not take them: then none of this batch counts.
        """
        if not self.pending:
            return 0
        records, self.pending = self.pending, []
        with self.mutex:
            segment = self.segments[-1]
            size, count = segment.size, segment.count
            try:
                for record in records:
                    if size and size + len(record) > self.segment_bytes:
                        self._sync(segment, size, count)
                        segment = self._start_segment(segment.first + count)
                        size, count = 0, 0
                    self._make_room(size - segment.size + len(record))
                    write_all(self.tail, record)
                    size, count = size + len(record), count + 1
                self._sync(segment, size, count)
            except OSError:
                os.ftruncate(self.tail.fileno(), self.segments[-1].size)
                raise
        return len(records)

    def take(self, count):
        """The next records not yet taken, `count` at most: [(number, Message)]."""
        with self.mutex:
            taken = []
            while len(taken) < count:
                record = self._next()
                if record is None:
                    break
                taken.append(record)
            return taken

    def position(self):
        """The number of the record `take` gives next."""
        return self.cursor.number

    def rewind(self):
        """Lets `take` begin again at the first record that is not acknowledged."""
        with self.mutex:
            holders = [segment for segment in self.segments if segment.first <= self.acked]
            self._move_cursor(holders[-1])
            while self.cursor.number < self.acked and self._next() is not None:
                pass

    def ack(self, position):
        """All records before `position` have reached the remote broker."""
        with self.mutex:
            self.acked = max(self.acked, position)
            if self.acked - self.acked_saved >= ACKS_UNSAVED_MAX:
                self.save_acked()

    def save_acked_lazily(self):
        """To be called at least every second: saves the acknowledged position when it is due."""
        if time.monotonic() - self.acked_saved_at >= ACK_UNSAVED_S:
            self.save_acked()

    def save_acked(self):
        """Saves the acknowledged position, after removing the segments that lie wholly before it."""
        with self.mutex:
            self.acked_saved_at = time.monotonic()
            if self.acked == self.acked_saved:
                return
            while len(self.segments) > 1 and self.segments[1].first <= self.acked:
                self._remove_oldest()
            try:
                write_acked(self.acked_path, self.acked)
                self.acked_saved = self.acked
            except OSError as error:
                # A full flash: until it is saved, a crash would send these messages again.
                self.acked_log.warning("spool: cannot save the acknowledged position: %s", error)

    def waiting(self):
        """How many durable records are not acknowledged."""
        with self.mutex:
            tail = self.segments[-1]
            return max(0, tail.first + tail.count - self.acked)

    def size(self):
        """The bytes of all segments."""
        with self.mutex:
            return sum(segment.size for segment in self.segments)

    def close(self):
        """Saves the position and lets another relay open the spool."""
        with self.mutex:
            self.save_acked()
            self.cursor.close()
            self.tail.close()
            self.lock_file.close()

    def _open_segments(self):
        names = sorted(name for name in os.listdir(self.directory) if name.endswith(SUFFIX))
        segments = [Segment(self.directory, int(name[: -len(SUFFIX)])) for name in names]
        for segment, following in zip(segments, segments[1:]):
            segment.size = os.path.getsize(segment.path)
            segment.count = following.first - segment.first
        if segments:
            recover_tail(segments[-1])
        if not segments or segments[-1].first + segments[-1].count < self.acked:
            # Acknowledged but no longer on flash: numbers never go back.
            segments.append(create(self.directory, self.acked))
        return segments

    def _start_segment(self, first):
        segment = create(self.directory, first)
        tail = open(segment.path, "ab", buffering=0)
        self.tail.close()
        self.tail = tail
        self.segments.append(segment)
        return segment

    def _sync(self, segment, size, count):
        os.fsync(self.tail.fileno())
        segment.size, segment.count = size, count

    def _make_room(self, growth):
        while self.size() + growth > self.bytes_max and len(self.segments) > 1:
            lost = self.segments[1].first - max(self.acked, self.segments[0].first)
            if lost > 0:
                self.dropped += lost
                logging.warning("spool full: the %d oldest messages are dropped", lost)
            self._remove_oldest()
            self.acked = max(self.acked, self.segments[0].first)

    def _remove_oldest(self):
        oldest = self.segments.pop(0)
        os.remove(oldest.path)
        if self.cursor.segment is oldest:
            self._move_cursor(self.segments[0])

    def _move_cursor(self, segment):
        self.cursor.close()
        self.cursor = Cursor(segment)

    def _next(self):
        while True:
            cursor = self.cursor
            segment = cursor.segment
            if cursor.offset < segment.size:
                if cursor.file is None:
                    cursor.file = open(segment.path, "rb")
                body = read_record(cursor.file, cursor.offset)
                if body is not None:
                    cursor.offset += HEADER.size + len(body)
                    cursor.number += 1
                    return cursor.number - 1, unpack(body)
                self._skip_damage(segment)
            if segment is self.segments[-1]:
                return None
            self._move_cursor(self.segments[self.segments.index(segment) + 1])

    def _skip_damage(self, segment):
        """Passes over the rest of a segment whose bytes changed on flash: its lengths mean nothing now."""
        lost = segment.first + segment.count - self.cursor.number
        self.dropped += lost
        logging.error("spool: %s is damaged, %d messages are lost", segment.path, lost)
        self.cursor.offset = segment.size
        self.cursor.number += lost


def lock(path):
    """The open file that holds the lock at `path`. Raises SpoolBusy."""
    file = open(path, "ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise SpoolBusy("another relay uses %s" % path) from None
    return file


def create(directory, first):
    """A new, empty segment, its name durable."""
    segment = Segment(directory, first)
    open(segment.path, "ab").close()
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return segment


def recover_tail(segment):
    """Counts the whole records of the last segment and cuts off what follows them."""
    with open(segment.path, "r+b") as file:
        while True:
            body = read_record(file, segment.size)
            if body is None:
                break
            segment.size += HEADER.size + len(body)
            segment.count += 1
        torn = os.fstat(file.fileno()).st_size - segment.size
        if torn:
            logging.warning("spool: %d bytes of an unfinished record are cut off", torn)
            file.truncate(segment.size)
            os.fsync(file.fileno())


def read_record(file, offset):
    """The body of the record at `offset`, or None when there is no whole, unchanged one."""
    file.seek(offset)
    header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    length, checksum = HEADER.unpack(header)
    # Flash that was never written reads as zeros, and the CRC of nothing is zero.
    if not BODY.size <= length <= RECORD_BYTES_MAX:
        return None
    body = file.read(length)
    if len(body) < length or zlib.crc32(body) != checksum:
        return None
    return body


def unpack(body):
    """The Message in a record's body."""
    retain, topic_length = BODY.unpack_from(body)
    start = BODY.size + topic_length
    return Message(body[BODY.size : start].decode("utf-8"), body[start:], bool(retain))


def write_all(file, record):
    """Writes the whole record to an unbuffered file."""
    view = memoryview(record)
    while view:
        view = view[file.write(view) :]


def read_acked(path):
    """The saved position, or 0: then everything still on flash is sent again."""
    try:
        with open(path, "rb") as file:
            number, checksum = file.read(64).split()
        if int(checksum, 16) != zlib.crc32(number):
            raise ValueError("checksum")
        return int(number)
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        logging.warning("spool: the acknowledged position is unreadable: %s", error)
        return 0


def write_acked(path, number):
    """Replaces the saved position as a whole."""
    text = b"%d" % number
    with open(path + ".new", "wb") as file:
        file.write(b"%s %08x\n" % (text, zlib.crc32(text)))
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)
