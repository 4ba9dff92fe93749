// Package backend opens the engine that runs every tensor computation: XLA on a
// CUDA GPU, XLA on the CPU, or GoMLX's pure Go backend.
//
//	be, err := backend.Open("")   // the best one that works here
//	fmt.Fprintln(os.Stderr, be)   // xla:cpu (PJRT 0.81): no NVIDIA GPU here
//
// # Which one
//
// XLA is an optimizing compiler. It comes as a plugin, a shared library that speaks
// the PJRT interface; go-xla loads it and GoMLX sends it graphs. Open takes the
// first of these that works:
//
//   - xla:cuda, where a CUDA plugin and an NVIDIA GPU are present;
//   - xla:cpu, where the CPU plugin is present (`make setup` installs it);
//   - go, always: slower, but it needs no plugin and no C compiler.
//
// A name given to Open overrides the choice, else the environment variable
// SD_BACKEND, else GOMLX_BACKEND. A backend that was asked for by name and does
// not work is an error, never a silent fallback. Names may carry GoMLX's options,
// such as "xla:cuda,tf32=false" or "xla:/path/to/plugin.so".
//
// # Watch for
//
//   - A tensor lives on one backend. vit.Program copies what lives on another; elsewhere
//     GoMLX says so, and LocalClone makes the copy.
//   - Different backends, and different CPUs, round differently: results agree to
//     about 1e-5 of a tensor's scale, not to the bit. On one machine and one backend
//     they are the same to the bit, on a CPU with as many threads.
//   - On a GPU, memory is taken as it is needed, so that two notebooks can share one
//     ("xla:cuda,preallocate=true" takes most of it at once), and float32 is not rounded
//     to TF32 unless asked for ("xla:cuda,tf32=true"). The plugin and NVIDIA's libraries
//     are those of Python's wheels: `make cuda` installs them into .venv, and
//     PJRT_PLUGIN_LIBRARY_PATH names the site-packages of another Python. XLA gets its
//     mathematical functions (libdevice) by $XLA_FLAGS, unless they are named there already.
//   - The pure Go backend is opened as "go:ops_sequential": with GoMLX's default it
//     can deadlock while training.
//   - What is done for a platform depends on what the plugin reports ([Backend].Platform), not
//     on how it was named: "xla:/path/to/plugin.so" is opened as "xla:cpu" if it is XLA's for
//     the CPU.
//   - On the CPU, XLA is opened with one device, since it has as many threads as devices if
//     that is more than the CPUs ("xla:cpu,devices=2" makes it two, to try what several GPUs
//     do); and the process keeps large blocks of memory that XLA frees, up to a quarter of the
//     machine's: SD_KEEP_MEMORY=0 in the environment returns them to
//     the kernel at once (docs/benchmarks.md has what keeping them saves).
//   - Building with `-tags noxla`, or with CGO_ENABLED=0, leaves XLA out altogether.
//   - The package prints nothing but one line, on stderr, where it falls back on pure Go ([Warn]): a notebook's
//     output belongs to the reader. Programs say once, on stderr, what [Backend.String] returns.
//   - In an environment without HOME, go-xla logs a line of its own ("Couldn't get user's home directory"). It does so in
//     its init(), which runs before any code of this module: Go initializes packages that do not need each other in the
//     order of their import paths. Set HOME to any folder.
package backend
