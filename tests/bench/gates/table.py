"""The gates: each a ratio of ours to the anchor in the same run."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    key: str
    what: str
    must: float
    moonshot: float
    part: str  # which part of the report measures it
    anchor: str = "etcd"
    more: bool = False  # a larger ratio is better

    def met(self, ratio, bound=None):
        bound = self.must if bound is None else bound
        return ratio >= bound if self.more else ratio <= bound


GATES = [
    Gate("put-cpu", "put, 64 clients: processor per operation", 0.35, 0.18, "puts"),
    Gate("get-cpu", "linearizable get, 64 clients, fresh server: processor per operation", 0.30, 0.12, "reads"),
    Gate("range-cpu", "range of 100 keys, 16 clients: processor per operation", 0.20, 0.05, "reads"),
    Gate("txn-cpu", "txn of 4 puts, 64 clients: processor per operation", 0.30, 0.12, "txns"),
    Gate("put-rate", "put, 64 clients: operations a second", 3, 6, "puts", more=True),
    Gate("put-p99", "put at the same offered rate (open loop, 70 % of what etcd can): latency at 99 %", 0.4, 0.15, "rate"),
    Gate("put-p50", "put, one client: latency at 50 %", 0.65, 0.40, "puts"),
    Gate("put-syncs", "put, 64 clients: syncs of the log per operation", 0.5, 0.2, "puts"),
    Gate("put-calls", "put, 64 clients: system calls per operation", 0.5, 0.15, "calls"),
    Gate("watch-cpu", "one key with 1000 watchers: processor per event", 0.25, 0.10, "watch"),
    Gate("start-time", "start with 3 million keys: time until healthy", 0.20, 0.06, "start"),
    Gate("start-memory", "start with 3 million keys: anonymous memory per key", 0.5, 0.25, "start"),
    Gate("load-memory", "same offered rate of puts: anonymous memory (RssAnon) at the end", 0.4, 0.2, "rate"),
    Gate("fill-memory", "after a bulk fill: anonymous memory (RssAnon)", 0.4, 0.2, "fill"),
    Gate("snapshot-rate", "client snapshot as a stream: bytes a second", 3, 8, "snapshot", more=True),
    Gate("compaction-cpu", "compaction of half the revisions: processor", 0.4, 0.15, "compaction"),
    Gate("wal-append", "log: 1000 entries of 100 B to a synced save: processor per entry", 0.3, 0.12, "wal", "etcd's wal package"),
    Gate("wal-replay", "log: replay of puts of 220 B: entries a second", 5, 10, "wal", "etcd's wal package", more=True),
    Gate("bolt-put-seq", "bolt: sequential put, 1000 to a transaction: processor", 0.5, 0.25, "bolt", "bbolt"),
    Gate("bolt-put-random", "bolt: random put, 1000 to a transaction: processor", 0.5, 0.3, "bolt", "bbolt"),
    Gate("bolt-get", "bolt: random get: processor", 0.7, 0.5, "bolt", "bbolt"),
    Gate("bolt-iterate", "bolt: full iteration: keys a second of processor", 1, 2, "bolt", "bbolt", more=True),
]
