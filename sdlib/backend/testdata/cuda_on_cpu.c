// A PJRT plugin that looks like CUDA's and computes on the CPU: it hands every call on to
// the CPU plugin named by PROXY_PLUGIN. Tests open it as "xla:cuda", or by its path, and so
// run what is compiled for a GPU on a machine without one. It says that it is built for the
// CUDA version PROXY_CUDA, such as 13000, and appends lines to the file PROXY_LOG:
//
//   create preallocate=0 visible_devices=?   the options that a client is started with
//   h2d 4096                                 bytes copied from the host to the device
//   d2h 4                                    and back
//   execute                                  a run of a compiled graph
//
// Compile: cc -shared -fPIC -I (go list -m -f '{{.Dir}}' github.com/gomlx/go-xla)/pjrt
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pjrt_c_api.h"

static const PJRT_Api *real;
static char table[1 << 14]; // PJRT_Api, as large as the real plugin's
static int out = -1;

static void say(const char *line, int n) {
	if (out >= 0 && write(out, line, n) != n) _exit(3);
}

static void say_bytes(const char *what, long bytes) {
	char line[64];
	say(line, snprintf(line, sizeof line, "%s %ld\n", what, bytes));
}

static long element_size(PJRT_Buffer_Type t) {
	switch (t) {
	case PJRT_Buffer_Type_PRED: case PJRT_Buffer_Type_S8: case PJRT_Buffer_Type_U8: return 1;
	case PJRT_Buffer_Type_S16: case PJRT_Buffer_Type_U16: case PJRT_Buffer_Type_F16: case PJRT_Buffer_Type_BF16: return 2;
	case PJRT_Buffer_Type_S64: case PJRT_Buffer_Type_U64: case PJRT_Buffer_Type_F64: case PJRT_Buffer_Type_C64: return 8;
	default: return 4;
	}
}

static PJRT_Error *create(PJRT_Client_Create_Args *a) {
	char line[1024];
	int n = snprintf(line, sizeof line, "create");
	for (size_t i = 0; i < a->num_options; i++) {
		const PJRT_NamedValue *o = &a->create_options[i];
		n += snprintf(line + n, sizeof line - n, " %.*s=", (int)o->name_size, o->name);
		if (o->type == PJRT_NamedValue_kBool) n += snprintf(line + n, sizeof line - n, "%d", o->bool_value);
		else if (o->type == PJRT_NamedValue_kFloat) n += snprintf(line + n, sizeof line - n, "%g", o->float_value);
		else n += snprintf(line + n, sizeof line - n, "?");
	}
	n += snprintf(line + n, sizeof line - n, "\n");
	say(line, n);
	PJRT_NamedValue one = {.struct_size = PJRT_NamedValue_STRUCT_SIZE, .name = "cpu_device_count", .name_size = 16,
		.type = PJRT_NamedValue_kInt64, .int64_value = 1, .value_size = 1};
	PJRT_Client_Create_Args b = *a;
	b.create_options = &one, b.num_options = 1;
	PJRT_Error *e = real->PJRT_Client_Create(&b);
	a->client = b.client;
	return e;
}

static PJRT_Error *attributes(PJRT_Plugin_Attributes_Args *a) {
	static PJRT_NamedValue version;
	const char *cuda = getenv("PROXY_CUDA");
	if (!cuda) return real->PJRT_Plugin_Attributes(a);
	version = (PJRT_NamedValue){.struct_size = PJRT_NamedValue_STRUCT_SIZE, .name = "cuda_version", .name_size = 12,
		.type = PJRT_NamedValue_kInt64, .int64_value = atol(cuda), .value_size = 1};
	a->attributes = &version, a->num_attributes = 1;
	return NULL;
}

static PJRT_Error *platform_name(PJRT_Client_PlatformName_Args *a) {
	a->platform_name = "cuda", a->platform_name_size = 4;
	return NULL;
}

static PJRT_Error *from_host(PJRT_Client_BufferFromHostBuffer_Args *a) {
	long bytes = element_size(a->type);
	for (size_t i = 0; i < a->num_dims; i++) bytes *= a->dims[i];
	say_bytes("h2d", bytes);
	return real->PJRT_Client_BufferFromHostBuffer(a);
}

static PJRT_Error *to_host(PJRT_Buffer_ToHostBuffer_Args *a) {
	if (a->dst) say_bytes("d2h", a->dst_size);
	return real->PJRT_Buffer_ToHostBuffer(a);
}

static PJRT_Error *execute(PJRT_LoadedExecutable_Execute_Args *a) {
	say("execute\n", 8);
	return real->PJRT_LoadedExecutable_Execute(a);
}

const PJRT_Api *GetPjrtApi(void) {
	PJRT_Api *ours = (PJRT_Api *)table;
	if (real) return ours;
	const char *plugin = getenv("PROXY_PLUGIN"), *log = getenv("PROXY_LOG");
	void *library = plugin ? dlopen(plugin, RTLD_LAZY | RTLD_LOCAL) : NULL;
	if (!library) return NULL;
	const PJRT_Api *(*get)(void) = (const PJRT_Api *(*)(void))dlsym(library, "GetPjrtApi");
	real = get();
	if (log) out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	memcpy(table, real, real->struct_size < sizeof table ? real->struct_size : sizeof table);
	ours->PJRT_Client_Create = create;
	ours->PJRT_Plugin_Attributes = attributes;
	ours->PJRT_Client_PlatformName = platform_name;
	ours->PJRT_Client_BufferFromHostBuffer = from_host;
	ours->PJRT_Buffer_ToHostBuffer = to_host;
	ours->PJRT_LoadedExecutable_Execute = execute;
	return ours;
}
