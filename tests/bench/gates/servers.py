"""Servers started by hand: ours and real etcd, on free ports of loopback."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

from . import machine

QUOTA = 8 << 30


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One member alone. `kind`: ours or etcd; `data`: a directory of its own, kept if it is there."""

    def __init__(self, kind, data):
        self.kind, self.data = kind, data
        self.port, self.peer = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def command(self):
        program = [machine.ETCD] if self.kind == "etcd" else [f"{machine.BIN}/member", "--compat=3.4"]
        peer = f"http://127.0.0.1:{self.peer}"
        client = f"http://{self.address}"
        return program + ["--name=bench", f"--data-dir={self.data}", f"--listen-client-urls={client}",
                          f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
                          f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=bench={peer}", "--logger=zap",
                          "--log-level=warn", f"--quota-backend-bytes={QUOTA}"]

    def start(self):
        """Seconds until it is healthy."""
        start = time.monotonic()
        with open(f"{self.data}.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        machine.live.add(self.process.pid)
        while not self.healthy():
            if self.process.poll() is not None or time.monotonic() - start > 120:
                with open(f"{self.data}.log", encoding="utf-8") as log:
                    sys.exit(f"{self.kind} did not start: {log.read()[-800:]}")
            time.sleep(0.005)
        return time.monotonic() - start

    def stop(self):
        if self.process is None:
            return
        machine.live.discard(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def healthy(self):
        try:
            return '"health":"true"' in self.request("GET", "/health")
        except (OSError, http.client.HTTPException):
            return False

    def revision(self):
        answer = json.loads(self.request("POST", "/v3/kv/range", json.dumps({"key": "eA=="})))
        return int(answer["header"]["revision"])

    def cpu(self):
        return machine.cpu_of(self.process.pid)

    def anonymous_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) / 1024

    def etcdctl(self, *words):
        return machine.run([machine.ETCDCTL, "--endpoints", self.address, "--command-timeout=300s", *words],
                           env=dict(os.environ, ETCDCTL_API="3"))


def restored(folder, keys, value_bytes):
    """Data directories {ours, etcd} made from one db of `keys` keys, /registry/000000000000 and on."""
    db, snapshot = f"{folder}/made.db", f"{folder}/made.snapshot"
    machine.run([f"{machine.BIN}/truss_make_db", db, str(keys), str(value_bytes)])
    machine.run([f"{machine.BIN}/snapctl", "cut", db, snapshot])
    os.remove(db)
    out = {}
    for kind in ("ours", "etcd"):
        out[kind] = f"{folder}/{kind}"
        shutil.rmtree(out[kind], ignore_errors=True)
        machine.run([f"{machine.BIN}/snapctl", "restore", snapshot, "--name", "bench", "--data-dir", out[kind],
                     "--initial-cluster", "bench=http://127.0.0.1:1", "--initial-advertise-peer-urls", "http://127.0.0.1:1"])
    os.remove(snapshot)
    return out
