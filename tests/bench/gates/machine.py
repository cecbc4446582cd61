"""The machine, its noise, and programs run on it."""
import contextlib
import datetime
import json
import os
import resource
import subprocess
import sys
import time

ROOT = os.path.realpath(f"{os.path.dirname(os.path.abspath(__file__))}/../../..")
BIN = f"{ROOT}/build/release/bin"
ETCD = f"{ROOT}/build/oracle/root/usr/bin/etcd"
ETCDCTL = f"{ROOT}/build/oracle/root/usr/bin/etcdctl"
TICK = os.sysconf("SC_CLK_TCK")
MOST_FOREIGN = 0.35  # cores; a noisier run is repeated twice at most

live = set()  # process ids of servers that run


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit():
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def text():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    system = os.uname()
    return f"{os.cpu_count()} processors ({model}), {memory} GiB, {system.sysname} {system.release}"


def say(line):
    print(line, file=sys.stderr, flush=True)


def cpu_of(pid):
    """Seconds of processor of a process that runs."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def busy():
    with open("/proc/stat", encoding="utf-8") as file:
        user, nice, system, _, _, irq, soft = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + soft) / TICK


def used():
    """Seconds of processor of this process and all its children, also those that run."""
    total = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return total + sum(cpu_of(pid) for pid in live)


class Watch:
    """Seconds, and cores that others used meanwhile."""

    def __init__(self):
        self.start, self.busy, self.used = time.monotonic(), busy(), used()

    def seconds(self):
        return time.monotonic() - self.start

    def foreign(self):
        return max(0.0, (busy() - self.busy - (used() - self.used)) / max(self.seconds(), 1e-3))


def quiet(part, measure, tries=3):
    """The quietest of at most `tries` runs of `measure`, which gives any value."""
    best = None
    for _ in range(tries):
        watch = Watch()
        value = measure()
        foreign = watch.foreign()
        if best is None or foreign < best[0]:
            best = (foreign, value)
        if foreign <= MOST_FOREIGN:
            break
    part.foreign.append(round(best[0], 2))
    return best[1]


def alternate(part, pairs, ours, theirs):
    """Values of ours and theirs, in turns: two lists of `pairs`."""
    out = ([], [])
    for i in range(pairs):
        for values, name, measure in ((out[1], "anchor", theirs), (out[0], "ours", ours)):
            values.append(quiet(part, measure))
            say(f"{part.name}: pair {i}, {name}: {values[-1]}")
    return out


def run(command, **options):
    """Standard output of a command, which must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr[-800:]}")
    return done.stdout


def run_json(command, **options):
    return json.loads(run(command, **options))


def shown(command):
    """A command as the report shows it."""
    return " ".join(command).replace(f"{ROOT}/", "")


def have(program):
    return any(os.access(f"{folder}/{program}", os.X_OK) for folder in os.environ["PATH"].split(":"))


@contextlib.contextmanager
def built_with_go(folder, to):
    """Program of a Go module of ours at `to`, or None: no Go, or no module proxy."""
    environment = dict(os.environ, GOFLAGS="-mod=readonly")
    done = have("go") and subprocess.run(["go", "build", "-o", to, "."], cwd=f"{ROOT}/{folder}", env=environment, check=False,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    yield to if done else None
