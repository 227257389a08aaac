#include "formatcase.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	formatcase_fuzz("vaultbody", data, size);
	return 0;
}
