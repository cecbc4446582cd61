"""Where a server's processor goes under 64 clients: perf's samples, put into costs that have names."""
import collections
import os
import re
import shutil

from . import machine
from .parts import Part, Table
from .servers import Server

# Kernel samples go by the system call they are in; samples of user space by the library, and within libc by what is done.
CALLS = re.compile(r"^(?:__x64_sys_|__se_sys_|__do_sys_|ksys_)(\w+)")
ALLOCATION = re.compile(r"malloc|free|calloc|realloc|operator new|operator delete|_int_|tcache|arena|unlink_chunk")
COPYING = re.compile(r"mem(cpy|move|set|cmp|chr)|strlen")
WAKING = {"futex": "futex (threads waiting for and waking each other)", "sendmsg": "sending to sockets", "sendto": "sending to sockets",
          "writev": "sending to sockets", "write": "write", "recvmsg": "receiving from sockets", "recvfrom": "receiving from sockets",
          "readv": "receiving from sockets", "read": "read", "fdatasync": "fdatasync (flushing the log)", "epoll_wait": "epoll_wait",
          "epoll_pwait": "epoll_wait", "epoll_ctl": "epoll_ctl", "pwrite64": "writing files", "pwritev": "writing files"}


def cost_of(frames):
    """The name of what the innermost frame's time is spent on; frames: (symbol, library), innermost first."""
    symbol, library = frames[0]
    if "kernel" in library or library == "[unknown]" and symbol.startswith("sys"):
        for name, _ in frames:
            call = CALLS.match(name)
            if call:
                return WAKING.get(call.group(1), f"{call.group(1)} (system call)")
        return "kernel: entry, interrupts, scheduling"
    if ALLOCATION.search(symbol):
        return "allocation"
    if COPYING.search(symbol):
        return "copying and comparing bytes"
    if library == "etcd":
        package = symbol.split("(")[0].split(".")[0].rsplit("/", 1)[-1]
        return f"Go: {package}"
    return library.split(".so")[0].replace("libtruss_", "our library ").strip()


def samples(path):
    """(thread, frames) of each sample of perf script."""
    thread, frames = "", []
    for line in machine.run(["perf", "script", "-i", path, "-F", "comm,ip,sym,dso"]).splitlines():
        if not line.strip():
            if frames:
                yield thread, frames
            frames = []
        elif not line.startswith(("\t", " " * 8)):
            thread = line.strip()
        else:
            match = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line)
            if match:
                frames.append((match.group(1), os.path.basename(match.group(2))))
    if frames:
        yield thread, frames


def profiled(settings, kind, op):
    data, record, report = f"{settings.folder}/profile-{kind}", f"{settings.folder}/perf.data", f"{settings.folder}/bench.json"
    load = [f"{machine.BIN}/truss_bench", "run", "--address", None, "--ops", op, "--clients", "16" if op == "range100" else "4" if op == "watch" else "64", "--seconds", "4"]
    try:
        with Server(kind, data) as server:
            load[3] = server.address
            if op != "put":  # fresh: what filled it is gone
                machine.run([f"{machine.BIN}/truss_bench", "run", "--address", server.address, "--ops", op, "--clients", "64", "--seconds", "0.1"])
                server.stop()
                server.start()
            machine.run(["perf", "record", "-q", "-F", "997", "-g", "-o", record, "-p", str(server.process.pid), "--", *load])
    finally:
        shutil.rmtree(data, ignore_errors=True)
    costs, symbols, threads = collections.Counter(), collections.Counter(), collections.Counter()
    for thread, frames in samples(record):
        costs[cost_of(frames)] += 1
        symbols[f"{frames[0][0]} ({frames[0][1]})"] += 1
        threads[thread] += 1
    for path in (record, report):
        if os.path.exists(path):
            os.remove(path)
    return costs, symbols, threads


def shares(counter, most):
    total = sum(counter.values()) or 1
    return [[name, f"{100 * count / total:.1f} %"] for name, count in counter.most_common(most)]


def measure(settings):
    part = Part("profile")
    if not machine.have("perf"):
        part.skipped = "no perf"
        return part
    for op in ("put", "get-lin"):
        for kind in ("ours", "etcd"):
            costs, symbols, threads = profiled(settings, kind, op)
            part.tables.append(Table(f"{op}, 64 clients, {kind}: largest costs", ["cost", "share"], shares(costs, 10 if kind == "ours" else 5)))
            if kind == "ours":
                part.tables.append(Table(f"{op}, 64 clients, {kind}: hottest functions", ["function", "share"], shares(symbols, 10)))
                part.tables.append(Table(f"{op}, 64 clients, {kind}: threads", ["thread", "share"], shares(threads, 8)))
    part.commands.append("perf record -F 997 -g -p PID truss_bench run --address ADDRESS --ops put --clients 64 --seconds 4")
    return part
