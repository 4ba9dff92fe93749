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

// driver_version loads the library of NVIDIA's driver and asks for the newest CUDA that it runs.
static const char *driver_version(const char *path, int *version) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!library) return dlerror();
	int (*get)(int *) = (int (*)(int *))dlsym(library, "cuDriverGetVersion");
	if (!get) return dlerror();
	return get(version) ? "cuDriverGetVersion fails" : NULL;
}

static const char *load_library(const char *path) {
	return dlopen(path, RTLD_LAZY | RTLD_LOCAL) ? NULL : dlerror();
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
	var a, b C.int
	err = withLibrary(path, func(name *C.char) *C.char { return C.pjrt_version(name, &a, &b) })
	return int(a), int(b), err
}

// driverVersion returns the newest CUDA version that NVIDIA's driver runs, 12040 for CUDA 12.4,
// and leaves the driver's library loaded. path is the library's name or place.
func driverVersion(path string) (int, error) {
	var version C.int
	err := withLibrary(path, func(name *C.char) *C.char { return C.driver_version(name, &version) })
	return int(version), err
}

// loadLibrary loads a library for good: whoever asks for its name later is given it.
func loadLibrary(path string) error {
	return withLibrary(path, func(name *C.char) *C.char { return C.load_library(name) })
}

// withLibrary calls a function that returns NULL, or what went wrong.
func withLibrary(path string, call func(name *C.char) *C.char) error {
	runtime.LockOSThread() // dlerror's message belongs to the thread
	defer runtime.UnlockOSThread()
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if message := call(name); message != nil {
		return errors.New(C.GoString(message))
	}
	return nil
}
