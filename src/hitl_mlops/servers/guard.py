"""Runs one program and ends it, with everything it started, when the starter is gone.

Started as a file by `process.start`, never imported: `python guard.py PROGRAM ARGUMENT…`. Standard input is
a pipe whose other end the starter holds; the kernel closes it however the starter ends, `kill -9` included.
(The kernel's own parent-death signal fires too soon: when the *thread* that started the program ends.)
Only the standard library is used, so that it starts in milliseconds.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 5.0


def main() -> int:
    """The program's exit code, once it has ended; what it left behind in its process group is told to end."""
    # The group's TERM is for the program, and the guard waits for its end. A handler, because a program would
    # inherit the ignoring of a signal.
    signal.signal(signal.SIGTERM, lambda *_: None)
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603  the starter's own command
    threading.Thread(target=_end_with_starter, daemon=True).start()
    code = program.wait()
    os.killpg(0, signal.SIGTERM)
    return code if code >= 0 else 128 - code


def _end_with_starter() -> None:
    """Wait until the starter's end of the pipe is closed; then TERM, and after the grace KILL the group."""
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            continue
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
