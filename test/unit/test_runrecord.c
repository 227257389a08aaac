/* client/runrecord: what a run that died put into the store is found again, unless it must not be relied on. */
#include <dirent.h>
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
#include "client/intents.h"
#include "client/packrun.h"
#include "client/runrecord.h"
#include "clientbox.h"
#include "format/chunktype.h"
#include "os/file.h"
#include "storesuite.h"

/* Blocks of which each pack holds two and a piece of the next. ROW: of a record. */
enum { BLOCKS = 5, BLOCK = 25000, ROW = 40 };

/* A record opened as a run does it, with what it took over. */
struct opened {
	struct fetch *fetch;
	struct runrecord *record;
	struct indexplan *plan;
};

static enum err try_open(
	struct clientbox *t, struct opened *o, struct span avoid, struct why *why) {
	struct session *s = &t->session;
	*o = (struct opened){ .fetch = clientbox_fetch(t) };
	assert_int_equal(indexplan_new(&o->plan), OK);
	return runrecord_open(&o->record, s->folder.state, &t->vault.id, s->store,
		fetch_packs(o->fetch), fetch_places(o->fetch), avoid, o->plan, why);
}

static struct opened open_record(struct clientbox *t, struct span avoid) {
	struct opened o;
	struct why why = { OK, "" };
	clientbox_ok(try_open(t, &o, avoid, &why), &why);
	indexplan_sort(o.plan);
	return o;
}

static void close_record(struct opened *o, bool committed) {
	runrecord_close(o->record, committed);
	indexplan_free(o->plan);
	fetch_free(o->fetch);
}

static void named(void *ctx, const struct hash *name, uint32_t size) {
	runrecord_add(ctx, name, size);
}

/* Stores BLOCKS blocks of one chunk each, ids from seed ${first} on, and names no index of them. */
static void store_blocks(struct clientbox *t, struct runrecord *record, uint64_t first) {
	struct packrun *run = NULL;
	struct why why = { OK, "" };
	struct buf locations;
	struct packrun_params p = {
		.store = t->session.store,
		.vault = t->vault.id,
		.epoch = vault_epoch(&t->vault),
		.epoch_public = epochring_kem_public(t->vault.chain.ring, vault_epoch(&t->vault)),
		.writer = t->session.secrets->actor.id,
		.fresh = &t->session.secrets->fresh,
		.pack_limit = CLIENTBOX_PACK,
		.named = named,
		.ctx = record,
	};
	buf_init(&locations, 1 << 16);
	clientbox_ok(packrun_new(&run, &p, &why), &why);
	uint8_t *bytes = clientbox_random(BLOCK, first);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct hash id = storesuite_id(first + i);
		uint32_t number;
		bool fresh;
		clientbox_ok(packrun_claim(run, &id, &number, &fresh), &why);
		struct packrun_block b = { .type = CHUNKTYPE_CONTENT,
			.ids = &id,
			.numbers = &number,
			.count = 1,
			.stored = span_of(bytes, BLOCK) };
		clientbox_ok(packrun_put(run, &b, &why), &why);
	}
	clientbox_ok(packrun_index(run, NULL, &locations, &why), &why);
	free(bytes);
	packrun_free(run);
	buf_free(&locations);
}

/* A run that dies after it has stored all. */
static void die(struct clientbox *t, uint64_t first) {
	struct opened o = open_record(t, span_of(NULL, 0));
	store_blocks(t, o.record, first);
	close_record(&o, false);
}

static char *runs_path(char *out, const struct clientbox *t) {
	return scratch_join(out, t->home, "runs");
}

static int record_count(const struct clientbox *t) {
	char path[SCRATCH_MAX];
	return scratch_count(runs_path(path, t));
}

/* The path of the only record; its bytes, if asked for. */
static void only_record(const struct clientbox *t, char path[SCRATCH_MAX], struct buf *bytes) {
	char folder[SCRATCH_MAX];
	DIR *d = opendir(runs_path(folder, t));
	size_t found = 0;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.') continue;
		(void)scratch_join(path, folder, e->d_name);
		found++;
	}
	assert_int_equal(found, 1);
	(void)closedir(d);
	if (!bytes) return;
	buf_init(bytes, 1 << 20);
	assert_int_equal(file_read_whole(AT_FDCWD, path, 1 << 20, bytes, NULL), OK);
	assert_int_equal(bytes->len % ROW, 0);
}

/* How many of the blocks of ${first} were taken over; each that is, at one place. */
static size_t taken(const struct opened *o, uint64_t first) {
	size_t count = 0, at;
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct hash id = storesuite_id(first + i);
		at = indexplan_find(o->plan, &id);
		if (at == indexplan_rows(o->plan)) continue;
		count++;
		if (at + 1 < indexplan_rows(o->plan))
			assert_false(hash_equal(&indexplan_row_at(o->plan, at + 1)->id, &id));
	}
	return count;
}

/* The place of a block that was taken over; the cut, if it is cut. */
static struct indexhead_pack place_of(
	const struct opened *o, uint64_t seed, struct indexhead_cut *cut, bool *is_cut) {
	struct hash id = storesuite_id(seed);
	size_t at = indexplan_find(o->plan, &id);
	assert_true(at < indexplan_rows(o->plan));
	const struct indexleaf_row *row = indexplan_row_at(o->plan, at);
	*is_cut = indexplan_find_cut(o->plan, row->pack, row->offset, cut);
	return indexplan_pack_at(o->plan, row->pack);
}

static void what_a_dead_run_stored_is_found(void **state) {
	struct clientbox *t = *state;
	struct why why = { OK, "" };
	size_t cuts = 0;
	die(t, 100);
	assert_int_equal(record_count(t), 1);
	struct opened o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100), BLOCKS);
	assert_int_equal(indexplan_rows(o.plan), BLOCKS);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct indexhead_cut cut;
		bool is_cut;
		uint64_t size = 0;
		struct indexhead_pack pack = place_of(&o, 100 + i, &cut, &is_cut);
		clientbox_ok(
			store_pack_size(t->session.store, &t->vault.id, &pack.name, &size, &why), &why);
		assert_int_equal(size, pack.size);
		if (!is_cut) continue;
		struct indexhead_pack next = indexplan_pack_at(o.plan, cut.next_pack);
		assert_false(hash_equal(&next.name, &pack.name));
		cuts++;
	}
	assert_true(cuts > 0);
	close_record(&o, true);
	assert_int_equal(record_count(t), 0);
}

/* Its records go with the commit, and no sooner; those of a run that put nothing are not kept. */
static void records_go_with_the_commit(void **state) {
	struct clientbox *t = *state;
	struct opened o = open_record(t, span_of(NULL, 0));
	assert_int_equal(record_count(t), 1);
	close_record(&o, false);
	assert_int_equal(record_count(t), 0);
	die(t, 100);
	die(t, 200);
	assert_int_equal(record_count(t), 2);
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100) + taken(&o, 200), 2 * BLOCKS);
	assert_int_equal(record_count(t), 3);
	close_record(&o, false);
	assert_int_equal(record_count(t), 2);
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100) + taken(&o, 200), 2 * BLOCKS);
	store_blocks(t, o.record, 300);
	close_record(&o, true);
	assert_int_equal(record_count(t), 0);
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(indexplan_rows(o.plan), 0);
	close_record(&o, true);
	runrecord_close(NULL, true);
}

/* It may end with another snapshot of its own: what it put is its own until then. */
static void a_live_run_is_left_alone(void **state) {
	struct clientbox *t = *state;
	struct opened live = open_record(t, span_of(NULL, 0));
	store_blocks(t, live.record, 100);
	struct opened o = open_record(t, span_of(NULL, 0));
	assert_int_equal(indexplan_rows(o.plan), 0);
	close_record(&o, true);
	assert_int_equal(record_count(t), 1);
	close_record(&live, false);
	/* and who took it over has it to himself */
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100), BLOCKS);
	struct opened second = open_record(t, span_of(NULL, 0));
	assert_int_equal(indexplan_rows(second.plan), 0);
	close_record(&second, true);
	assert_int_equal(record_count(t), 2);
	close_record(&o, false);
	assert_int_equal(record_count(t), 1);
}

/* The packs of a record in the order of their rows, as they were put. */
static struct hash row_name(const struct buf *rows, size_t i) {
	return hash_from(rows->ptr + i * ROW);
}

static void packs_to_avoid_are_not_taken(void **state) {
	struct clientbox *t = *state;
	char path[SCRATCH_MAX];
	struct buf rows;
	die(t, 100);
	only_record(t, path, &rows);
	size_t packs = rows.len / ROW;
	assert_true(packs >= 3);
	for (size_t i = 0; i < packs; i++) {
		struct hash avoid = row_name(&rows, i);
		struct opened o = open_record(t, hash_span(&avoid));
		struct hash none = { { 0 } };
		for (uint32_t n = 0; n < indexplan_packs(o.plan); n++) {
			none = indexplan_pack_at(o.plan, n).name;
			assert_false(hash_equal(&none, &avoid));
		}
		if (i < 2) assert_true(taken(&o, 100) < BLOCKS);
		close_record(&o, false);
	}
	buf_free(&rows);
}

/* Of a block that is cut, a piece is worth nothing. */
static void a_cut_block_needs_its_rest(void **state) {
	struct clientbox *t = *state;
	struct why why = { OK, "" };
	struct indexhead_cut cut = { .pack = 0 };
	bool is_cut = false;
	die(t, 100);
	struct opened o = open_record(t, span_of(NULL, 0));
	uint64_t seed = 100;
	struct indexhead_pack pack = { .size = 0 };
	for (; !is_cut; seed++) pack = place_of(&o, seed, &cut, &is_cut);
	struct hash next = indexplan_pack_at(o.plan, cut.next_pack).name;
	close_record(&o, false);
	clientbox_ok(store_pack_delete(t->inner, &t->vault.id, &next, &why), &why);
	o = open_record(t, span_of(NULL, 0));
	struct hash id = storesuite_id(seed - 1), before = storesuite_id(seed - 2);
	assert_int_equal(indexplan_find(o.plan, &id), indexplan_rows(o.plan));
	/* the others of that pack are there */
	size_t at = indexplan_find(o.plan, &before);
	assert_true(at < indexplan_rows(o.plan));
	struct indexhead_pack found = indexplan_pack_at(o.plan, indexplan_row_at(o.plan, at)->pack);
	assert_true(hash_equal(&found.name, &pack.name));
	close_record(&o, false);
}

static char *pack_path(char *out, const struct clientbox *t, const struct hash *name) {
	char vault[HASH_HEX], hex[HASH_HEX];
	hash_hex(vault, &t->vault.id);
	hash_hex(hex, name);
	int n = snprintf(out, SCRATCH_MAX, "%s/packs/%s/%.2s/%s", t->store, vault, hex, hex);
	assert_in_range(n, 1, SCRATCH_MAX - 1);
	return out;
}

/* A pack that is damaged, cut short or gone is not relied on; and it is not an error. */
static void packs_that_are_not_as_they_were(void **state) {
	struct clientbox *t = *state;
	char path[SCRATCH_MAX];
	struct buf rows;
	struct stat st;
	die(t, 100);
	only_record(t, path, &rows);
	struct hash first = row_name(&rows, 0);
	buf_free(&rows);
	(void)pack_path(path, t, &first);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	/* its trailer */
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseeko(f, st.st_size - 1, SEEK_SET), 0);
	int c = fgetc(f);
	assert_int_equal(fseeko(f, st.st_size - 1, SEEK_SET), 0);
	assert_true(fputc(c ^ 1, f) != EOF);
	assert_int_equal(fclose(f), 0);
	struct opened o = open_record(t, span_of(NULL, 0));
	size_t left = taken(&o, 100);
	assert_true(left > 0 && left < BLOCKS);
	close_record(&o, false);
	/* too long */
	assert_int_equal(truncate(path, st.st_size + 1), 0);
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100), left);
	close_record(&o, false);
	assert_int_equal(unlink(path), 0);
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100), left);
	close_record(&o, false);
}

/* Another length than the record says: it is not the pack that was put. */
static void a_row_must_say_the_length(void **state) {
	struct clientbox *t = *state;
	char path[SCRATCH_MAX];
	struct buf rows;
	die(t, 100);
	only_record(t, path, &rows);
	struct hash first = row_name(&rows, 0);
	assert_int_equal(unlink(path), 0);
	struct opened o = open_record(t, span_of(NULL, 0));
	runrecord_add(o.record, &first, CLIENTBOX_PACK - 1);
	close_record(&o, false);
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(indexplan_rows(o.plan), 0);
	close_record(&o, true);
	/* and with it, it is */
	o = open_record(t, span_of(NULL, 0));
	runrecord_add(o.record, &first, CLIENTBOX_PACK);
	close_record(&o, false);
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100), 2);
	close_record(&o, true);
	buf_free(&rows);
}

/* A row that is not whole is none, and those before it are good. */
static void torn_rows_are_passed_over(void **state) {
	struct clientbox *t = *state;
	char path[SCRATCH_MAX];
	struct buf rows;
	die(t, 100);
	only_record(t, path, &rows);
	for (size_t len = rows.len; len >= rows.len - ROW; len--) {
		scratch_write(path, rows.ptr, len);
		struct opened o = open_record(t, span_of(NULL, 0));
		/* the last row is that of the pack with the index */
		assert_int_equal(taken(&o, 100), BLOCKS);
		close_record(&o, false);
	}
	for (size_t i = 0; i < ROW; i += 3) {
		rows.ptr[i] ^= 4;
		scratch_write(path, rows.ptr, rows.len);
		struct opened o = open_record(t, span_of(NULL, 0));
		assert_true(taken(&o, 100) < BLOCKS);
		close_record(&o, false);
		rows.ptr[i] ^= 4;
	}
	buf_free(&rows);
}

/* Once in the plan, however often the records say it. */
static void a_pack_is_taken_once(void **state) {
	struct clientbox *t = *state;
	char path[SCRATCH_MAX], other[SCRATCH_MAX + 8];
	struct buf rows, twice;
	die(t, 100);
	only_record(t, path, &rows);
	buf_init(&twice, 1 << 20);
	assert_int_equal(buf_add(&twice, buf_span(&rows)), OK);
	assert_int_equal(buf_add(&twice, buf_span(&rows)), OK);
	scratch_write(path, twice.ptr, twice.len);
	(void)snprintf(other, sizeof other, "%s-1", path);
	scratch_write(other, rows.ptr, rows.len);
	struct opened o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100), BLOCKS);
	assert_int_equal(indexplan_packs(o.plan), rows.len / ROW);
	close_record(&o, true);
	assert_int_equal(record_count(t), 0);
	buf_free(&rows);
	buf_free(&twice);
}

static enum err decide_index(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct buf *locations = ctx;
	(void)v;
	(void)why;
	out->body =
		(struct vaultbody){ .type = VAULTBODY_INDEX, .added = { .rows = buf_span(locations) } };
	return OK;
}

/* What the chain names by now needs no second index. */
static void packs_that_an_index_names_are_not_taken(void **state) {
	struct clientbox *t = *state;
	struct packrun *run = NULL;
	struct why why = { OK, "" };
	struct buf locations;
	struct packrun_params p = {
		.store = t->session.store,
		.vault = t->vault.id,
		.epoch = vault_epoch(&t->vault),
		.epoch_public = epochring_kem_public(t->vault.chain.ring, vault_epoch(&t->vault)),
		.writer = t->session.secrets->actor.id,
		.fresh = &t->session.secrets->fresh,
	};
	die(t, 100);
	buf_init(&locations, 1 << 16);
	struct opened o = open_record(t, span_of(NULL, 0));
	clientbox_ok(packrun_new(&run, &p, &why), &why);
	clientbox_ok(packrun_index(run, o.plan, &locations, &why), &why);
	clientbox_ok(vault_append(&t->vault, decide_index, &locations, &why), &why);
	packrun_free(run);
	close_record(&o, false);
	buf_free(&locations);
	o = open_record(t, span_of(NULL, 0));
	assert_int_equal(record_count(t), 2);
	assert_int_equal(taken(&o, 100), 0);
	close_record(&o, true);
}

static void another_vaults_records_are_left_alone(void **state) {
	struct clientbox *t = *state;
	char path[SCRATCH_MAX], to[SCRATCH_MAX], folder[SCRATCH_MAX], hex[HASH_HEX];
	struct hash id = storesuite_id(6);
	die(t, 100);
	only_record(t, path, NULL);
	hash_hex(hex, &id);
	assert_int_equal(rename(path, scratch_join(to, runs_path(folder, t), hex)), 0);
	struct opened o = open_record(t, span_of(NULL, 0));
	assert_int_equal(indexplan_rows(o.plan), 0);
	close_record(&o, true);
	assert_int_equal(access(to, F_OK), 0);
	assert_int_equal(record_count(t), 1);
}

static void what_cannot_be_kept_is_an_error(void **state) {
	struct clientbox *t = *state;
	char path[SCRATCH_MAX];
	struct why why = { OK, "" };
	struct opened o;
	scratch_write(runs_path(path, t), "x", 1);
	assert_int_equal(try_open(t, &o, span_of(NULL, 0), &why), E_IO);
	assert_null(o.record);
	close_record(&o, false);
	assert_int_equal(unlink(path), 0);
}

static void memory_runs_out(void **state) {
	struct clientbox *t = *state;
	struct why why = { OK, "" };
	bool was_short = true;
	size_t failures = 0;
	die(t, 100);
	for (uint64_t n = 1; was_short; n++) {
		struct opened o = { .fetch = clientbox_fetch(t) };
		struct session *s = &t->session;
		assert_int_equal(indexplan_new(&o.plan), OK);
		uint64_t before = mem_count();
		mem_fail_at(n);
		enum err e = runrecord_open(&o.record, s->folder.state, &t->vault.id, s->store,
			fetch_packs(o.fetch), fetch_places(o.fetch), span_of(NULL, 0), o.plan, &why);
		mem_fail_at(0);
		was_short = mem_count() - before >= n;
		assert_true(e == OK || (was_short && e == E_NOMEM));
		failures += e == E_NOMEM;
		if (e) assert_null(o.record);
		close_record(&o, false);
		assert_int_equal(record_count(t), 1);
	}
	assert_true(failures > 3);
	struct opened o = open_record(t, span_of(NULL, 0));
	assert_int_equal(taken(&o, 100), BLOCKS);
	close_record(&o, true);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_a_dead_run_stored_is_found, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			records_go_with_the_commit, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_live_run_is_left_alone, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			packs_to_avoid_are_not_taken, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_cut_block_needs_its_rest, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			packs_that_are_not_as_they_were, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			a_row_must_say_the_length, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			torn_rows_are_passed_over, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(a_pack_is_taken_once, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			packs_that_an_index_names_are_not_taken, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			another_vaults_records_are_left_alone, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_kept_is_an_error, clientbox_setup, clientbox_teardown),
		cmocka_unit_test_setup_teardown(memory_runs_out, clientbox_setup, clientbox_teardown),
	};
	return cmocka_run_group_tests_name("runrecord", tests, NULL, NULL);
}
