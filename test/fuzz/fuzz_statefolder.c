/* client/statefolder: each of the small files that it keeps, with the input as its bytes. */
#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "client/statefolder.h"
#include "scratch.h"

enum { ROOM = 65536 + 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct statefolder folder = { .state = -1, .cache = -1 };
static const struct hash chain = { { 1 } };
static char hex[HASH_HEX], home[SCRATCH_MAX];

static void start(void) {
	char name[SCRATCH_MAX];
	folder.state = scratch_lasting(folder.state_path);
	assert(mkdir(scratch_join(name, folder.state_path, "homes"), 0700) == 0);
	hash_hex(hex, &chain);
	(void)scratch_join(home, "homes", hex);
}

static void put(const char *name, const uint8_t *data, size_t size) {
	char path[SCRATCH_MAX];
	scratch_write(scratch_join(path, folder.state_path, name), data, size);
}

static void is_hash(enum err e, const struct hash *got, const uint8_t *data, size_t size) {
	assert(e == (size == HASH_SIZE ? OK : E_FORMAT));
	assert(e || memcmp(got->b, data, HASH_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	char text[PATHS_MAX];
	struct statefolder_locator l;
	struct hash a;
	struct buf keys;

	if (folder.state < 0) start();
	if (size > ROOM) return 0;
	put("store-id", data, size);
	is_hash(statefolder_get_store_id(&folder, &a, NULL), &a, data, size);
	put(home, data, size);
	is_hash(statefolder_get_home(&folder, &chain, &a, NULL), &a, data, size);
	put("locator", data, size);
	enum err e = statefolder_get_locator(&folder, &l, NULL);
	assert(e == (size == 2 * HASH_SIZE || size == 3 * HASH_SIZE ? OK : E_FORMAT));
	assert(e || memcmp(l.sum.b, data + HASH_SIZE, HASH_SIZE) == 0);
	assert(e || hash_is_zero(&l.kit) || memcmp(l.kit.b, data + 2 * HASH_SIZE, HASH_SIZE) == 0);
	put("store", data, size);
	e = statefolder_get_store(&folder, text, NULL);
	assert(e == (size < PATHS_MAX ? OK : E_LIMIT));
	assert(e || memcmp(text, data, size) == 0);
	put("keys", data, size);
	buf_init(&keys, ROOM);
	e = statefolder_get_keys(&folder, &keys, NULL);
	assert(e == (size <= 65536 ? OK : E_LIMIT));
	assert(e || span_equal(buf_span(&keys), span_of(data, size)));
	buf_free(&keys);
	return 0;
}
