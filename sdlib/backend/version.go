//go:build cgo && !noxla && linux && (amd64 || arm64)

package backend

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

// The beginning of PJRT_Api in XLA's pjrt_c_api.h, the same in all versions.
struct head {
	size_t struct_size;
	void *extension_start;
	struct { size_t struct_size; void *extension_start; int major, minor; } version;
};

// pjrt_version loads a plugin and reads its version; the result is NULL or what went wrong.
static const char *pjrt_version(const char *path, int *major, int *minor) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!library) return dlerror();
	const struct head *(*get)(void) = (const struct head *(*)(void))dlsym(library, "GetPjrtApi");
	if (!get) return dlerror();
	const struct head *api = get();
	if (!api || api->struct_size < sizeof *api) return "GetPjrtApi returns no interface";
	*major = api->version.major, *minor = api->version.minor;
	return NULL;
}
*/
import "C"

import (
	"errors"
	"runtime"
	"unsafe"
)

// pjrtVersion loads the plugin at path and returns the version of the PJRT interface
// that it speaks. go-xla calls the plugin's functions by their places in a table that
// a version defines: the version must be known before the first call.
func pjrtVersion(path string) (major, minor int, err error) {
	runtime.LockOSThread() // dlerror's message belongs to the thread
	defer runtime.UnlockOSThread()
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var a, b C.int
	if message := C.pjrt_version(name, &a, &b); message != nil {
		return 0, 0, errors.New(C.GoString(message))
	}
	return int(a), int(b), nil
}
