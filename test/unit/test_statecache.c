/*
 * client/statecache: the state of a vault as this device has verified it comes back whole, or the chain is read again; and the
 * store is held against it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/statecache.h"
#include "clientbox.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "forge.h"
#include "fullstore.h"
#include "os/file.h"
#include "storesuite.h"

enum { CACHE_MAX = 1 << 22, STEPS = 97 };

static struct fullstore f;
static struct testvault t;
static struct vault v; /* what is loaded */
static char file[SCRATCH_MAX];

static void cache_path(char *out, const struct hash *vault) {
	char hex[HASH_HEX], name[SCRATCH_MAX];
	hash_hex(hex, vault);
	(void)snprintf(name, sizeof name, "home/cache/state-%.16s", hex);
	(void)scratch_join(out, f.folder, name);
}

static int setup_all(void **state) {
	(void)state;
	fullstore_make(&f);
	cache_path(file, &f.vault);
	return 0;
}

static int teardown_all(void **state) {
	(void)state;
	fullstore_done(&f);
	return 0;
}

/* As vault_open has it before it looks for a cache. */
static void begin(void) {
	memset(&v, 0, sizeof v);
	v.session = &t.session;
	v.id = f.vault;
	chainread_init(&v.chain, CHAIN_VAULT);
	vaultstate_init(&v.state);
}

static int setup(void **state) {
	(void)state;
	rawstore_set(f.store, f.states[f.state_count - 1]);
	testvault_must_open(&t, f.store);
	statecache_save(&t.vault);
	begin();
	return 0;
}

static int teardown(void **state) {
	(void)state;
	vault_close(&v);
	testvault_close(&t);
	return 0;
}

static void read_file(struct buf *out) {
	buf_init(out, CACHE_MAX);
	assert_int_equal(file_read_whole(AT_FDCWD, file, CACHE_MAX, out, NULL), OK);
}

static void expect_link(const struct chainlink *a, const struct chainlink *b) {
	assert_int_equal(a->kind, b->kind);
	assert_true(hash_equal(&a->id, &b->id));
	assert_true(hash_equal(&a->birth, &b->birth));
	assert_int_equal(a->count, b->count);
	assert_true(hash_equal(&a->head, &b->head));
	assert_true(a->time == b->time);
	assert_int_equal(a->control_sequence, b->control_sequence);
	assert_true(hash_equal(&a->control_hash, &b->control_hash));
	assert_int_equal(a->epoch, b->epoch);
	assert_memory_equal(a->reader, b->reader, SIGN_PUBLIC);
	assert_memory_equal(a->writer, b->writer, SIGN_PUBLIC);
	assert_memory_equal(a->admin, b->admin, SIGN_PUBLIC);
}

static void expect_ring(const struct epochring *a, const struct epochring *b) {
	assert_int_equal(epochring_newest(a), epochring_newest(b));
	for (uint32_t i = 1; i <= epochring_newest(a); i++) {
		struct hash x = epochring_boxes(a, i), y = epochring_boxes(b, i);
		assert_true(hash_equal(&x, &y));
		assert_memory_equal(epochring_kem_public(a, i), epochring_kem_public(b, i), KEM_PUBLIC);
		assert_true(
			hash_equal(&epochring_stated(a, i)->commitment, &epochring_stated(b, i)->commitment));
		assert_memory_equal(
			epochring_stated(a, i)->writer, epochring_stated(b, i)->writer, SIGN_PUBLIC);
	}
}

/* All that a state has, also what forge_vault_sum leaves out. */
static void expect_state(const struct vaultstate *a, const struct vaultstate *b) {
	struct hash x = forge_vault_sum(a), y = forge_vault_sum(b);
	assert_true(hash_equal(&x, &y));
	assert_true(hash_equal(&a->id, &b->id));
	assert_true(hash_equal(&a->head, &b->head));
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) assert_true(a->times[i] == b->times[i]);
	assert_int_equal(a->chunk_min, b->chunk_min);
	assert_int_equal(a->chunk_max, b->chunk_max);
	assert_int_equal(a->mask_bits, b->mask_bits);
	for (size_t i = 0; i < a->snapshot_count; i++)
		assert_int_equal(a->snapshots[i].touched, b->snapshots[i].touched);
	for (size_t i = 0; i < a->purge_count; i++)
		assert_true(hash_equal(&a->purges[i].intended, &b->purges[i].intended));
	assert_int_equal(a->summary_sequence, b->summary_sequence);
	assert_true(streamref_equal(&a->summary, &b->summary));
	assert_int_equal(a->void_count, b->void_count);
	assert_int_equal(a->unknown_count, b->unknown_count);
	assert_int_equal(a->newest_void, b->newest_void);
}

static void the_state_comes_back(void **state) {
	struct why why = { OK, "" };
	(void)state;
	assert_true(t.vault.state.purge_count > 0);
	assert_true(t.vault.state.intent_count > 0);
	/* as of an intent with a list */
	t.vault.state.purges[0].intended = storesuite_id(5);
	statecache_save(&t.vault);
	assert_true(t.vault.state.snapshots[t.vault.state.snapshot_count - 2].touched >
		t.vault.state.snapshots[t.vault.state.snapshot_count - 2].sequence);
	assert_true(statecache_load(&v));
	expect_link(&v.chain.link, &t.vault.chain.link);
	expect_ring(v.chain.ring, t.vault.chain.ring);
	expect_state(&v.state, &t.vault.state);
	/* and the chain goes on from there */
	clientbox_ok(vault_refresh(&v, &why), &why);
	expect_state(&v.state, &t.vault.state);
	statecache_drop(&t.session.folder, &f.vault); /* it says what no chain does */
}

/* Nothing of what was tried stays, but what the device has seen: the whole chain can be read. */
static void expect_none(bool read_on) {
	struct why why = { OK, "" };
	struct head seen = { .seq = 0, .hash = f.vault };
	v.chain.seen = seen;
	v.chain.has_seen = true;
	assert_false(statecache_load(&v));
	assert_null(v.chain.ring);
	assert_null(v.chain.first);
	assert_false(v.chain.unconfirmed);
	assert_int_equal(v.chain.link.count, 0);
	assert_int_equal(v.state.count, 0);
	assert_int_equal(v.state.snapshot_count + v.state.index_count + v.state.intent_count, 0);
	assert_int_equal(v.state.policy_count + v.state.purge_count + v.state.thread_count, 0);
	assert_true(v.chain.has_seen);
	assert_int_equal(v.chain.seen.seq, 0);
	assert_true(hash_equal(&v.chain.seen.hash, &f.vault));
	if (!read_on) return;
	clientbox_ok(vault_refresh(&v, &why), &why);
	expect_state(&v.state, &t.vault.state);
	vault_close(&v);
	begin();
}

static void damage_costs_only_time(void **state) {
	struct buf b;
	(void)state;
	read_file(&b);
	for (size_t i = 0; i < STEPS; i++) {
		size_t at = i * (b.len - 1) / (STEPS - 1);
		b.ptr[at] ^= 1;
		scratch_write(file, b.ptr, b.len);
		expect_none(i == 0);
		b.ptr[at] ^= 1;
		scratch_write(file, b.ptr, i * b.len / STEPS);
		expect_none(false);
	}
	assert_int_equal(buf_add_zero(&b, 1), OK);
	scratch_write(file, b.ptr, b.len);
	expect_none(true);
	assert_int_equal(unlink(file), 0);
	expect_none(true);
	buf_free(&b);
}

/* The cache says what this device has verified: another's word counts for nothing. */
static void another_devices_cache_is_none(void **state) {
	uint8_t *secret = t.session.secrets->keys.keys.secret.b;
	(void)state;
	secret[0] ^= 1;
	expect_none(false);
	secret[0] ^= 1;
	assert_true(statecache_load(&v));
}

static void another_vaults_cache_is_none(void **state) {
	(void)state;
	char path[SCRATCH_MAX];
	struct buf b;
	read_file(&b);
	v.id.b[0] ^= 1;
	cache_path(path, &v.id);
	scratch_write(path, b.ptr, b.len);
	buf_free(&b);
	expect_none(false);
	assert_int_equal(unlink(path), 0);
}

/* ${bytes} (without a sum) as this device's own cache. */
static void write_authentic(struct span bytes) {
	struct derive d;
	uint8_t key[HASH_SIZE];
	struct hash sum;
	struct buf b;
	derive_start(
		&d, LABEL_LOCAL_STATE_CACHE, span_of(t.session.secrets->keys.keys.secret.b, KEY_SIZE));
	derive_hash(&d, &f.vault);
	derive_done(&d, key, sizeof key);
	hash_keyed(&sum, key, bytes);
	buf_init(&b, CACHE_MAX);
	assert_int_equal(buf_add(&b, bytes), OK);
	assert_int_equal(buf_add(&b, hash_span(&sum)), OK);
	scratch_write(file, b.ptr, b.len);
	buf_free(&b);
}

/* An older program's layout, or a fault of ours: well summed, and yet no state. */
static void what_does_not_parse_is_none(void **state) {
	struct buf b;
	(void)state;
	read_file(&b);
	b.len -= HASH_SIZE;
	write_authentic(buf_span(&b));
	assert_true(statecache_load(&v));
	vault_close(&v);
	begin();
	b.ptr[7]--;
	write_authentic(buf_span(&b));
	expect_none(false);
	b.ptr[7]++;
	for (size_t i = 0; i < STEPS; i++) {
		write_authentic(span_of(b.ptr, i * b.len / STEPS));
		expect_none(false);
	}
	/* another chain's link; no entries; more of them than the state has */
	b.ptr[8] ^= 1;
	write_authentic(buf_span(&b));
	expect_none(false);
	b.ptr[8] ^= 1;
	uint8_t *count = b.ptr + 8 + 2 * HASH_SIZE;
	assert_int_equal(count[0], t.vault.chain.link.count);
	for (int i = -1; i < 2; i += 2) {
		count[0] = (uint8_t)(count[0] + i);
		write_authentic(buf_span(&b));
		expect_none(false);
		count[0] = (uint8_t)(count[0] - i);
	}
	memset(count, 0, 8);
	write_authentic(buf_span(&b));
	expect_none(false);
	buf_free(&b);
}

/* A store that was set back, or has another entry where the cache ends. */
static void the_store_is_held_against_it(void **state) {
	struct why why = { OK, "" };
	(void)state;
	assert_true(statecache_load(&v));
	rawstore_set(f.store, f.states[f.state_count - 2]);
	assert_int_equal(vault_refresh(&v, &why), E_ROLLBACK);
	vault_close(&v);
	begin();
	rawstore_set(f.store, f.states[f.state_count - 1]);
	struct rawstore_item *item =
		rawstore_find(f.store, RAWSTORE_ENTRY, &f.vault, NULL, t.vault.state.count - 1);
	item->bytes[item->len - 1] ^= 1;
	assert_true(statecache_load(&v));
	assert_int_equal(vault_refresh(&v, &why), E_FORGED);
	rawstore_set(f.store, f.states[f.state_count - 1]);
}

static void it_can_be_dropped(void **state) {
	struct hash other = storesuite_id(1);
	(void)state;
	statecache_drop(&t.session.folder, &other);
	assert_int_equal(access(file, F_OK), 0);
	statecache_drop(&t.session.folder, &f.vault);
	assert_int_equal(access(file, F_OK), -1);
	statecache_drop(&t.session.folder, &f.vault);
	expect_none(true);
}

static void without_a_cache_folder(void **state) {
	int folder = t.session.folder.cache;
	(void)state;
	t.session.folder.cache = -1;
	expect_none(true);
	assert_int_equal(unlink(file), 0);
	statecache_save(&t.vault);
	statecache_drop(&t.session.folder, &f.vault);
	t.session.folder.cache = folder;
	assert_int_equal(access(file, F_OK), -1);
	/* one that can't be written: no harm */
	assert_int_equal(mkdir(file, 0700), 0);
	statecache_save(&t.vault);
	expect_none(false);
	assert_int_equal(rmdir(file), 0);
}

static void memory_runs_out(void **state) {
	bool loaded = false;
	(void)state;
	for (uint64_t n = 1; !loaded; n++) {
		mem_fail_at(n);
		loaded = statecache_load(&v);
		mem_fail_at(0);
		if (loaded) break;
		assert_null(v.chain.ring);
		assert_int_equal(v.chain.link.count, 0);
		assert_int_equal(v.state.count, 0);
	}
	expect_state(&v.state, &t.vault.state);
	/* what can't be kept is not kept by half */
	struct buf before, after;
	read_file(&before);
	for (uint64_t n = 1; n < 30; n++) {
		mem_fail_at(n);
		statecache_save(&t.vault);
		mem_fail_at(0);
	}
	read_file(&after);
	assert_true(span_equal(buf_span(&before), buf_span(&after)));
	buf_free(&before);
	buf_free(&after);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_state_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_costs_only_time, setup, teardown),
		cmocka_unit_test_setup_teardown(another_devices_cache_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(another_vaults_cache_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(what_does_not_parse_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(the_store_is_held_against_it, setup, teardown),
		cmocka_unit_test_setup_teardown(it_can_be_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_cache_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_runs_out, setup, teardown),
	};
	return cmocka_run_group_tests_name("statecache", tests, setup_all, teardown_all);
}
