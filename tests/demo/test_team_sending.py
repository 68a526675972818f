"""What is sent for a simulated team arrives, however long the service took over the day before."""

import json
import socket
import threading

from innerloop_collector.demo.team.send import Collector


def test_what_is_sent_on_a_connection_that_the_service_closed_meanwhile_is_sent_once_more() -> None:
    answered = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for ending in (b"", b"Connection: close\r\n"):  # the first is closed without a word that it will be
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as stream:
                    length = 0
                    while line := stream.readline().strip():
                        length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length:") else length
                    answered.append(json.loads(stream.read(length))["arguments"])
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + ending + b"\r\n{}")

        thread = threading.Thread(target=serve)
        thread.start()
        collector = Collector(f"http://127.0.0.1:{listener.getsockname()[1]}", "token")
        assert ({}, {}) == (collector.ask("check", number=1), collector.ask("check", number=2))
        thread.join()
    assert [{"number": 1}, {"number": 2}] == answered
