"""A hundred thousand ended jobs in seconds: copies of a real one, each as its own supervisor would have left it."""

import os
import zlib

EMPTY = ("attempts/1/stdout.log", "attempts/1/stderr.log", "events.ndjson", "pid")


def write(path, text=""):
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def with_public_form(record, number, spec):
    """Returns the record of job 1 as that of another, sealed to the spec that is there (docs/protocol.md, 2)."""

    def renumber(text):
        return text.replace('"id":"1"', f'"id":"{number}"')

    head, line = record.split("\n")[:2]
    opening, form = line.split(',"job":', 1)
    head = renumber(head) + "\n"
    form = renumber(form[:-2]).replace("/jobs/1/", f"/jobs/{number}/")
    check_sum = zlib.crc32(form.encode(), zlib.crc32(head.encode()))
    opening = opening[: opening.index('"spec":[')]
    return f'{head}{opening}"spec":[{spec.st_size},{spec.st_mtime_ns}],"sum":{check_sum},"job":{form}}}}}\n'


def multiply(state, count):
    """Makes `count` jobs of the only one that is in a state directory, which has ended."""
    first = os.path.join(state, "jobs", "1")
    with open(os.path.join(first, "spec.json")) as file:
        spec = file.read()
    with open(os.path.join(first, "job.json")) as file:
        record = file.read()
    directories = sorted(os.path.relpath(path, first) for path, _, _ in os.walk(first) if path != first)
    for number in range(2, count + 1):
        job = os.path.join(state, "jobs", str(number))
        os.mkdir(job, 0o700)
        for name in directories:
            os.mkdir(os.path.join(job, name), 0o700)
        for name in EMPTY:
            write(os.path.join(job, name))
        path = os.path.join(job, "spec.json")
        write(path, spec.replace('"id":"1"', f'"id":"{number}"'))
        write(os.path.join(job, "job.json"), with_public_form(record, number, os.stat(path)))
    with open(os.path.join(state, "ended"), "w") as file:
        file.writelines(f"{number}\n" for number in range(1, count + 1))
    with open(os.path.join(state, "ids"), "w") as file:
        file.write("." * count)
