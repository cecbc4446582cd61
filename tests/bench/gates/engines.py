"""The engines alone: log beside etcd's wal package, bolt beside bbolt and LMDB, and the floor of a durable put."""
import os
import shutil

from . import machine
from .parts import Pairs, Part, Table


def wal(settings):
    part = Part("wal")
    with machine.built_with_go("tests/bench/wal-go", f"{settings.folder}/wal-go") as theirs:
        if theirs is None:
            part.skipped = "no Go, or no module proxy, to build etcd's wal package with"
            return part
        appends(part, settings, theirs)
        replay(part, settings, theirs)
    return part


def appends(part, settings, theirs):
    ours = f"{machine.BIN}/truss_wal_bench"
    out = Table("Appends, each save synced: us per entry, median", ["entry, batch", "", "processor", "clock"], [])
    for size, batch in ((100, 1), (100, 1000), (300, 100), (1000, 1000)):
        count = 500 if batch == 1 else 300 * batch
        numbers = [str(size), str(batch), str(count)]
        a, b = machine.alternate(part, settings.pairs, lambda n=numbers: machine.run_json([ours, "append", settings.folder, *n]),
                                 lambda n=numbers: machine.run_json([theirs, "append", f"{settings.folder}/log", *n]))
        cpu, wall = (Pairs("us", [x[key] for x in a], [x[key] for x in b]) for key in ("cpu_us", "wall_us"))
        out.rows += compared(f"{size} B, {batch}", cpu, wall)
        if (size, batch) == (100, 1000):
            part.gates["wal-append"] = cpu
    part.commands.append("truss_wal_bench append FOLDER SIZE BATCH COUNT; wal-go append LOG SIZE BATCH COUNT")
    part.tables.append(out)


def compared(name, *columns):
    """Three rows: ours, theirs and the ratio."""
    import statistics
    return [[name, "ours", *(statistics.median(c.ours) for c in columns)], ["", "theirs", *(statistics.median(c.theirs) for c in columns)],
            ["", "ratio", *(f"{c.ratio():.2f}" for c in columns)]]


def replay(part, settings, theirs):
    log = f"{settings.folder}/log"
    entries = 300_000 if settings.quick else 1_500_000
    machine.run([theirs, "make", log, str(entries), "220"])
    machine.run(["sh", "-c", f"cat {log}/* >/dev/null"])
    a, b = machine.alternate(part, settings.pairs, lambda: machine.run_json([f"{machine.BIN}/truss_wal_bench", "read", log]),
                             lambda: machine.run_json([theirs, "read", log]))
    assert {x["entries"] for x in a + b} == {entries}, "both must read every entry"
    columns = [Pairs("", [f(x) for x in a], [f(x) for x in b])
               for f in (lambda x: entries / x["seconds"] / 1e6, lambda x: x["cpu_seconds"] / entries * 1e6, lambda x: x["peak_mb"])]
    part.gates["wal-replay"] = Pairs("M entries/s", columns[0].ours, columns[0].theirs)
    part.commands.append(f"wal-go make LOG {entries} 220; truss_wal_bench read LOG; wal-go read LOG")
    part.tables.append(Table(f"Replay of {entries} puts of 220 B, from the page cache", ["", "", "M entries/s", "processor us/entry", "peak MB"],
                             compared("", *columns)))
    shutil.rmtree(log)


BOLT_MODES = {"put-seq": "bolt-put-seq", "put-random": "bolt-put-random", "get-random": "bolt-get", "iterate": "bolt-iterate"}


def bolt_rows(command):
    """{mode: (ours, theirs)} in ns of processor per operation."""
    lines = [line.split() for line in machine.run(command).splitlines()]
    return {f[0]: (float(f[1]), float(f[2])) for f in lines if f and f[0] in BOLT_MODES}


def bolt(settings):
    part = Part("bolt")
    operations = 100_000 if settings.quick else 500_000
    command = [f"{machine.BIN}/truss_bolt_bench", str(operations), "1000"]
    part.commands.append(f"{machine.shown(command)} BBOLT 256     # BBOLT: go build of tests/interop/bbolt, or truss_lmdb_bench")
    with machine.built_with_go("tests/interop/bbolt", f"{settings.folder}/bbolt") as bbolt:
        if bbolt is None:
            part.skipped = "no Go, or no module proxy, to build bbolt with"
            return part
        runs = [machine.quiet(part, lambda: bolt_rows(command + [bbolt, "256"])) for _ in range(settings.pairs)]
    lmdb = f"{machine.BIN}/truss_lmdb_bench"
    beside = [machine.quiet(part, lambda: bolt_rows(command + [lmdb, "256"])) for _ in range(settings.pairs)] if os.path.exists(lmdb) else []
    out = Table(f"{operations} pairs of 17 + 256 B, 1000 puts to a transaction, nothing synced: processor ns per operation, medians",
                ["", "ours", "bbolt 1.3.6", "ratio", "LMDB", "ratio to LMDB"], [])
    for mode, key in BOLT_MODES.items():
        pairs = Pairs("ns", [r[mode][0] for r in runs], [r[mode][1] for r in runs])
        row = compared(mode, pairs)
        out.rows.append([mode, row[0][2], row[1][2], row[2][2]])
        other = Pairs("ns", [r[mode][0] for r in beside], [r[mode][1] for r in beside])
        out.rows[-1] += [compared("", other)[1][2], f"{other.ratio():.2f}"] if beside else ["not here", ""]
        if mode == "iterate":  # the gate is about speed
            pairs = Pairs("M keys/s", [1e3 / v for v in pairs.ours], [1e3 / v for v in pairs.theirs])
        part.gates[key] = pairs
    part.tables.append(out)
    return part


def floor(settings):
    """What a durable put costs without consensus, tree and HTTP/2: how far there is to go."""
    part = Part("floor")
    rows = []
    for connections, depth, more in ((1, 1, []), (64, 1, []), (256, 1, []), (12, 6, []), (64, 1, ["nosync"])):
        command = [f"{machine.BIN}/truss_floor", settings.folder, str(connections), str(depth), str(settings.seconds), *more]
        runs = [machine.quiet(part, lambda c=command: machine.run_json(c)) for _ in range(settings.pairs)]
        best = sorted(runs, key=lambda r: r["ops_per_second"])[len(runs) // 2]
        rows.append([f"{connections} x {depth}{', no sync' if more else ''}", best["ops_per_second"], best["p50_ms"], best["p99_ms"],
                     best["server_cpu_us"], best["generator_cpu_us"], best["syncs"]])
    part.commands.append("truss_floor FOLDER CONNECTIONS DEPTH SECONDS [nosync]")
    part.tables.append(Table("epoll, 300 B framed requests, one append and one fdatasync a poll, 30 B answers",
                             ["connections x depth", "operations/s", "p50 ms", "p99 ms", "server us/op", "generator us/op", "syncs/op"], rows))
    return part
