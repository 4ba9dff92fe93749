"""Asks a kernel for completions and documentation, as JupyterLab does, through the kernel protocol.

Reads requests from standard input, a JSON list of {"kind": "complete" or "inspect", "code": ..., "at": position},
and prints one line of JSON for each: the reply's content, and the seconds that it took. The first request is sent
as soon as the kernel says that it is ready. The argument is a folder with a folder "kernels".
"""

import json
import sys
import time

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

requests = json.load(sys.stdin)
manager = KernelManager(kernel_name="sd", kernel_spec_manager=KernelSpecManager(kernel_dirs=[sys.argv[1]]))
manager.start_kernel()
try:
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    for request in requests:
        began = time.monotonic()
        sent = getattr(client, request["kind"])(request["code"], request["at"])
        while (reply := client.get_shell_msg(timeout=120))["parent_header"].get("msg_id") != sent:
            pass
        print(json.dumps({"content": reply["content"], "seconds": time.monotonic() - began}))
finally:
    manager.shutdown_kernel(now=True)
