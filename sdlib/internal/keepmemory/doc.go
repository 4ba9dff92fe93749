// Package keepmemory makes the C library keep the memory that XLA frees on a CPU, and hand it
// out again, instead of returning it to the kernel.
//
// XLA on a CPU allocates a graph's buffers at the beginning of each run and frees them at its
// end. The large ones are mapped, zeroed page by page at first use, and unmapped again: 220 MB
// in every training step of the course model, up to a third of its time. glibc's own settings
// do not change that: an arena other than the first maps what exceeds 64 MB in any case.
//
// So the functions by which XLA allocates (posix_memalign, aligned_alloc, free) are replaced in
// programs that link this package. They call glibc's, until [Enable] is called. From then on
// blocks of a megabyte and more are kept when they are freed, up to a quarter of the machine's
// memory, and the next request of about that size gets one of them. docs/benchmarks.md has what
// that saves.
//
// # Switching it off
//
//	SD_KEEP_MEMORY=0 sd train quick
//
// Then freed memory goes back to the kernel at once: slower, but the process is never larger
// than what it uses. Results are the same to the bit. The functions stay replaced, and call
// glibc's: another allocator, preloaded or linked, does not fit into such a program.
//
// # Where it works
//
// On Linux with glibc, amd64 or arm64, in a program built with cgo and without -tags noxla: where
// XLA is. Elsewhere [Enable] does nothing.
package keepmemory
