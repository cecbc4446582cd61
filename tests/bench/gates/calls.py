"""System calls of a server per put, counted by the kernel (perf stat) while 64 clients put."""
import os
import shutil

from . import machine
from .parts import Pairs, Part, Table
from .servers import Server


def counted(part, settings, kind):
    data, counts = f"{settings.folder}/calls-{kind}", f"{settings.folder}/counts"
    shutil.rmtree(data, ignore_errors=True)
    try:
        with Server(kind, data) as server:
            before = server.revision()
            load = [f"{machine.BIN}/truss_bench", "run", "--address", server.address, "--ops", "put", "--clients", "64", "--seconds",
                    str(settings.seconds)]
            command = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", str(server.process.pid)]
            if not part.commands:
                part.commands.append(f"perf stat -e raw_syscalls:sys_enter -p PID {machine.shown(load).replace(server.address, 'ADDRESS')}")
            machine.run(command + ["-o", counts, "--", *load])
            puts = server.revision() - before
    finally:
        shutil.rmtree(data, ignore_errors=True)
    with open(counts, encoding="utf-8") as file:
        calls = next(int(line.split(",")[0]) for line in file if "sys_enter" in line)
    os.remove(counts)
    return calls / puts


def by_name(settings, kind):
    """Calls per put by name, from strace, which slows everything: shares, not figures."""
    data, counts = f"{settings.folder}/calls-{kind}", f"{settings.folder}/counts"
    import signal
    import subprocess
    try:
        with Server(kind, data) as server:
            before = server.revision()
            trace = subprocess.Popen(["strace", "-c", "-f", "-q", "-o", counts, "-p", str(server.process.pid)],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            machine.run([f"{machine.BIN}/truss_bench", "run", "--address", server.address, "--ops", "put", "--clients", "64", "--seconds", "1"])
            puts = server.revision() - before
            trace.send_signal(signal.SIGINT)
            trace.wait()
    finally:
        shutil.rmtree(data, ignore_errors=True)
    with open(counts, encoding="utf-8") as file:
        fields = [line.split() for line in file if line.strip() and line.split()[0][0].isdigit()]
    os.remove(counts)
    return {f[-1]: int(f[3]) / puts for f in fields if f[-1] != "total"}


def measure(settings):
    part = Part("calls")
    if not machine.have("perf"):
        part.skipped = "no perf"
        return part
    ours, theirs = machine.alternate(part, settings.pairs, lambda: counted(part, settings, "ours"), lambda: counted(part, settings, "etcd"))
    part.gates["put-calls"] = Pairs("calls", ours, theirs)
    if machine.have("strace"):
        names = {kind: by_name(settings, kind) for kind in ("ours", "etcd")}
        every = sorted(set(names["ours"]) | set(names["etcd"]), key=lambda n: -max(k.get(n, 0) for k in names.values()))
        part.tables.append(Table("Calls per put under strace (which slows both, so that fewer share a batch)", ["call", "ours", "etcd"],
                                 [[n, names["ours"].get(n, 0), names["etcd"].get(n, 0)] for n in every[:12]]))
    return part
