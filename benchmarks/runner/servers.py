"""The HTTP servers under test: start, check, measure, stop."""

import contextlib
import os
import signal
import socket
import subprocess
import threading

from .programs import Failure, cpu_seconds, find, last_json, prepare_child

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.contextmanager
def killed_after(seconds, process):
    watchdog = threading.Timer(seconds, process.kill)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


class Server:
    """A context manager: the server runs inside, and has to end cleanly."""

    def __init__(self, build, name, *arguments, cpus=None, wrapper=()):
        self.name = name
        self.command = [*wrapper, find(build, name), "--port", "0", *map(str, arguments)]
        self.cpus = cpus
        self.output = ""

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=prepare_child(self.cpus))
        self.errors = []  # read all along, so that a talkative server is not held up
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr))
        self.reader.start()
        with killed_after(10, self.process):
            line = self.process.stdout.readline()
        try:
            self.port = int(line.rsplit(":", 1)[1])
        except (IndexError, ValueError):
            self.stop()
            raise Failure(f"{self.name} did not start: {self.last_error()}") from None
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is None and self.process.returncode != 0:
            raise Failure(f"{self.name} ended with {self.process.returncode}: {self.last_error()}")

    def stop(self):
        if self.process.poll() is None:
            os.kill(self.server_pid(), signal.SIGTERM)
        with killed_after(20, self.process):
            self.output = self.process.stdout.read()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def server_pid(self):
        """Under strace the server is a child; strace itself is not to be stopped."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            pids = children.read().split()
        return int(pids[0]) if pids else self.process.pid

    def last_error(self):
        return self.errors[-1].strip() if self.errors else "no message"

    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def stats(self):
        return last_json(self.output, f"{self.name} --stats")


def exchange(port, pieces):
    """Sends the pieces one by one, ends its side, and returns all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            peer.sendall(piece)
        peer.shutdown(socket.SHUT_WR)
        answer = b""
        while part := peer.recv(65536):
            answer += part
        return answer


def check_answers(port):
    """A server that is fast because it is wrong is not measured."""
    one = exchange(port, [REQUEST])
    if not one.startswith(b"HTTP/1.1 200 "):
        raise Failure(f"a request was answered with {one[:40]!r}")
    if exchange(port, [REQUEST * 5]) != one * 5:
        raise Failure("five requests in one segment did not get five answers")
    if exchange(port, [REQUEST * 500]) != one * 500:
        raise Failure("500 requests at once, more than one read takes, did not get 500 answers")
    if exchange(port, [REQUEST[i:i + 1] for i in range(len(REQUEST))] + [REQUEST]) != one * 2:
        raise Failure("a request in pieces was not answered")
    if not exchange(port, [REQUEST + b"nonsense\r\n\r\n"]).startswith(one + b"HTTP/1.1 400 "):
        raise Failure("nonsense was not refused")
    if exchange(port, [REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") * 2]) != one:
        raise Failure("'Connection: close' was not respected")
    return one
