//go:build cgo && !noxla && linux && (amd64 || arm64)

package keepmemory

/*
#cgo LDFLAGS: -rdynamic
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __GLIBC__
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

// The large blocks that XLA has asked for: in use, or freed and kept to be handed out again.
// It allocates the memory of a whole graph before each run and frees it afterwards.
enum { most_blocks = 4096 }; // a training step of ViT-B makes 450
static const size_t large = 1 << 20;
static struct block { void *at; size_t size; int used; } blocks[most_blocks]; // oldest first
static int block_count;
static size_t kept_bytes, kept_limit; // of blocks that are not used
static int keeping;                   // only after Enable
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void forget(int i) { // gives a kept block back to the C library
	kept_bytes -= blocks[i].size;
	__libc_free(blocks[i].at);
	for (block_count--; i < block_count; i++) blocks[i] = blocks[i + 1];
}

static int oldest_kept(void) {
	for (int i = 0; i < block_count; i++)
		if (!blocks[i].used) return i;
	return -1;
}

int posix_memalign(void **at, size_t align, size_t size) {
	if (align == 0 || align & (align - 1) || align % sizeof(void *)) return EINVAL;
	if (!keeping || size < large) return (*at = __libc_memalign(align, size)) ? 0 : ENOMEM;
	pthread_mutex_lock(&lock);
	for (int i = block_count - 1; i >= 0; i--) {
		struct block *b = &blocks[i];
		if (!b->used && b->size >= size && b->size - size <= size / 8 && (uintptr_t)b->at % align == 0) {
			b->used = 1, kept_bytes -= b->size, *at = b->at;
			pthread_mutex_unlock(&lock);
			return 0;
		}
	}
	void *found = __libc_memalign(align, size);
	while (!found && oldest_kept() >= 0) { // memory is short: what is kept goes first
		forget(oldest_kept());
		found = __libc_memalign(align, size);
	}
	if (found && block_count == most_blocks && oldest_kept() >= 0) forget(oldest_kept());
	if (found && block_count < most_blocks) blocks[block_count++] = (struct block){found, malloc_usable_size(found), 1};
	pthread_mutex_unlock(&lock);
	*at = found;
	return found ? 0 : ENOMEM;
}

void *aligned_alloc(size_t align, size_t size) {
	void *at = NULL;
	int failed = posix_memalign(&at, align < sizeof(void *) ? sizeof(void *) : align, size);
	if (failed) errno = failed;
	return at;
}

void free(void *at) {
	if (keeping && at && malloc_usable_size(at) >= large) {
		pthread_mutex_lock(&lock);
		for (int i = block_count - 1; i >= 0; i--) {
			if (blocks[i].at != at) continue;
			blocks[i].used = 0, blocks[i].size = malloc_usable_size(at), kept_bytes += blocks[i].size;
			while (kept_bytes > kept_limit) forget(oldest_kept());
			pthread_mutex_unlock(&lock);
			return;
		}
		pthread_mutex_unlock(&lock);
	}
	__libc_free(at);
}

static void keep_memory(void) {
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_TOP_PAD, 64 << 20);
	kept_limit = (size_t)sysconf(_SC_PHYS_PAGES) / 4 * (size_t)sysconf(_SC_PAGESIZE);
	keeping = 1;
}

static int keeps_memory(void) { return keeping; }

static void release_memory(void) {
	pthread_mutex_lock(&lock);
	while (oldest_kept() >= 0) forget(oldest_kept());
	pthread_mutex_unlock(&lock);
	malloc_trim(0); // smaller blocks lie in the C library's own lists
}
#else
static void keep_memory(void) {}
static void release_memory(void) {}
static int keeps_memory(void) { return 0; }
#endif
*/
import "C"

func enable()       { C.keep_memory() }
func enabled() bool { return C.keeps_memory() != 0 }
func release()      { C.release_memory() }
