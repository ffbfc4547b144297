"""What every measurement needs: programs to measure, state directories, processes with their times, and numbers of them."""

import dataclasses
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

# Given to everybody before the next measurement, so that what runs in the background does not disturb it.
SETTLE = 0.012
# The first turns warm caches and are not counted.
WARM = 3


class Unable(Exception):
    """This cannot be measured here."""


@dataclasses.dataclass(frozen=True)
class Program:
    """A build of jobdir."""

    name: str
    path: str
    is_static: bool

    def pick(self, limits):
        """Returns the limit that holds for this build. `limits`: one for all, or (plain, static)."""
        return limits[self.is_static] if isinstance(limits, tuple) else limits


@dataclasses.dataclass
class Figure:
    """One number, what it may be at most (or at least), and where it comes from."""

    row: str
    what: str
    who: str
    value: float
    unit: str
    must: float | None = None
    aim: float | None = None
    at_least: bool = False
    ours: dict | None = None
    base: dict | None = None
    base_name: str = ""

    def meets(self, limit):
        """Says whether the value is as good as this; `None` without a limit."""
        if limit is None:
            return None
        return self.value >= limit if self.at_least else self.value <= limit


def summary(samples, factor=1.0):
    """Median, percentiles and extremes of some samples."""
    ordered = sorted(sample * factor for sample in samples)

    def at(part):
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)]

    median = statistics.median(ordered)
    return {"n": len(ordered), "min": ordered[0], "p50": median, "p90": at(0.9), "p99": at(0.99), "max": ordered[-1]}


@dataclasses.dataclass
class Ended:
    """A process that has ended."""

    seconds: float
    # Never below that of the bench itself: the kernel counts what the process was before it executed its program.
    max_rss: int
    code: int


def spawn(argv, env, stdout="/dev/null", check=True):
    """Runs a command to its end. Spawned directly, so that Python adds little."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
    ]
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    took = time.perf_counter() - began
    code = os.waitstatus_to_exitcode(status)
    if check and code != 0:
        raise RuntimeError(f"{' '.join(argv)} ended with {code}")
    return Ended(took, usage.ru_maxrss * 1024, code)


def interleaved(repeats, measures):
    """Calls each measure in turns; they return seconds. Returns the samples of each by its name."""
    samples = {name: [] for name in measures}
    for repeat in range(repeats + WARM):
        for name, measure in measures.items():
            took = measure()
            if repeat >= WARM:
                samples[name].append(took)
            time.sleep(SETTLE)
    return samples


def until(what, look, limit=120.0):
    """Looks again and again until there is an answer."""
    deadline = time.monotonic() + limit
    while not (found := look()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"in vain: {what}")
        time.sleep(0.002)
    return found


class Bench:
    """One run: the programs, the tools beside them, and a temporary directory in which nothing is deleted before its end."""

    def __init__(self, programs, is_quick, kept):
        self.programs = programs
        self.is_quick = is_quick
        # Where directories are that take minutes to make or to delete.
        self.kept = kept
        self.temporary = tempfile.mkdtemp(prefix="jobdir-bench-")
        self.memory = tempfile.mkdtemp(prefix="jobdir-bench-", dir="/dev/shm") if os.path.isdir("/dev/shm") else None
        self.env = {"PATH": os.environ["PATH"], "HOME": self.temporary, "LC_ALL": "C.UTF-8"}
        self.states = []

    def scaled(self, number, least=1):
        """Returns fewer in a quick run."""
        return max(number // 10, least) if self.is_quick else number

    def tool(self, name):
        """Finds a tool to compare with."""
        path = shutil.which(name)
        if path is None:
            raise Unable(f"no {name} here")
        return path

    def state(self, name, in_memory=False, **more):
        """Makes a directory and returns an environment in which jobdir, nq and task-spooler keep everything in it."""
        place = self.memory if in_memory else self.temporary
        if place is None:
            raise Unable("no /dev/shm here")
        path = os.path.join(place, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        env = {**self.env, "JOBDIR_STATE_DIR": path, "NQDIR": path, "TMPDIR": path, **more}
        self.states.append(env)
        return env

    def output(self, argv, env):
        """Runs a command and returns what it prints."""
        return subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout

    def start(self, program, env, *command):
        """Starts a detached job and returns its id."""
        return self.output([program.path, "run", "-d", "--", *command], env).strip()

    def stop_all(self, program, env):
        """Ends every job of a state directory."""
        subprocess.run([program.path, "kill", "--all", "--force"], env=env, capture_output=True, check=False)

    def close(self):
        """Ends what still runs, and removes everything but what is kept."""
        for env in self.states:
            if os.path.exists(os.path.join(env["JOBDIR_STATE_DIR"], "FORMAT")):
                self.stop_all(self.programs[0], env)
        for place in filter(None, (self.temporary, self.memory)):
            shutil.rmtree(place, ignore_errors=True)


def against(row, what, program, samples, base, must, aim):
    """A figure that is the ratio of two medians."""
    ours, theirs = summary(samples[program.name], 1e3), summary(samples[base], 1e3)
    return Figure(
        row, what, program.name, ours["p50"] / theirs["p50"], "x", program.pick(must), program.pick(aim), False, ours, theirs, base
    )


def job_path(env, job, *parts):
    """Returns a path in the directory of a job."""
    return os.path.join(env["JOBDIR_STATE_DIR"], "jobs", job, *parts)


class Supervisor:
    """What the kernel says of the supervisor of a job."""

    def __init__(self, env, job):
        self.pid = pid_of(env, job, "supervisor")

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def switches(self):
        """How often its threads have been put on a processor."""
        count = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            for line in read(f"/proc/{self.pid}/task/{task}/status").splitlines():
                if "ctxt_switches" in line:
                    count += int(line.split()[1])
        return count

    def cpu(self):
        """Seconds on a processor, to the nanosecond."""
        tasks = os.listdir(f"/proc/{self.pid}/task")
        return sum(int(read(f"/proc/{self.pid}/task/{task}/schedstat").split()[0]) for task in tasks) / 1e9

    def private_memory(self):
        """Bytes that would be free without it."""
        lines = read(f"/proc/{self.pid}/smaps_rollup").splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))

    def passed(self):
        """Bytes that it has read and written."""
        lines = read(f"/proc/{self.pid}/io").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("rchar", "wchar")))


def read(path):
    with open(path) as file:
        return file.read()


def pid_of(env, job, who):
    """Reads a pid from the `pid` file of a job."""
    return json.loads(read(job_path(env, job, "pid")))[who]["pid"]
