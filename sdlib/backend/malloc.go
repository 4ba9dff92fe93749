//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
// Before main: once a second thread has allocated, it is too late.
__attribute__((constructor)) static void few_arenas(void) { mallopt(M_ARENA_MAX, 2); }
static void keep_memory(void) {
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_TOP_PAD, 64 << 20);
}
#else
static void keep_memory(void) {}
#endif
*/
import "C"

// keepMemory makes the C library keep freed memory instead of handing it back to the
// kernel. XLA on the CPU allocates a graph's buffers anew in each run; by default
// every one of them is mapped, zeroed page by page, and unmapped again, and so are the
// heaps of threads that have an arena of their own, which is why all share two
// (few_arenas). docs/benchmarks.md has what that saves, and what other numbers of arenas do.
func keepMemory() { C.keep_memory() }
