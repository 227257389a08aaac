#include "formatcase.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	formatcase_fuzz("namelist", data, size);
	return 0;
}
