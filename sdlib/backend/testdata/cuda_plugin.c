// A PJRT plugin with one client and nothing else, which says that it is CUDA's. As XLA's own for
// GPUs it refuses an option that it does not know.
#include <string.h>
#include "pjrt_c_api.h"

static char failure;
static PJRT_Error *unknown_option(void) { return (PJRT_Error *)&failure; }
static void error_destroy(PJRT_Error_Destroy_Args *args) {}
static void error_message(PJRT_Error_Message_Args *args) {
	args->message = "unexpected option", args->message_size = strlen(args->message);
}
static PJRT_Error *error_code(PJRT_Error_GetCode_Args *args) {
	args->code = PJRT_Error_Code_INVALID_ARGUMENT;
	return NULL;
}

static PJRT_Error *initialize(PJRT_Plugin_Initialize_Args *args) { return NULL; }
static PJRT_Error *attributes(PJRT_Plugin_Attributes_Args *args) {
	args->num_attributes = 0;
	return NULL;
}

static char client;
static PJRT_Error *create(PJRT_Client_Create_Args *args) {
	for (size_t i = 0; i < args->num_options; i++)
		if (strcmp(args->create_options[i].name, "preallocate")) return unknown_option();
	args->client = (PJRT_Client *)&client;
	return NULL;
}
static PJRT_Error *destroy(PJRT_Client_Destroy_Args *args) { return NULL; }
static PJRT_Error *platform_name(PJRT_Client_PlatformName_Args *args) {
	args->platform_name = "cuda", args->platform_name_size = 4;
	return NULL;
}
static PJRT_Error *platform_version(PJRT_Client_PlatformVersion_Args *args) {
	args->platform_version = "none", args->platform_version_size = 4;
	return NULL;
}
static PJRT_Error *process_index(PJRT_Client_ProcessIndex_Args *args) {
	args->process_index = 0;
	return NULL;
}
static PJRT_Error *devices(PJRT_Client_AddressableDevices_Args *args) {
	args->num_addressable_devices = 0;
	return NULL;
}

static PJRT_Api api = {
	.struct_size = sizeof api,
	.pjrt_api_version = {.struct_size = sizeof(PJRT_Api_Version), .major_version = PJRT_API_MAJOR, .minor_version = PJRT_API_MINOR},
	.PJRT_Error_Destroy = error_destroy, .PJRT_Error_Message = error_message, .PJRT_Error_GetCode = error_code,
	.PJRT_Plugin_Initialize = initialize, .PJRT_Plugin_Attributes = attributes,
	.PJRT_Client_Create = create, .PJRT_Client_Destroy = destroy,
	.PJRT_Client_PlatformName = platform_name, .PJRT_Client_PlatformVersion = platform_version,
	.PJRT_Client_ProcessIndex = process_index, .PJRT_Client_AddressableDevices = devices,
};

const PJRT_Api *GetPjrtApi(void) { return &api; }
