"""Starting: how long until a command executes, until it has ended, and how many of them in a second."""

import concurrent.futures
import os
import time

from measure import Figure, Unable, against, interleaved, spawn, summary, until


def start(bench):
    """`run -d -- true` against `nq true`."""
    true, nq = bench.tool("true"), bench.tool("nq")
    theirs = bench.state("nq-start")
    measures = {"true": lambda: spawn([true], bench.env).seconds, "nq": lambda: spawn([nq, true], theirs).seconds}
    for program in bench.programs:
        argv, env = [program.path, "run", "-d", "--", true], bench.state(f"start-{program.name}")
        measures[program.name] = lambda argv=argv, env=env: spawn(argv, env).seconds
    samples = interleaved(bench.scaled(200), measures)
    what = "run -d -- true, to the id printed"
    return [against("start", what, program, samples, "nq", (3.0, 2.0), (2.2, 1.5)) for program in bench.programs]


def foreground(bench):
    """`run -- true` against `nq -w $(nq true)`."""
    true, nq = bench.tool("true"), bench.tool("nq")
    theirs, told = bench.state("nq-foreground"), os.path.join(bench.temporary, "told")

    def nq_and_wait():
        took = spawn([nq, true], theirs, stdout=told).seconds
        with open(told) as out:
            job = out.read().strip()
        return took + spawn([nq, "-w", job], theirs).seconds

    measures = {"nq + nq -w": nq_and_wait}
    for program in bench.programs:
        argv, env = [program.path, "run", "--", true], bench.state(f"foreground-{program.name}")
        measures[program.name] = lambda argv=argv, env=env: spawn(argv, env).seconds
    samples = interleaved(bench.scaled(200), measures)
    what = "run -- true, whole"
    return [against("foreground", what, p, samples, "nq + nq -w", (1.7, 1.3), (1.4, 1.0)) for p in bench.programs]


def many(bench):
    """2000 detached `true`, four clients at a time. nq runs its jobs one after the other."""
    true, nq = bench.tool("true"), bench.tool("nq")
    count = bench.scaled(2000)

    def submit(argv, env):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            began = time.perf_counter()
            list(pool.map(lambda _: spawn(argv, env), range(count)))
        return began, time.perf_counter()

    theirs = bench.state("nq-many")
    began, submitted = submit([nq, true], theirs)
    spawn([nq, "-w"], theirs)
    nq_times = (submitted - began, time.perf_counter() - began)
    figures = []
    for program in bench.programs:
        env = bench.state(f"many-{program.name}")
        began, submitted = submit([program.path, "run", "-d", "--", true], env)
        spawn([program.path, "wait", "--all"], env)
        until("the end of all", lambda: not os.listdir(os.path.join(env["JOBDIR_STATE_DIR"], "locks")))
        times = (submitted - began, time.perf_counter() - began)
        for index, (what, must, aim) in enumerate(
            [("submitted", (0.5, 0.7), (None, 1.0)), ("finished", 3.0, None)]
        ):
            ours, base = {"per_second": count / times[index]}, {"per_second": count / nq_times[index]}
            ratio = ours["per_second"] / base["per_second"]
            must, aim = program.pick(must), program.pick(aim)
            what = f"{count} detached true, 4 at a time: {what}"
            figures.append(Figure("many", what, program.name, ratio, "x", must, aim, True, ours, base, "nq"))
    return figures


def pueue(bench):
    """`pueue add`, where pueue is installed; its daemon must run. For information."""
    path = bench.tool("pueue")
    if spawn([path, "status"], dict(os.environ), check=False).code != 0:
        raise Unable("no pueued runs")
    times = interleaved(bench.scaled(100), {"pueue": lambda: spawn([path, "add", "--", "true"], dict(os.environ)).seconds})
    times = summary(times["pueue"], 1e3)
    return [Figure("pueue", "pueue add -- true, daemon running", "pueue", times["p50"], "ms", ours=times)]


def version(bench):
    """What the program costs before it does anything."""
    true = bench.tool("true")
    measures = {"true": lambda: spawn([true], bench.env).seconds}
    for program in bench.programs:
        measures[program.name] = lambda argv=[program.path, "--version"]: spawn(argv, bench.env).seconds
    samples = interleaved(bench.scaled(200), measures)
    base, figures = summary(samples["true"], 1e3), []
    for program in bench.programs:
        ours = summary(samples[program.name], 1e3)
        must, aim = program.pick((1.2, 0.3)), program.pick((None, 0.0))
        above = ours["p50"] - base["p50"]
        figures.append(Figure("version", "--version, above true", program.name, above, "ms", must, aim, False, ours, base, "true"))
    return figures


def binary(bench):
    """The size of the program."""
    sizes = [(program, os.path.getsize(program.path) / 1e6) for program in bench.programs]
    return [Figure("binary", "release binary", program.name, size, "MB", 5.0, 2.0) for program, size in sizes]


ROWS = {row.__name__: row for row in (start, foreground, many, version, binary, pueue)}
