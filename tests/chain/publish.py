"""Publishes `TOPIC PAYLOAD` lines of standard input on this host's own broker; ends when it has them all."""

import sys

import paho.mqtt.client as mqtt

client = mqtt.Client(client_id="network-server")
client.connect("127.0.0.1", 1883)
client.loop_start()
sent = [client.publish(*line.rstrip("\n").split(" ", 1), qos=1) for line in sys.stdin]
for one in sent:
    one.wait_for_publish()
client.disconnect()
client.loop_stop()
