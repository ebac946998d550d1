"""The relay: local uplinks in, decoded readings out over verified TLS, nothing lost in between.

Plain Python 3.8, standard library and paho-mqtt only. Importing this package or its codecs never
imports paho-mqtt: `decode.py` runs where it is not installed.
"""

VERSION = "0.1.0"
