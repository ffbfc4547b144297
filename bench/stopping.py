"""Stopping and waiting: from a request to the signal, from the end to whoever waits for it."""

import concurrent.futures
import os
import signal
import subprocess
import sys
import time

from measure import Figure, SETTLE, Supervisor, against, interleaved, job_path, pid_of, spawn, summary, until

# The job that tells when TERM has come: CLOCK_MONOTONIC is one clock for all processes.
WITNESS = """
import os, signal, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
open(sys.argv[1] + ".ready", "w").close()
signal.sigwait({signal.SIGTERM})
now = time.monotonic_ns()
with open(sys.argv[1] + ".new", "w") as out:
    out.write(str(now))
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


def start_many(bench, program, env, count, *command):
    """Starts jobs, four at a time. Returns their ids."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: bench.start(program, env, *command), range(count)))


def crowd(bench):
    """500 jobs running: a bare kill file to the signal beside them, and what their supervisors cost while nothing happens."""
    figures = []
    for program in bench.programs:
        env = bench.state(f"crowd-{program.name}")
        count = bench.scaled(500)
        # The first have an inotify instance each, the last have none left.
        jobs = start_many(bench, program, env, count, bench.tool("sleep"), "3600")
        latencies = sorted(latency for _ in range(bench.scaled(100)) for latency in [kill_latency(bench, program, env)])
        kills = summary(latencies, 1e3)
        what = f"kill file to signal, {count} jobs running"
        figures += [
            Figure("crowd", f"{what}: p50", program.name, kills["p50"], "ms", 3, None, ours=kills),
            Figure("crowd", f"{what}: p99", program.name, kills["p99"], "ms", 20, 2, ours=kills),
        ]
        figures += idle(bench, program, [Supervisor(env, job) for job in jobs])
        bench.stop_all(program, env)
    return figures


def kill_latency(bench, program, env):
    """Moves an empty file into the inbox of a new job. Returns the seconds until TERM is there."""
    place = env["JOBDIR_STATE_DIR"]
    witness = os.path.join(bench.temporary, f"witness-{time.monotonic_ns()}")
    job = bench.start(program, env, sys.executable, "-c", WITNESS, witness)
    until("a job that is ready", lambda: os.path.exists(witness + ".ready"))
    # It gets the watch that stays 20 ms after its start.
    time.sleep(0.05)
    staged = os.path.join(place, "staging", f"kill-{job}")
    open(staged, "w").close()
    began = time.monotonic_ns()
    os.rename(staged, job_path(env, job, "kill-signals", "kill"))
    until("the signal", lambda: os.path.exists(witness))
    with open(witness) as told:
        latency = (int(told.read()) - began) / 1e9
    spawn([program.path, "wait", job], env, check=False)
    return latency


def idle(bench, program, supervisors):
    """What idle supervisors cost in some time."""
    seconds = bench.scaled(60, 10)
    time.sleep(2)
    memory = summary([supervisor.private_memory() for supervisor in supervisors], 1e-3)
    threads = max(supervisor.threads() for supervisor in supervisors)
    before = [(supervisor.cpu(), supervisor.switches()) for supervisor in supervisors]
    time.sleep(seconds)
    after = [(supervisor.cpu(), supervisor.switches()) for supervisor in supervisors]
    cpu = sum(b[0] - a[0] for a, b in zip(before, after))
    wakes = summary([(b[1] - a[1]) / seconds for a, b in zip(before, after)])
    count = len(supervisors)
    return [
        Figure("crowd", "private memory of an idle supervisor", program.name, memory["p50"], "kB", 500, program.pick((None, 100)), ours=memory),
        Figure("crowd", f"CPU of {count} idle supervisors over {seconds} s", program.name, cpu, "s", count * seconds / 6e4, count * seconds / 3e5),
        Figure("crowd", "wake-ups of an idle supervisor in 30 s", program.name, wakes["p50"] * 30, "", 6, 0, ours=wakes),
        Figure("crowd", "threads per supervisor", program.name, threads, "", 2),
    ]


def kill(bench):
    """`kill` of a job that dies at once, against `/bin/kill` and waiting for the process."""
    sleep, program_kill = bench.tool("sleep"), bench.tool("kill")

    def plain():
        victim = subprocess.Popen([sleep, "3600"])
        time.sleep(SETTLE)
        began = time.perf_counter()
        spawn([program_kill, str(victim.pid)], bench.env)
        victim.wait()
        return time.perf_counter() - began

    measures = {"/bin/kill": plain}
    for program in bench.programs:

        def ours(program=program, env=bench.state(f"kill-{program.name}")):
            job = bench.start(program, env, sleep, "3600")
            time.sleep(0.05)
            return spawn([program.path, "kill", job], env).seconds

        measures[program.name] = ours
    samples = interleaved(bench.scaled(100), measures)
    what, figures = "kill of a job that dies at once, whole", []
    for program in bench.programs:
        figures.append(against("kill", what, program, samples, "/bin/kill", 2.5, (None, 1.4)))
        ordered = sorted(samples[program.name])
        p95 = ordered[int(len(ordered) * 0.95)] * 1e3
        figures.append(Figure("kill", f"{what}: p95", program.name, p95, "ms", None, program.pick((None, 3.0))))
    return figures


def wait(bench):
    """How long after the end of the command `wait` returns: one, and a hundred at once."""
    figures, sleep = [], bench.tool("sleep")
    for program in bench.programs:
        env = bench.state(f"wait-{program.name}")
        alone = [wait_latencies(bench, program, env, 1, sleep)[0] for _ in range(bench.scaled(30, 5))]
        alone = summary(alone, 1e3)
        rounds = [wait_latencies(bench, program, env, 100, sleep) for _ in range(bench.scaled(10, 2))]
        half = summary([summary(one)["p50"] for one in rounds], 1e3)
        last = summary([max(one) for one in rounds], 1e3)
        name = program.name
        figures += [
            Figure("wait", "wait returns after the end, alone", name, alone["p50"], "ms", 2, None, ours=alone),
            Figure("wait", "…, of 100 waiters: median", name, half["p50"], "ms", 8, 5, ours=half),
            Figure("wait", "…, of 100 waiters: the last", name, last["p50"], "ms", 20, None, ours=last),
        ]
    return figures


def wait_latencies(bench, program, env, count, sleep):
    """Ends a job's command and returns after how many seconds each of its waiters had gone."""
    job = bench.start(program, env, sleep, "3600")
    leader = pid_of(env, job, "leader")
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    words = [program.path, "wait", job]
    waiters = {os.posix_spawn(program.path, words, env, file_actions=actions) for _ in range(count)}
    until("waiters that wait", lambda: waiting().issuperset(waiters))
    time.sleep(0.05)
    # In one thread: a hundred would be in the way of those that they measure.
    gone = []
    began = time.perf_counter()
    os.kill(leader, signal.SIGKILL)
    while waiters:
        pid, _ = os.waitpid(-1, 0)
        if pid in waiters:
            waiters.remove(pid)
            gone.append(time.perf_counter() - began)
    return gone


def waiting():
    """Returns the pids of all processes here that are blocked in a lock."""
    with open("/proc/locks") as locks:
        return {int(line.split()[5]) for line in locks if " -> " in line}


def thousand(bench):
    """1000 jobs started, four at a time, all running, and killed by one command."""
    figures, count = [], bench.scaled(1000)
    for program in bench.programs:
        env = bench.state(f"thousand-{program.name}")
        began = time.perf_counter()
        start_many(bench, program, env, count, bench.tool("sleep"), "3600")
        running = len(bench.output([program.path, "jobs", "--state", "running", "-q"], env).split())
        assert running == count, f"{running} of {count} run"
        spawn([program.path, "kill", "--all", "--force"], env)
        took = time.perf_counter() - began
        stopped = len(bench.output([program.path, "jobs", "--state", "interrupted", "-q"], env).split())
        assert stopped == count, f"{stopped} of {count} were stopped"
        figures.append(Figure("thousand", f"{count} jobs started, running, killed", program.name, took, "s", 10, 4))
    return figures


ROWS = {row.__name__: row for row in (crowd, kill, wait, thousand)}
