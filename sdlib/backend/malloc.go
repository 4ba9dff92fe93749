//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

/*
#cgo LDFLAGS: -rdynamic
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __GLIBC__
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

// Large blocks that were freed, to be handed out again. XLA allocates the memory of a
// whole graph with posix_memalign or aligned_alloc before each run and frees it afterwards.
enum { kept_blocks = 64 };
static const size_t large = 1 << 20, kept_limit = (size_t)1 << 30;
static struct { void *at; size_t size; } kept[kept_blocks]; // oldest first
static int kept_count;
static size_t kept_bytes;
static int keeping; // only once XLA is open
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

static void *forget(int i) { // takes block i out of the list
	void *at = kept[i].at;
	kept_bytes -= kept[i].size;
	for (kept_count--; i < kept_count; i++) kept[i] = kept[i + 1];
	return at;
}

int posix_memalign(void **at, size_t align, size_t size) {
	void *found = NULL;
	if (align == 0 || align & (align - 1) || align % sizeof(void *)) return EINVAL;
	if (keeping && size >= large) {
		pthread_mutex_lock(&kept_lock);
		for (int i = kept_count - 1; i >= 0 && !found; i--)
			if (kept[i].size >= size && kept[i].size - size <= size / 8 && (uintptr_t)kept[i].at % align == 0) found = forget(i);
		pthread_mutex_unlock(&kept_lock);
	}
	if (!found && !(found = __libc_memalign(align, size))) return ENOMEM;
	*at = found;
	return 0;
}

void *aligned_alloc(size_t align, size_t size) {
	void *at = NULL;
	int failed = posix_memalign(&at, align < sizeof(void *) ? sizeof(void *) : align, size);
	if (failed) errno = failed;
	return at;
}

void free(void *at) {
	if (keeping && at) {
		size_t size = malloc_usable_size(at);
		if (size >= large && size <= kept_limit) {
			pthread_mutex_lock(&kept_lock);
			while (kept_count == kept_blocks || kept_bytes + size > kept_limit) __libc_free(forget(0));
			kept[kept_count].at = at, kept[kept_count++].size = size;
			kept_bytes += size;
			pthread_mutex_unlock(&kept_lock);
			return;
		}
	}
	__libc_free(at);
}

static void keep_memory(void) {
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_TOP_PAD, 64 << 20);
	keeping = 1;
}
#else
static void keep_memory(void) {}
#endif
*/
import "C"

// keepMemory makes the C library keep freed memory instead of handing it back to the
// kernel. XLA on the CPU allocates a graph's buffers anew in each run; by default the
// large ones are mapped, zeroed page by page, and unmapped again: for the course model
// that is 220 MB in every step. glibc's own switches do not reach them (an arena other
// than the first maps what exceeds 64 MB whatever they say), so posix_memalign and free
// are replaced for blocks of a megabyte and more, of which up to a gigabyte is kept.
// docs/benchmarks.md has what that saves.
func keepMemory() { C.keep_memory() }
