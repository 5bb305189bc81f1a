#!/usr/bin/env python3
"""Types lines into an interactive shell, as a user does, and tells what the shell makes of them.

type-into-shell.py LINES SHELL [ARG...]; LINES and the output are JSON: what is typed, and the lines as edited.
The shell's start-up file binds Ctrl-G to print the edited line as <<LINE>> and to empty it, and sets the prompt "READY> ".
"""
import json
import os
import pty
import re
import select
import signal
import sys
import time

SECONDS = 30


def read_until(fd, pattern):
    """Bytes up to the end of what matches."""
    seen = b""
    deadline = time.monotonic() + SECONDS
    while not (match := re.search(pattern, seen, re.S)):
        if not select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError(f"{pattern!r} did not come, but {seen!r}")
        seen += os.read(fd, 65536)
    return match


def edited(fd, line):
    os.write(fd, line.encode() + b"\x07")
    return read_until(fd, rb"<<(.*?)>>").group(1).decode()


def main(lines, *command):
    child, fd = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    try:
        read_until(fd, rb"READY> ")
        json.dump([edited(fd, line) for line in json.loads(lines)], sys.stdout)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


main(*sys.argv[1:])
