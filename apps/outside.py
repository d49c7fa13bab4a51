"""Runs a module of Python in a sandbox of its own, from outside."""

import pathlib
import subprocess

TREE = pathlib.Path(__file__).resolve().parent.parent
NAMESPACES = ["--mount", "--uts", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]


def run(places, module, *words, log, limit):
    """Runs `python -m MODULE WORD...` in a sandbox where the directories of `places`
    have these names, and the tree is `tree`; see enter.sh. What it printed; its
    standard error goes to the file `log`. TimeoutExpired after `limit` seconds."""
    line = ["unshare", *NAMESPACES, "--propagation", "private", "sh", TREE / "apps/enter.sh"]
    line += [f"{name}={place}" for name, place in {"tree": TREE, **places}.items()]
    log.parent.mkdir(parents=True, exist_ok=True)
    # A file, since what a program leaves running could hold a pipe open.
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*line, module, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            output, _ = process.communicate(timeout=limit)
            return output
        except subprocess.TimeoutExpired:
            # The sandbox ends with it; it does not heed softer signals.
            process.kill()
            process.wait()
            raise
