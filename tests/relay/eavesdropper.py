"""Listens in on the relay's connections: what it keeps is what any machine on the way would see."""

import socket
import threading


class Eavesdropper:
    """A TCP listener that keeps what comes in; passes it on to `target` (a port) and back, or hangs up."""

    def __init__(self, target=None, port=0):
        self.target = target
        self.heard = bytearray()
        self.connections = 0
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            if self.target is None:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.pass_on, args=(client, server, self.heard), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(server, client, bytearray()), daemon=True).start()

    def pass_on(self, source, sink, heard):
        try:
            while True:
                part = source.recv(65536)
                heard += part
                if not part:
                    break
                sink.sendall(part)
        except OSError:
            pass
        for end in (source, sink):
            end.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
