"""Loads of truss_bench on ours and on real etcd: puts, reads, txns, watch, the same offered rate."""
import json
import os

from . import machine
from .parts import Pairs, Part, Table

COLUMNS = [("ops_per_second", "operations/s"), ("p50_ms", "p50 ms"), ("p99_ms", "p99 ms"), ("server_cpu_us", "server us/op"),
           ("generator_cpu_us", "generator us/op"), ("wal_fsyncs", "syncs/op"), ("rss_anon_mib", "RssAnon MiB")]


def bench(part, settings, ops, clients, *more):
    """Samples of truss_bench, by (op, subject)."""
    out = f"{settings.folder}/bench.json"
    command = [f"{machine.BIN}/truss_bench", "run", "--member", f"{machine.BIN}/member", "--member-flag=--compat=3.4", "--etcd",
               machine.ETCD, "--ops", ops, "--clients", str(clients), "--pairs", str(settings.pairs), "--seconds",
               str(settings.seconds), "--most-foreign", str(machine.MOST_FOREIGN), *more]
    part.commands.append(machine.shown(command))
    machine.run(command + ["--folder", settings.folder, "--out", out])
    with open(out, encoding="utf-8") as file:
        samples = json.load(file)["report"]["samples"]
    os.remove(out)
    groups = {}
    for sample in samples:
        groups.setdefault((sample["op"], sample["subject"]), []).append(sample)
        part.foreign.append(round(sample["foreign_cores"], 2))
        if sample["errors"]:
            part.tables.append(Table(f"{sample['errors']} errors of {sample['subject']} in {sample['op']}", [], []))
    return groups


def pairs(groups, op, column, unit):
    return Pairs(unit, *([s[column] for s in groups[op, subject]] for subject in ("member", "etcd")))


def rows(groups, clients):
    """Medians of both and their ratio, op by op."""
    out = []
    for op in dict.fromkeys(op for op, _ in groups):
        all_pairs = [pairs(groups, op, column, "") for column, _ in COLUMNS]
        out.append([f"{op}, {clients}", "ours", *(median(p.ours) for p in all_pairs)])
        out.append(["", "etcd", *(median(p.theirs) for p in all_pairs)])
        out.append(["", "ratio", *(f"{p.ratio():.2f}" if median(p.theirs) else "" for p in all_pairs)])
    return out


def median(values):
    import statistics
    return statistics.median(values)


def loads(name, settings, runs):
    """A part of several loads: (ops, clients, {gate: (op, column, unit)})."""
    part, table = Part(name), Table("Medians", ["load, clients", "", *(title for _, title in COLUMNS)], [])
    for ops, clients, gates in runs:
        groups = bench(part, settings, ops, clients)
        table.rows += rows(groups, clients)
        for key, (op, column, unit) in gates.items():
            part.gates[key] = pairs(groups, op, column, unit)
        for op in dict.fromkeys(op for op, _ in groups):
            cpu = pairs(groups, op, "server_cpu_us", "")
            part.plots.setdefault("cpu", []).append([f"{op}, {clients}", median(cpu.ours), median(cpu.theirs)])
    part.tables.append(table)
    return part


def puts(settings):
    return loads("puts", settings, [
        ("put", 1, {"put-p50": ("put", "p50_ms", "ms")}),
        ("put", 64, {"put-cpu": ("put", "server_cpu_us", "us"), "put-rate": ("put", "ops_per_second", "/s"),
                     "put-syncs": ("put", "wal_fsyncs", "")}),
        ("put", 256, {})])


def reads(settings):
    return loads("reads", settings, [
        ("get-lin,get-ser", 64, {"get-cpu": ("get-lin", "server_cpu_us", "us")}),
        ("range100", 16, {"range-cpu": ("range100", "server_cpu_us", "us")})])


def txns(settings):
    return loads("txns", settings, [("txn4,mixed,lease", 64, {"txn-cpu": ("txn4", "server_cpu_us", "us")})])


def watch(settings):
    return loads("watch", settings, [("watch", 4, {"watch-cpu": ("watch", "server_cpu_us", "us")})])


def rate(settings):
    """Puts at shares of what etcd can do with 64 clients: latency from when each was due."""
    part = Part("rate")
    closed = bench(part, settings, "put", 64)
    capacity = median([s["ops_per_second"] for s in closed["put", "etcd"]])
    table = Table(f"Open loop; etcd can do {capacity:.0f} puts/s with 64 clients in a closed loop",
                  ["rate, clients", "", *(title for _, title in COLUMNS)], [])
    for share in (0.3, 0.5, 0.7, 0.85):
        offered = round(capacity * share, -2)
        groups = bench(part, settings, "put", 64, "--rate", f"{offered:.0f}")
        op = next(op for op, _ in groups)
        table.rows += rows(groups, f"{share:.0%}")
        p99 = pairs(groups, op, "p99_ms", "ms")
        part.plots.setdefault("p99", []).append([offered, median(p99.ours), median(p99.theirs)])
        if share == 0.7:
            part.gates["put-p99"] = p99
            part.gates["load-memory"] = pairs(groups, op, "rss_anon_mib", "MiB")
    part.tables.append(table)
    return part
