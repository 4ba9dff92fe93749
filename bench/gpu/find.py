"""Say what of CUDA and PyTorch the Python that runs this has, without importing any of it.

One finding a line, a name and a value with a tab between:

    python     its version
    plugin     a site-packages with XLA's CUDA plugin, jax_plugins/xla_cuda*/xla_cuda_plugin.so
    torch      PyTorch's version
    libdevice  the GPU's mathematical functions, libdevice.10.bc, of NVIDIA's wheels or Triton's
    ptxas      NVIDIA's assembler, likewise
    package    a package that has to do with GPUs, and its version
"""

import glob
import importlib.metadata
import os
import sys

folders = [f for f in dict.fromkeys(sys.path) if f and os.path.isdir(f)]


def say(name, value):
    print(name, value, sep="\t")


def each(name, *patterns):
    for folder in folders:
        for pattern in patterns:
            for path in sorted(glob.glob(os.path.join(folder, pattern))):
                say(name, path)


say("python", "%d.%d.%d" % sys.version_info[:3])
for folder in folders:
    if glob.glob(os.path.join(folder, "jax_plugins/xla_cuda*/xla_cuda_plugin.so")):
        say("plugin", folder)
each("libdevice", "nvidia/*/nvvm/libdevice/libdevice.10.bc", "triton/backends/nvidia/lib/libdevice.10.bc")
each("ptxas", "nvidia/*/bin/ptxas", "triton/backends/nvidia/bin/ptxas")
for package in importlib.metadata.distributions():
    name = (package.metadata["Name"] or "").lower().replace("_", "-")
    if name == "torch":
        say("torch", package.version)
    if name in ("torch", "triton", "numpy") or name.startswith(("jax", "nvidia-", "cuda-")):
        say("package", f"{name}=={package.version}")
