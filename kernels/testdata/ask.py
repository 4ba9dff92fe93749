"""Asks a kernel for completions and documentation, as JupyterLab does, through the kernel protocol.

Reads requests from standard input, a JSON list of {"kind": "complete" or "inspect", "code": ..., "at": position},
and prints one line of JSON for each: the reply's content, how often it asked until there was something in it, and the
seconds that the last reply took. The first request is sent as soon as the kernel says that it is ready. At the end the kernel is killed, after a line "gopls" with the processes of gopls that it started.
The argument is a folder of kernels, with "sd" among them.
"""

import json
import os
import sys
import time

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager



def children(parent, name):
    """Returns the processes of a name that a process started, as Linux lists them."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else []):
        try:
            with open(f"/proc/{pid}/stat") as file:
                command, rest = file.read().rsplit(")", 1)
        except OSError:
            continue  # it ended meanwhile
        if rest.split()[1] == str(parent) and command.endswith("(" + name):
            found.append(pid)
    return found


requests = json.load(sys.stdin)
manager = KernelManager(kernel_name="sd", kernel_spec_manager=KernelSpecManager(kernel_dirs=[sys.argv[1]]))
manager.start_kernel()
try:
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=300)
    for request in requests:
        for attempt in range(1, 41):  # GoNB gives gopls 8 seconds, in which a busy machine may not have read the module
            began = time.monotonic()
            sent = getattr(client, request["kind"])(request["code"], request["at"])
            while (reply := client.get_shell_msg(timeout=120))["parent_header"].get("msg_id") != sent:
                pass
            content = reply["content"]
            if content.get("matches") or content.get("found"):
                break
        print(json.dumps({"content": content, "attempts": attempt, "seconds": time.monotonic() - began}))
    print("gopls", *children(manager.provisioner.pid, "gopls"))
finally:
    manager.shutdown_kernel(now=True)
