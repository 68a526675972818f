"""Run a command on a machine whose network is dead in a given way. Started inside a network and a mount namespace.

usage: network.py blackholed|silent-dns|drops|none COMMAND...

    blackholed   the route to 10.88.0.0/16 leads nowhere
    silent-dns   the name server takes every question and answers none
    drops        127.0.0.1:8080 drops every new connection's first packet: its queue is full
    none         there is no interface but the loopback
"""

import socket
import subprocess
import sys
import tempfile


def call(*words: str) -> None:
    """Run a command that must work, or nothing was tried."""
    subprocess.run(words, check=True)


def main() -> int:
    """Break the network, run the command, end as it ended (128 + n for a signal)."""
    how, command = sys.argv[1], sys.argv[2:]
    call("ip", "link", "set", "lo", "up")
    held: list[socket.socket] = []
    if how == "blackholed":
        call("ip", "route", "add", "blackhole", "10.88.0.0/16")
    elif how == "silent-dns":
        held.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        held[0].bind(("127.0.0.1", 53))
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("nameserver 127.0.0.1\n")
            file.flush()
            call("mount", "--bind", file.name, "/etc/resolv.conf")
    elif how == "drops":
        held.append(socket.create_server(("127.0.0.1", 8080), backlog=0))
        for _ in range(4):
            held.append(socket.socket())
            held[-1].setblocking(False)
            held[-1].connect_ex(("127.0.0.1", 8080))
    status = subprocess.run(command, check=False).returncode
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
