"""What a job prints: it goes straight to its log; the supervisor has nothing to do with it."""

import os
import signal
import subprocess
import time

from measure import Figure, Supervisor, against, interleaved, job_path, pid_of, spawn, until


def passing(bench):
    """Bytes through the supervisor, and its wake-ups, while the job writes 1 GB to memory-backed storage."""
    figures, size = [], bench.scaled(1 << 30)
    for program in bench.programs:
        env = bench.state(f"passing-{program.name}", in_memory=True)
        # It begins when its input ends, and then stays for us to look.
        script = f"read line; head -c {size} /dev/zero; touch done; exec sleep 3600"
        argv = [program.path, "run", "-d", "--stdin", "fifo", "-C", env["TMPDIR"], "--", bench.tool("sh"), "-c", script]
        job = bench.output(argv, env).strip()
        # It gets the watch that stays 20 ms after its start.
        time.sleep(0.5)
        supervisor = Supervisor(env, job)
        before = supervisor.passed(), supervisor.switches()
        with open(job_path(env, job, "stdin"), "w") as stdin:
            stdin.write("go\n")
        until("the end of the writing", lambda: os.path.exists(os.path.join(env["TMPDIR"], "done")))
        passed, switches = supervisor.passed() - before[0], supervisor.switches() - before[1]
        what = f"while the job writes {size >> 20} MB"
        figures += [
            Figure("passing", f"bytes through the supervisor {what}", program.name, passed / 1e6, "MB", 1, 0),
            Figure("passing", f"wake-ups of the supervisor {what}", program.name, switches, "", 50, 0),
        ]
        bench.stop_all(program, env)
        os.truncate(job_path(env, job, "attempts", "1", "stdout.log"), 0)
    return figures


def writing(bench):
    """A job that writes 1 GB to memory-backed storage, against plain redirection."""
    head, size = bench.tool("head"), str(bench.scaled(1 << 30))
    plain = bench.state("plain", in_memory=True)
    target = os.path.join(plain["TMPDIR"], "file")

    def redirected():
        took = spawn([head, "-c", size, "/dev/zero"], bench.env, stdout=target).seconds
        os.truncate(target, 0)
        return took

    measures = {"redirection": redirected}
    for program in bench.programs:

        def ours(program=program, env=bench.state(f"writing-{program.name}", in_memory=True)):
            began = time.perf_counter()
            job = bench.start(program, env, head, "-c", size, "/dev/zero")
            spawn([program.path, "wait", job], env)
            took = time.perf_counter() - began
            os.truncate(job_path(env, job, "attempts", "1", "stdout.log"), 0)
            return took

        measures[program.name] = ours
    samples = interleaved(max(bench.scaled(10), 3), measures)
    what = f"a job that writes {int(size) >> 20} MB to memory"
    return [against("writing", what, program, samples, "redirection", 1.25, 1.0) for program in bench.programs]


def following(bench):
    """A foreground run that shows 1 GB in a pipe, against `cat FILE | cat >/dev/null`."""
    head, cat, size = bench.tool("head"), bench.tool("cat"), str(bench.scaled(1 << 30))
    plain = bench.state("followed", in_memory=True)
    source = os.path.join(plain["TMPDIR"], "file")
    spawn([head, "-c", size, "/dev/zero"], bench.env, stdout=source)

    def piped(argv, env):
        began = time.perf_counter()
        writer = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        reader = subprocess.Popen([cat], env=env, stdin=writer.stdout, stdout=subprocess.DEVNULL)
        writer.stdout.close()
        assert (writer.wait(), reader.wait()) == (0, 0)
        return time.perf_counter() - began

    measures = {"cat | cat": lambda: piped([cat, source], plain)}
    for program in bench.programs:

        def ours(program=program, env=bench.state(f"following-{program.name}", in_memory=True)):
            took = piped([program.path, "run", "--", head, "-c", size, "/dev/zero"], env)
            job = bench.output([program.path, "jobs", "-q", "-n", "1"], env).strip()
            os.truncate(job_path(env, job, "attempts", "1", "stdout.log"), 0)
            return took

        measures[program.name] = ours
    samples = interleaved(max(bench.scaled(10), 3), measures)
    what = f"foreground following of {int(size) >> 20} MB into a pipe"
    return [against("following", what, program, samples, "cat | cat", 1.2, 0.7) for program in bench.programs]


def limited(bench):
    """`--log-max`: what the log takes on the disk under a writer at full speed, and at rest."""
    figures, limit = [], 16 << 20
    head = bench.tool("head")
    for program in bench.programs:
        env = bench.state(f"limited-{program.name}", in_memory=True)
        argv = [program.path, "run", "-d", "--log-max", str(limit), "--", head, "-c", "1T", "/dev/zero"]
        job = bench.output(argv, env).strip()
        log = job_path(env, job, "attempts", "1", "stdout.log")
        until("a log above its limit", lambda: os.stat(log).st_size > limit)
        most, began = 0, (time.monotonic(), os.stat(log).st_size)
        while time.monotonic() < began[0] + bench.scaled(5, 2):
            most = max(most, os.stat(log).st_blocks * 512)
            time.sleep(0.001)
        rate = (os.stat(log).st_size - began[1]) / (time.monotonic() - began[0])
        # What is written in so many milliseconds lies above the limit.
        behind = max(most - limit, 0) / rate * 1e3
        os.kill(pid_of(env, job, "leader"), signal.SIGKILL)
        spawn([program.path, "wait", job], env, check=False)
        rest = os.stat(log).st_blocks * 512 / limit
        figures += [
            Figure("limited", "--log-max, a writer at full speed: limit + …", program.name, behind, "ms", 50),
            Figure("limited", "--log-max, at rest", program.name, rest, "x limit", 1.1),
        ]
    return figures


ROWS = {row.__name__: row for row in (passing, writing, following, limited)}
