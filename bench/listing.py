"""Listing: two thousand and a hundred thousand ended jobs, and starting one beside them."""

import os
import re
import time

from many import multiply
from measure import Figure, against, interleaved, job_path, read, spawn, summary, until


def ended_job(bench, env):
    """Makes one ended job in a state directory. Returns its record."""
    state = env["JOBDIR_STATE_DIR"]
    spawn([bench.programs[0].path, "run", "--", bench.tool("true")], env)
    # Its supervisor puts it on the list and unlinks its claim a moment after the client has gone.
    until("the end of job 1", lambda: os.path.exists(os.path.join(state, "ended")))
    until("the end of its claim", lambda: not os.listdir(os.path.join(state, "locks")))
    return read(job_path(env, "1", "job.json"))


def filled(bench, count):
    """Returns an environment with so many ended jobs, which is made once and kept: deleting it would slow everything."""
    form = re.search(r'"public":\{"form":(\d+),', ended_job(bench, bench.state("form"))).group(1)
    path = os.path.join(bench.kept, f"ended-{count}-form{form}")
    env = {**bench.env, "JOBDIR_STATE_DIR": path}
    if not os.path.exists(os.path.join(path, "ended")):
        os.makedirs(path, mode=0o700, exist_ok=True)
        ended_job(bench, env)
        multiply(path, count)
    return env


def list2000(bench):
    """`jobs --json` against `tsp -l`, of as many real ended jobs."""
    tsp, true, count = bench.tool("tsp"), bench.tool("true"), bench.scaled(2000)
    theirs = bench.state("tsp", TS_MAXFINISHED=str(count), TS_SLOTS="4")
    theirs["TS_SOCKET"] = os.path.join(theirs["TMPDIR"], "socket")
    measures = {"tsp -l": lambda: spawn([tsp, "-l"], theirs).seconds}
    ours = [(program, bench.state(f"list-{program.name}")) for program in bench.programs]
    for _ in range(count):
        spawn([tsp, true], theirs)
        for program, env in ours:
            spawn([program.path, "run", "-d", "--", true], env)
    spawn([tsp, "-w"], theirs)
    time.sleep(1)
    for program, env in ours:
        shown = len(bench.output([program.path, "jobs", "-q"], env).split())
        assert shown == count, f"{shown} jobs are listed, not {count}"
        measures[program.name] = lambda argv=[program.path, "jobs", "--json"], env=env: spawn(argv, env).seconds
    listed = bench.output([tsp, "-l"], theirs).count(" finished ")
    assert listed == count, f"tsp lists {listed}, not {count}"
    samples = interleaved(max(bench.scaled(30), 5), measures)
    spawn([tsp, "-K"], theirs)
    what = f"jobs --json, {count} ended"
    return [against("list2000", what, program, samples, "tsp -l", 1.3, 0.4) for program in bench.programs]


def list100k(bench):
    """The default view and the whole list of 100 000 ended jobs, warm; and one more job beside them."""
    count = bench.scaled(100_000)
    full, few = filled(bench, count), bench.state("list10")
    ended_job(bench, few)
    multiply(few["JOBDIR_STATE_DIR"], 10)
    true, figures = bench.tool("true"), []
    views, starts, peak = {}, {}, {}
    for program in bench.programs:
        path, name = program.path, program.name

        def whole(path=path, name=name):
            ended = spawn([path, "jobs", "--json"], full)
            peak[name] = max(peak.get(name, 0), ended.max_rss)
            return ended.seconds

        views[name] = lambda path=path: spawn([path, "jobs"], full).seconds
        views[f"{name} --json"] = whole
        starts[f"{name} beside many"] = lambda path=path: spawn([path, "run", "-d", "--", true], full).seconds
        starts[f"{name} beside 10"] = lambda path=path: spawn([path, "run", "-d", "--", true], few).seconds
    views = interleaved(max(bench.scaled(10), 3), views)
    starts = interleaved(bench.scaled(100), starts)
    for program in bench.programs:
        name = program.name
        usual, whole = summary(views[name], 1e3), summary(views[f"{name} --json"])
        beside, alone = summary(starts[f"{name} beside many"], 1e3), summary(starts[f"{name} beside 10"], 1e3)
        ratio = beside["p50"] / alone["p50"]
        figures += [
            Figure("list100k", f"jobs, {count} ended", name, usual["p50"], "ms", 40, 5, ours=usual),
            Figure("list100k", f"jobs --json, {count} ended", name, whole["p50"], "s", 1.0, 0.3, ours=whole),
            Figure("list100k", "…, memory at its peak", name, peak[name] / 1e6, "MB", 200, 20),
            # "As beside 10" leaves room for noise alone.
            Figure("list100k", f"run -d beside {count}", name, ratio, "x", 1.15, None, False, beside, alone, "beside 10"),
        ]
    return figures


ROWS = {row.__name__: row for row in (list2000, list100k)}
