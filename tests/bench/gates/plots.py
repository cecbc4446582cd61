"""SVG pictures of what was measured."""
import math
from xml.sax.saxutils import escape

OURS, THEIRS, GOOD, BAD, SOFT = "#2e86de", "#e67e22", "#27ae60", "#c0392b", "#f4f4f4"


def document(width, height, parts):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" font-size="12">')
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#ffffff"/>', *parts, "</svg>", ""])


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def bar(x, y, width, height, color):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height}" fill="{color}"/>'


def line(x1, y1, x2, y2, color, dash=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-dasharray="{dash}"/>'


def gates(rows):
    """Every gate on one logarithmic scale: how many times better than the anchor; rows: (gate, ratio)."""
    left, width, step = 530, 420, 22
    better = [(gate, ratio if gate.more else 1 / ratio if ratio else 1) for gate, ratio in rows]
    top = max([b for _, b in better] + [g.moonshot if g.more else 1 / g.moonshot for g, _ in rows] + [10])
    scale = width / math.log10(top * 1.2)
    place = lambda times: left + scale * math.log10(max(times, 1.0))
    height = 50 + step * len(rows)
    out = [text(8, 16, "times better than the anchor; bars end at the median, | is the gate, ¦ the moonshot")]
    for times in (1, 2, 5, 10, 20, 50, 100):
        if times <= top * 1.2:
            out += [line(place(times), 24, place(times), height - 8, "#d0d0d0"), text(place(times), 36, f"{times}", "middle")]
    for i, (gate, times) in enumerate(better):
        y = 44 + step * i
        must, moon = (gate.must, gate.moonshot) if gate.more else (1 / gate.must, 1 / gate.moonshot)
        out += [text(left - 8, y + 11, gate.what, "end"),
                bar(left, y, place(times) - left, 14, GOOD if times >= must else BAD), line(place(must), y - 2, place(must), y + 16, "#000000"),
                line(place(moon), y - 2, place(moon), y + 16, "#000000", "3 2"), text(place(times) + 6, y + 11, f"{times:.2f}")]
    return document(left + width + 60, height, out)


def bars(title, rows, unit):
    """Ours and the anchor's, pair by pair of bars; rows: (name, ours, theirs)."""
    left, width, step = 130, 480, 40
    most = max([max(a, b) for _, a, b in rows] + [1e-9])
    out = [text(left, 16, f"{title}, {unit}"), bar(left + 330, 6, 12, 12, OURS), text(left + 346, 16, "ours"),
           bar(left + 400, 6, 12, 12, THEIRS), text(left + 416, 16, "etcd")]
    for i, (name, a, b) in enumerate(rows):
        y = 30 + step * i
        out.append(text(left - 8, y + 18, name, "end"))
        for j, (value, color) in enumerate(((a, OURS), (b, THEIRS))):
            out += [bar(left, y + 15 * j, width * value / most, 13, color), text(left + width * value / most + 5, y + 11 + 15 * j, f"{value:.4g}")]
    return document(left + width + 70, 36 + step * len(rows), out)


def latency(rows):
    """Latency at 99 % over the offered rate, logarithmic upwards; rows: (rate, ours, theirs)."""
    left, top, width, height = 70, 40, 520, 240
    most_x, values = max(r[0] for r in rows) * 1.05, [v for r in rows for v in r[1:] if v > 0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    x = lambda rate: left + width * rate / most_x
    y = lambda value: top + height * (high - math.log10(max(value, 1e-6))) / max(high - low, 1)
    out = [text(left, 18, "put, open loop: latency at 99 % from when each was due, ms"), bar(left, top, width, height, SOFT)]
    out += [part for power in range(low, high + 1) for part in
            (line(left, y(10**power), left + width, y(10**power), "#d0d0d0"), text(left - 6, y(10**power) + 4, f"{10**power:g}", "end"))]
    for column, name, color in ((1, "ours", OURS), (2, "etcd", THEIRS)):
        points = " ".join(f"{x(r[0]):.1f},{y(r[column]):.1f}" for r in rows)
        out += [f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{points}"/>', text(x(rows[-1][0]) - 4, y(rows[-1][column]) - 6, name, "end")]
        out += [f'<circle cx="{x(r[0]):.1f}" cy="{y(r[column]):.1f}" r="3" fill="{color}"/>' for r in rows]
    out += [text(x(r[0]), top + height + 16, f"{r[0]:.0f}", "middle") for r in rows] + [text(left + width, top + height + 32, "puts a second offered", "end")]
    return document(left + width + 40, top + height + 44, out)
