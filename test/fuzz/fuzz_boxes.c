#include "formatcase.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	formatcase_fuzz("boxes", data, size);
	return 0;
}
