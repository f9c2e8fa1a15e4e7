"""A nursery whose workers are programs of their own, as where nothing may be forked."""

import sys

_PROGRAM = """
import socket, sys
import hpo_core.nursery as nursery
nursery._CAN_FORK = False
nursery._Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
"""
COMMAND = (sys.executable, "-c", _PROGRAM)
