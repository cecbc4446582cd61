"""docs/bench/report.md and its pictures, from the parts as they were last measured."""
import os
import statistics

from . import parts, plots
from .table import GATES


def figure(value):
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(columns, rows):
    out = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return out + ["| " + " | ".join(figure(v) for v in row) + " |" for row in rows]


def bound(gate):
    sign = ">=" if gate.more else "<="
    return f"{sign} {gate.must:g} ({gate.moonshot:g})"


def gate_row(gate, part):
    pairs = part.gates.get(gate.key) if part else None
    if pairs is None:
        why = f"not measured: {part.skipped}" if part and part.skipped else "not measured"
        return [gate.what, bound(gate), "", "", "", why, ""]
    ratios = pairs.ratios()
    ratio = statistics.median(ratios)
    verdict = "**missed**" if not gate.met(ratio) else "moonshot" if gate.met(ratio, gate.moonshot) else "met"
    ours, theirs = (f"{figure(statistics.median(v))} {pairs.unit}" for v in (pairs.ours, pairs.theirs))
    return [gate.what, bound(gate), f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})", ours, theirs, verdict,
            f"`tests/bench/report {gate.part}`{' --quick' if part.quick else ''}"]


def measured_rows(found):
    return [(g, found[g.part].gates[g.key].ratio()) for g in GATES if found.get(g.part) and g.key in found[g.part].gates]


def summary(found):
    rows = measured_rows(found)
    met = sum(gate.met(ratio) for gate, ratio in rows)
    moon = sum(gate.met(ratio, gate.moonshot) for gate, ratio in rows)
    return f"{len(rows)} of {len(GATES)} gates measured, {met} met, {moon} of them at the moonshot."


def section(name, part):
    out = [f"## {name}", ""]
    if part.skipped:
        return out + [f"Not measured: {part.skipped}.", ""]
    noise = f"; cores that others used in its runs: median {statistics.median(part.foreign):.2f}, at most {max(part.foreign):.2f}" if part.foreign else ""
    out += [f"{part.date}, commit {part.commit}{', quick: short runs and one pair' if part.quick else ''}{noise}.", "", "```", *part.commands, "```", ""]
    for each in part.tables:
        out += [f"{each.title}:", ""] + (table(each.columns, each.rows) + [""] if each.columns else [])
    return out


def draw(found, folder):
    """Writes the pictures and gives the lines that show them."""
    pictures = {"gates": plots.gates(measured_rows(found))}
    cpu = [row for part in found.values() if part for row in part.plots.get("cpu", []) if not row[0].startswith("watch")]
    if cpu:
        pictures["cpu"] = plots.bars("server processor per operation", cpu, "us")
    if found.get("rate") and "p99" in found["rate"].plots:
        pictures["latency"] = plots.latency(found["rate"].plots["p99"])
    for name, picture in pictures.items():
        with open(f"{folder}/{name}.svg", "w", encoding="utf-8") as out:
            out.write(picture)
    return [f"![{name}](report/{name}.svg)" for name in pictures]


def write(names, folder, to):
    """`folder`: of the JSON and the pictures; `to`: the page; remarks.md of the folder goes in as it is."""
    found = {name: parts.load(name, folder) for name in names}
    machines = sorted({p.machine for p in found.values() if p})
    pictures = draw(found, folder)
    out = ["# Bench report", "", "Written by `tests/bench/report` from `docs/bench/report/*.json`; single parts are measured again by",
           "`tests/bench/report PART...`. " + summary(found), "", f"Machine: {'; '.join(machines)}. Everything on loopback, etcd 3.4.23 of Debian, ours as a",
           "release build at `--compat=3.4`. Runs alternate (anchor, ours), a ratio is the median of those of the pairs (least to greatest), CPU from /proc.",
           "A run beside which others used more than 0.35 cores is repeated, at most twice; the quietest counts. Times and processor below 1, rates above 1, are better.",
           "", "## The gates", ""]
    out += table(["gate", "bound (moonshot)", "ratio", "ours", "anchor", "", "command"], [gate_row(g, found.get(g.part)) for g in GATES])
    out += ["", *pictures, ""]
    remarks = f"{folder}/remarks.md"
    if os.path.exists(remarks):
        with open(remarks, encoding="utf-8") as file:
            out += file.read().rstrip().splitlines() + [""]
    for name, part in found.items():
        out += section(name, part) if part else [f"## {name}", "", "Not measured yet.", ""]
    with open(to, "w", encoding="utf-8") as file:
        file.write("\n".join(out).rstrip() + "\n")
