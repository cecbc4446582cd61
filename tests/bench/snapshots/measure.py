"""Called by run: alternates both tools and compares their medians."""
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT, KEYS, VALUE_BYTES = sys.argv[1], sys.argv[2], sys.argv[3]
BIN, ORACLE = f"{ROOT}/build/release/bin", f"{ROOT}/build/oracle/root/usr/bin"
ROUNDS, PARTS = int(os.environ["ROUNDS"]), os.environ["PARTS"].split()
WORK = tempfile.mkdtemp(prefix="snapshots-", dir=os.environ.get("TMPDIR", "/var/tmp"))


def measured(command, clean=(), codes=(0,)):
    """Seconds, CPU seconds and peak MB of a command."""
    for path in clean:
        shutil.rmtree(path, ignore_errors=True)
    timed = ["/usr/bin/time", "-f", "%e %U %S %M", "-o", f"{WORK}/time"]
    done = subprocess.run(timed + command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode not in codes:
        sys.exit(f"{command}: exit code {done.returncode}: {done.stderr.decode()[-400:]}")
    with open(f"{WORK}/time", encoding="utf-8") as file:
        wall, user, system, kilobytes = map(float, file.read().splitlines()[-1].split())
    return wall, user + system, kilobytes / 1024


def compare(name, ours, theirs, clean=()):
    runs = {"snapctl": [], "etcdctl": []}
    for _ in range(ROUNDS):
        runs["etcdctl"].append(measured(theirs, clean))
        runs["snapctl"].append(measured(ours, clean))
    median = {who: [statistics.median(column) for column in zip(*rows)] for who, rows in runs.items()}
    for who in runs:
        wall, cpu, peak = median[who]
        print(f"{name:8} {who}: {wall:6.2f} s  {cpu:6.2f} s CPU  {peak:7.1f} MB peak", flush=True)
    ratios = [a / b if b else 0 for a, b in zip(median["snapctl"], median["etcdctl"])]
    print(f"{name:8} ratio: time {ratios[0]:.3f}  CPU {ratios[1]:.3f}  memory {ratios[2]:.3f}", flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def served(kind, snapshot):
    """Starts a member on the snapshot; returns process and end point."""
    client, peer, data = free_port(), free_port(), f"{WORK}/{kind}"
    url = f"http://127.0.0.1:{peer}"
    subprocess.run([f"{BIN}/snapctl", "restore", snapshot, "--name", "b", "--data-dir", data, "--initial-cluster",
                    f"b={url}", "--initial-advertise-peer-urls", url], check=True, stdout=subprocess.DEVNULL)
    program = [f"{ORACLE}/etcd"] if kind == "etcd" else [f"{BIN}/member", "--compat", "3.4"]
    flags = ["--name", "b", "--data-dir", data, "--initial-cluster", f"b={url}", "--initial-advertise-peer-urls", url,
             "--listen-peer-urls", url, "--listen-client-urls", f"http://127.0.0.1:{client}",
             "--advertise-client-urls", f"http://127.0.0.1:{client}", "--quota-backend-bytes", "8000000000"]
    process = subprocess.Popen(program + flags, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end_point = f"127.0.0.1:{client}"
    for _ in range(600):
        got = subprocess.run([f"{ORACLE}/etcdctl", "--endpoints", end_point, "get", "x"], check=False,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if got.returncode == 0:
            return process, end_point
        time.sleep(0.1)
    process.kill()
    sys.exit(f"{kind} does not answer")


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = re.sub(r"^.*\) ", "", file.read()).split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def save_each(snapshot):
    """Each tool from each server."""
    size = os.path.getsize(snapshot) / 1e6
    for kind in ("etcd", "member"):
        process, end_point = served(kind, snapshot)
        try:
            for who in ("etcdctl", "snapctl"):
                if who == "etcdctl":
                    command = [f"{ORACLE}/etcdctl", "--endpoints", end_point, "--command-timeout", "300s", "snapshot", "save"]
                else:
                    command = [f"{BIN}/snapctl", "save", "--endpoints", end_point]
                rows, before = [], cpu_of(process.pid)
                for _ in range(ROUNDS):
                    rows.append(measured(command + [f"{WORK}/saved.db"]))
                server = (cpu_of(process.pid) - before) / ROUNDS
                wall, cpu, peak = [statistics.median(column) for column in zip(*rows)]
                print(f"save     {who} from {kind}: {size / wall:5.0f} MB/s  {wall:5.2f} s  {cpu:5.2f} s CPU  {peak:6.1f} MB "
                      f"peak  server {server:5.2f} s CPU", flush=True)
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(f"{WORK}/{kind}", ignore_errors=True)


def main():
    a, b = f"{WORK}/a.db", f"{WORK}/b.db"
    for path, changes in ((a, "0"), (b, "1000")):
        subprocess.run([f"{BIN}/truss_make_db", f"{WORK}/db", KEYS, VALUE_BYTES, changes], check=True)
        subprocess.run([f"{BIN}/snapctl", "cut", f"{WORK}/db", path], check=True, stdout=subprocess.DEVNULL)
        os.remove(f"{WORK}/db")
    print(f"{KEYS} keys of {VALUE_BYTES} bytes: {os.path.getsize(a) / 1e6:.0f} MB", flush=True)
    out = f"{WORK}/restored"
    if "status" in PARTS:
        compare("status", [f"{BIN}/snapctl", "status", a], [f"{ORACLE}/etcdctl", "snapshot", "status", a])
    if "restore" in PARTS:
        compare("restore", [f"{BIN}/snapctl", "restore", a, "--data-dir", out],
                [f"{ORACLE}/etcdctl", "snapshot", "restore", a, "--data-dir", out], [out])
    shutil.rmtree(out, ignore_errors=True)
    for name in ("verify", "hashkv", "diff"):
        if "diff" not in PARTS:
            continue
        command = [f"{BIN}/snapctl", name, a] + ([b] if name == "diff" else [])
        rows = [measured(command, codes=(0, 1)) for _ in range(ROUNDS)]
        wall, cpu, peak = [statistics.median(column) for column in zip(*rows)]
        print(f"{name:8} snapctl: {wall:6.2f} s  {cpu:6.2f} s CPU  {peak:7.1f} MB peak", flush=True)
    if "save" in PARTS:
        save_each(a)


try:
    main()
finally:
    shutil.rmtree(WORK, ignore_errors=True)
