"""Reads one message over WebSocket: `websocket.py HOST PORT USER TOPIC`, the password on standard input.

Prints the payload; ends with 1 and the reason when the broker refuses.
"""

import sys

import paho.mqtt.client as mqtt

host, port, user, topic = sys.argv[1:]


def on_connect(client, userdata, flags, code, *properties):
    if getattr(code, "value", code) != 0:
        sys.exit("refused: %s" % code)
    client.subscribe(topic, 1)


def on_message(client, userdata, message):
    print(message.payload.decode("utf-8"))
    client.disconnect()


arguments = dict(client_id="display", transport="websockets")
if hasattr(mqtt, "CallbackAPIVersion"):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, **arguments)
else:
    client = mqtt.Client(**arguments)
client.username_pw_set(user, sys.stdin.read())
client.on_connect = on_connect
client.on_message = on_message
client.connect(host, int(port))
client.loop_forever()
