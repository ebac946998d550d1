"""Appends numbered messages to a spool until it is killed; prints each number that is durable."""

import sys

import places  # noqa: F401
from rocade_relay.message import Message
from rocade_relay.spool import Spool


def main(directory, bytes_max, first):
    spool = Spool(directory, bytes_max)
    number = first
    while True:
        for _ in range(number % 4 + 1):
            spool.append(Message("t", b"%d " % number + b"x" * (number % 300), number % 2 == 0))
            number += 1
        spool.commit()
        sys.stdout.write("%d\n" % (number - 1))
        sys.stdout.flush()


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
