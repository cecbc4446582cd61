"""Large databases: start, memory after it, snapshot streams, compaction, bulk fill."""
import shutil
import time

from . import machine
from .parts import Pairs, Part, Table
from .servers import Server, restored

VALUE_BYTES = 256


def table(title, columns, results):
    """Rows of ours and etcd for lists of tuples."""
    rows = [[kind, *(round(v, 3) for v in row)] for kind in ("ours", "etcd") for row in results[kind]]
    return Table(title, ["", *columns], rows)


def in_turns(part, settings, measure):
    """`measure(kind)` gives a tuple; all of them by kind."""
    ours, theirs = machine.alternate(part, settings.pairs, lambda: measure("ours"), lambda: measure("etcd"))
    return {"ours": ours, "etcd": theirs}


def column(results, index, unit):
    return Pairs(unit, *([row[index] for row in results[kind]] for kind in ("ours", "etcd")))


def start(settings):
    keys = 300_000 if settings.quick else 3_000_000
    part = Part("start")
    data = restored(settings.folder, keys, VALUE_BYTES)
    part.commands.append(f"truss_make_db FILE {keys} {VALUE_BYTES}; snapctl cut; snapctl restore; then each server, on its own copy")

    def once(kind):
        server = Server(kind, data[kind])
        seconds = server.start()
        try:
            time.sleep(0.3)
            return seconds, server.cpu(), server.anonymous_mib() * 2**20 / keys
        finally:
            server.stop()

    for kind in data:
        once(kind)  # a restored directory's first start, and its pages into memory
    results = in_turns(part, settings, once)
    part.gates["start-time"] = column(results, 0, "s")
    part.gates["start-memory"] = column(results, 2, "B/key")
    part.tables.append(table(f"Starts with {keys} keys of {VALUE_BYTES} B, in the page cache",
                             ["seconds until healthy", "processor s", "anonymous B/key"], results))
    for path in data.values():
        shutil.rmtree(path)
    return part


def snapshot(settings):
    keys = 200_000 if settings.quick else 1_500_000
    part = Part("snapshot")
    data = restored(settings.folder, keys, VALUE_BYTES)
    command = [f"{machine.BIN}/truss_bench", "snapshot", "--address"]
    part.commands.append(f"{machine.shown(command)} ADDRESS     # reads the stream and throws it away")
    servers = {kind: Server(kind, path) for kind, path in data.items()}
    for server in servers.values():
        server.start()

    def once(kind):
        before = servers[kind].cpu()
        streams = machine.run_json(command + [servers[kind].address])
        megabytes = streams["bytes"] / 1e6
        return megabytes / streams["seconds"], (servers[kind].cpu() - before) / megabytes * 1e3, streams["client_cpu_seconds"] / megabytes * 1e3

    try:
        results = in_turns(part, settings, once)
    finally:
        for kind, server in servers.items():
            server.stop()
            shutil.rmtree(data[kind])
    part.gates["snapshot-rate"] = column(results, 0, "MB/s")
    part.tables.append(table("Streams to one client that throws them away", ["MB/s", "server s/GB", "client s/GB"], results))
    return part


def until_idle(server, start_time):
    """Processor seconds of a server, and the time since `start_time`, at the end of its background work."""
    used, since = server.cpu(), time.monotonic()
    while time.monotonic() - since < 0.8:
        time.sleep(0.05)
        now = server.cpu()
        if now - used > 0.02:  # its clock ticks cost less
            used, since = now, time.monotonic()
    return used, since - start_time


def compaction(settings):
    keys = 100_000 if settings.quick else 500_000
    part = Part("compaction")
    part.commands.append(f"{keys} keys; etcdctl del of the first half; etcdctl compaction; until the server is idle")

    def once(kind):
        folder = f"{settings.folder}/compaction"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made[kind], folder)
        with Server(kind, folder) as server:
            server.etcdctl("del", "/registry/", f"/registry/{keys // 2:012d}")
            time.sleep(0.5)
            before, start_time = server.cpu(), time.monotonic()
            server.etcdctl("compaction", str(server.revision()))
            used, seconds = until_idle(server, start_time)
            used -= before
        shutil.rmtree(folder)
        return used, seconds

    made = restored(settings.folder, keys, VALUE_BYTES)
    results = in_turns(part, settings, once)
    for path in made.values():
        shutil.rmtree(path)
    part.gates["compaction-cpu"] = column(results, 0, "s")
    part.tables.append(table(f"Compaction of {keys // 2} deleted keys of {keys}", ["processor s", "seconds"], results))
    return part


def fill(settings):
    keys = 50_000 if settings.quick else 400_000
    part = Part("fill")
    command = [f"{machine.BIN}/truss_bench", "fill", "--keys", str(keys), "--value-bytes", "1024"]
    part.commands.append(f"{machine.shown(command)} --address ADDRESS")

    def once(kind):
        data = f"{settings.folder}/fill-{kind}"
        shutil.rmtree(data, ignore_errors=True)
        try:
            with Server(kind, data) as server:
                watch = machine.Watch()
                machine.run(command + ["--address", server.address])
                return server.anonymous_mib(), watch.seconds(), server.cpu()
        finally:
            shutil.rmtree(data, ignore_errors=True)

    results = in_turns(part, settings, once)
    part.gates["fill-memory"] = column(results, 0, "MiB")
    part.tables.append(table(f"{keys} keys of 1 KiB in transactions of 128 puts, 16 clients", ["RssAnon MiB", "seconds", "processor s"], results))
    return part
