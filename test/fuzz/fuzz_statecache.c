/*
 * client/statecache: what stands between the magic and the checksum, which are made right here. What is taken must be whole,
 * and be written again as it was.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/statecache.h"
#include "crypto/crypto.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "forge.h"
#include "os/file.h"
#include "scratch.h"

enum { MAGIC = 8, FILE_MAX = 1 << 20 };

static const uint8_t magic[MAGIC] = { 'b', 'r', 'o', 's', 't', 'a', 't', 2 };

static char path[SCRATCH_MAX];
static struct session_secrets secrets;
static struct session session = { .secrets = &secrets };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(void) {
	if (crypto_start() != OK) abort();
	session.folder.state = -1;
	session.folder.cache = scratch_lasting(path);
	memset(secrets.keys.keys.secret.b, 0x5a, KEY_SIZE);
}

/* The file's name is the beginning of the id. */
static void name_of(char out[SCRATCH_MAX], const struct vault *v) {
	char hex[HASH_HEX], name[] = "state-0123456789abcdef";
	hash_hex(hex, &v->id);
	memcpy(name + 6, hex, 16);
	(void)scratch_join(out, path, name);
}

static void put(const struct vault *v, struct buf *file, struct span body) {
	uint8_t key[HASH_SIZE];
	char name[SCRATCH_MAX];
	struct hash sum;
	struct derive d;
	derive_start(&d, LABEL_LOCAL_STATE_CACHE, span_of(secrets.keys.keys.secret.b, KEY_SIZE));
	derive_hash(&d, &v->id);
	derive_done(&d, key, HASH_SIZE);
	assert(buf_add(file, span_of(magic, MAGIC)) == OK && buf_add(file, body) == OK);
	hash_keyed(&sum, key, buf_span(file));
	assert(buf_add(file, hash_span(&sum)) == OK);
	name_of(name, v);
	scratch_write(name, file->ptr, file->len);
}

/* All that a vault's readers look at. */
static void look(const struct vault *v) {
	const struct vaultstate *s = &v->state;
	int64_t last = 0;
	assert(s->count == v->chain.link.count && v->chain.unconfirmed);
	assert(s->policy_count > 0 && epochring_newest(v->chain.ring) == v->chain.link.epoch);
	for (size_t i = 0; i < s->count; i++) last ^= s->times[i];
	(void)vaultstate_hold(s, last);
	(void)forge_vault_sum(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct vault v = { .session = &session };
	struct buf file, again;
	char name[SCRATCH_MAX];

	if (session.folder.cache <= 0) start();
	if (size > FILE_MAX) return 0;
	if (size > 0) memcpy(v.id.b, data, size < HASH_SIZE ? size : HASH_SIZE);
	vaultstate_init(&v.state);
	chainread_init(&v.chain, CHAIN_VAULT);
	buf_init(&file, FILE_MAX + 64);
	buf_init(&again, 2 * FILE_MAX);
	put(&v, &file, span_of(data, size));
	name_of(name, &v);
	if (statecache_load(&v)) {
		look(&v);
		statecache_save(&v);
		assert(file_read_whole(session.folder.cache, name, 2 * FILE_MAX, &again, NULL) == OK);
		assert(span_equal(buf_span(&file), buf_span(&again)));
	}
	statecache_drop(&session.folder, &v.id);
	vaultstate_done(&v.state);
	chainread_done(&v.chain);
	buf_free(&file);
	buf_free(&again);
	return 0;
}
