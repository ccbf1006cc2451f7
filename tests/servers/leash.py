"""Becomes another program that dies with the process that started it, however that one dies.

    python leash.py PARENT_PID PROGRAM ARGUMENT...

A finaliser does not run in a killed test process, and servers without one would hold their ports and memory for ever.
Linux sends the signal; elsewhere only finalisers stop the servers. It is a program of its own because code between fork
and exec is not safe in a process with threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

parent, program = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != parent:  # it died before the signal was asked for
    sys.exit("the process that wanted this server is gone")
os.execv(program[0], program)  # noqa: S606 - no shell is wanted
