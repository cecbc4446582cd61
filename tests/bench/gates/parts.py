"""What a part hands back, and how it is kept: docs/bench/report/PART.json."""
import json
import os
import statistics
from dataclasses import asdict, dataclass, field

from . import machine


@dataclass
class Pairs:
    """Figures of ours and of the anchor, pair by pair."""
    unit: str
    ours: list
    theirs: list

    def ratios(self):
        return [a / b if b else 0.0 for a, b in zip(self.ours, self.theirs)]

    def ratio(self):
        return statistics.median(self.ratios())


@dataclass
class Table:
    title: str
    columns: list
    rows: list


@dataclass
class Part:
    name: str
    commands: list = field(default_factory=list)  # what ran underneath
    gates: dict = field(default_factory=dict)  # key of the gate: Pairs
    tables: list = field(default_factory=list)
    plots: dict = field(default_factory=dict)  # for plots.py
    foreign: list = field(default_factory=list)  # cores that others used, run by run
    skipped: str = ""  # why nothing was measured
    quick: bool = False
    date: str = ""
    commit: str = ""
    machine: str = ""


def save(part, folder, quick):
    part.quick, part.date, part.commit, part.machine = quick, machine.now(), machine.commit(), machine.text()
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{part.name}.json", "w", encoding="utf-8") as out:
        json.dump(asdict(part), out, indent=1)
        out.write("\n")


def load(name, folder):
    """The part as it was last measured, or None."""
    path = f"{folder}/{name}.json"
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        part = Part(**json.load(file))
    part.gates = {key: Pairs(**pairs) for key, pairs in part.gates.items()}
    part.tables = [Table(**table) for table in part.tables]
    return part
