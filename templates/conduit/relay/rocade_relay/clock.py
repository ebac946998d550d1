"""Times of day that may be shown: a gateway without a battery starts in 1970 and says so nowhere."""

import datetime
import re
import time

# 2024-01-01T00:00:00Z. No gateway with this relay lived before; an earlier clock was not yet set.
SANE_SINCE = 1704067200
AHEAD_MAX = datetime.timedelta(days=1)
ISO_UTC = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?Z", re.ASCII)


def is_sane():
    """Whether this host's clock has been set."""
    return time.time() >= SANE_SINCE


def now():
    """The time as UTC ISO text with milliseconds, or None while the clock is not set."""
    moment = time.time()
    if moment < SANE_SINCE:
        return None
    return "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)), int(moment % 1 * 1000))


def shown():
    """The clock as it stands, for the log."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def sane(text):
    """`text` when it is a believable UTC time of the network server, else None.

    Believable: of the form 2020-06-05T16:11:37.171964Z, a date that exists, since 2024, and not
    more than a day ahead of a clock that is set.
    """
    match = ISO_UTC.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    try:
        moment = datetime.datetime(*(int(part) for part in match.groups()[:6]), tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    if moment.timestamp() < SANE_SINCE:
        return None
    here = datetime.datetime.now(datetime.timezone.utc)
    if is_sane() and moment > here + AHEAD_MAX:
        return None
    return text
