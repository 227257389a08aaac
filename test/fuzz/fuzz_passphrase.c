/* os/passphrase: a passphrase file. The first byte is the room for it. */
#include <assert.h>
#include <string.h>

#include "os/passphrase.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static char folder[SCRATCH_MAX], path[SCRATCH_MAX];
	uint8_t out[PASSPHRASE_MAX];
	struct why why = { OK, "" };
	size_t len = 0;

	if (!path[0]) {
		(void)scratch_lasting(folder);
		(void)scratch_join(path, folder, "passphrase");
	}
	if (size == 0) return 0;
	size_t room = data[0] == 0 ? PASSPHRASE_MAX : data[0];
	scratch_write(path, data + 1, size - 1);
	enum err e = passphrase_read(path, out, room, &len, &why);
	if (e) {
		assert((e == E_USAGE || e == E_LIMIT) && why.code == e && len == 0);
		return 0;
	}
	assert(len > 0 && len <= room && len < size && memcmp(out, data + 1, len) == 0);
	assert(!memchr(out, '\n', len) && !memchr(out, '\0', len));
	return 0;
}
