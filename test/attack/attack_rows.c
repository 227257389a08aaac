/*
 * Rows of TESTING.md that take more than a change of one object: chains and packs of different states, forks, another
 * vault's objects, content made to look like something else. In process, on a whole small vault.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/check.h"
#include "client/restore.h"
#include "client/treewalk.h"
#include "format/chunktype.h"
#include "format/snapshot.h"
#include "storesuite.h"
#include "verdict.h"

struct rows {
	struct fullstore f;
	struct rawstore_copy *all;
	struct testvault_seen whole[FULLSTORE_SNAPSHOTS];
	unsigned passed, failed, cases;
	const char *row;
	bool row_failed;
};

static void fail(struct rows *r, const char *what, const char *detail) {
	printf("FAIL  %s: %s: %s\n", r->row, what, detail);
	r->row_failed = true;
}

static void expect(struct rows *r, bool good, const char *what, const char *detail) {
	r->cases++;
	if (!good) fail(r, what, detail);
}

static struct fetch *fetch_of(struct testvault *t) {
	struct fetch *f = NULL;
	struct fetch_params p = { .vault = &t->vault, .threads = 1 };
	struct why why = { OK, "" };
	testvault_must(fetch_new(&f, &p, &why), &why, "fetch");
	return f;
}

/* Whether all snapshots are read exactly, or with errors that say so: never otherwise. */
static void expect_honest(struct rows *r, struct testvault *t) {
	struct fetch *f = fetch_of(t);
	for (size_t i = 0; i < FULLSTORE_SNAPSHOTS; i++) {
		struct testvault_seen seen;
		struct why why = { OK, "" };
		if (testvault_see(f, &r->f.snapshots[i], &seen, &why)) continue;
		expect(r, testvault_within(&seen, &r->whole[i]), "wrong bytes were read", "");
		expect(r, seen.errors || seen.count == r->whole[i].count,
			"files are missing without an error", "");
		testvault_seen_done(&seen);
	}
	fetch_free(f);
}

/* The state with ${part} of each item from one of three states. */
static void mix(struct rows *r, size_t account, size_t vault, size_t packs) {
	struct store *s = r->f.store;
	const size_t from[] = { account, vault, packs };
	while (rawstore_count(s)) rawstore_remove(s, rawstore_count(s) - 1);
	for (size_t part = 0; part < 3; part++) {
		struct store *other = rawstore_new(store_id(s));
		rawstore_set(other, r->f.states[from[part]]);
		for (size_t i = 0; i < rawstore_count(other); i++) {
			const struct rawstore_item *item = rawstore_at(other, i);
			size_t belongs = item->kind != RAWSTORE_ENTRY ? 2
				: hash_equal(&item->scope, &r->f.vault)   ? 1
														  : 0;
			if (belongs == part) rawstore_add(s, item);
		}
		store_free(other);
	}
}

/* R10: chains and objects of different states, put together. Only the newest of both chains is taken. */
static void row_r10(struct rows *r) {
	size_t last = r->f.state_count - 1;
	for (size_t a = 0; a <= last; a++)
		for (size_t v = 0; v <= last; v++) {
			struct testvault t;
			struct why why = { OK, "" };
			char label[128];
			size_t p = (a * 7 + v * 3) % (last + 1);
			(void)snprintf(label, sizeof label, "account %zu, vault %zu, packs %zu", a, v, p);
			mix(r, a, v, p);
			enum err e = testvault_open(&t, r->f.store, "main", &why);
			if (e) {
				expect(r, e == E_ROLLBACK || e == E_FORGED, label, why.msg);
				continue;
			}
			/* states that end with the same entries of both chains are the newest too */
			struct rawstore_copy *now = rawstore_copy(r->f.store);
			rawstore_set(r->f.store, r->all);
			struct testvault good;
			testvault_must_open(&good, r->f.store);
			bool newest = good.vault.state.count == t.vault.state.count &&
				good.session.account.state.count == t.session.account.state.count;
			testvault_close(&good);
			rawstore_set(r->f.store, now);
			rawstore_copy_free(now);
			expect(r, newest, label, "an older state was taken for the newest");
			expect_honest(r, &t);
			testvault_close(&t);
		}
}

/* R03, R04: two continuations of one chain. Who has seen one refuses the other, and both put together. */
static void row_r03(struct rows *r) {
	struct testvault t;
	struct hash id;
	struct why why = { OK, "" };
	char home[SCRATCH_MAX], other[SCRATCH_MAX];
	const char *was = getenv("BROCH_HOME");
	(void)snprintf(home, sizeof home, "%s", was);
	(void)scratch_join(other, r->f.folder, "home-two");
	char command[3 * SCRATCH_MAX];
	(void)snprintf(command, sizeof command, "cp -a '%s' '%s'", home, other);
	if (system(command) != 0) abort(); /* NOLINT: a path of our own */
	/* the first device goes on in one fork */
	rawstore_set(r->f.store, r->all);
	testvault_must_open(&t, r->f.store);
	testvault_must(testvault_backup(&t, r->f.tree, "fork a", &id, &why), &why, "backup");
	testvault_close(&t);
	struct rawstore_copy *a = rawstore_copy(r->f.store);
	/* the second in another */
	(void)setenv("BROCH_HOME", other, 1);
	rawstore_set(r->f.store, r->all);
	testvault_must_open(&t, r->f.store);
	for (int i = 0; i < 3; i++)
		testvault_must(testvault_backup(&t, r->f.tree, "fork b", &id, &why), &why, "backup");
	testvault_close(&t);
	struct rawstore_copy *b = rawstore_copy(r->f.store);
	/* exchanged: each refuses what the other wrote */
	rawstore_set(r->f.store, a);
	enum err e = testvault_open(&t, r->f.store, "main", &why);
	expect(r, e == E_ROLLBACK, "the second device takes the first's fork", why.msg);
	if (!e) testvault_close(&t);
	(void)setenv("BROCH_HOME", home, 1);
	rawstore_set(r->f.store, b);
	e = testvault_open(&t, r->f.store, "main", &why);
	expect(r, e == E_ROLLBACK, "the first device takes the second's fork", why.msg);
	if (!e) testvault_close(&t);
	/* joined: the first's entry, then the second's behind it */
	rawstore_set(r->f.store, a);
	for (uint64_t seq = 0;; seq++) {
		struct store *with_b = rawstore_new(store_id(r->f.store));
		rawstore_set(with_b, b);
		const struct rawstore_item *item =
			rawstore_find(with_b, RAWSTORE_ENTRY, &r->f.vault, NULL, seq);
		bool there = rawstore_find(r->f.store, RAWSTORE_ENTRY, &r->f.vault, NULL, seq) != NULL;
		if (item && !there) rawstore_add(r->f.store, item);
		bool end = !item;
		store_free(with_b);
		if (end) break;
	}
	e = testvault_open(&t, r->f.store, "main", &why);
	expect(r, e == E_FORGED || e == E_ROLLBACK, "a joined fork is taken", why.msg);
	if (!e) testvault_close(&t);
	rawstore_copy_free(a);
	rawstore_copy_free(b);
}

/* F08: a file's content that is, byte for byte, a snapshot or a folder of this vault, is content and nothing else. */
static void row_f08(struct rows *r) {
	struct testvault t;
	struct why why = { OK, "" };
	struct hash id, content;
	char path[SCRATCH_MAX];
	struct fetch *f;
	struct fetch_chunk chunk;
	testvault_must_open(&t, r->f.store);
	f = fetch_of(&t);
	testvault_must(
		fetch_chunk(f, CHUNKTYPE_SNAPSHOT, &r->f.snapshots[0], &chunk, &why), &why, "a snapshot");
	scratch_write(scratch_join(path, r->f.tree, "planted"), chunk.bytes.ptr, chunk.bytes.len);
	vaultkeys_chunk_id(&content, &t.vault.secrets->keys, CHUNKTYPE_CONTENT, chunk.bytes);
	fetch_release(f, &chunk);
	fetch_free(f);
	testvault_must(testvault_backup(&t, r->f.tree, "planted", &id, &why), &why, "backup");
	f = fetch_of(&t);
	enum err e = fetch_chunk(f, CHUNKTYPE_CONTENT, &content, &chunk, &why);
	expect(r, e == OK, "the planted content is not there: no test", why.msg);
	if (!e) fetch_release(f, &chunk);
	expect(r, !hash_equal(&content, &r->f.snapshots[0]), "content has a snapshot's id", "");
	for (uint8_t type = CHUNKTYPE_CONTENT + 1; type <= CHUNKTYPE_SUMMARY; type++) {
		if (type == CHUNKTYPE_INDEX) continue; /* has no ids */
		e = fetch_chunk(f, type, &content, &chunk, &why);
		expect(r, e == E_FORGED || e == E_NOTFOUND, "content was taken for another type", why.msg);
		if (!e) fetch_release(f, &chunk);
		e = fetch_chunk(f, CHUNKTYPE_CONTENT, &r->f.snapshots[0], &chunk, &why);
		expect(r, e == E_FORGED || e == E_NOTFOUND, "a snapshot was taken for content", why.msg);
		if (!e) fetch_release(f, &chunk);
	}
	fetch_free(f);
	testvault_close(&t);
	(void)unlink(path);
}

/* F23: the objects of another vault of the same account, under the same names, in this vault's folder. */
static void row_f23(struct rows *r) {
	struct testvault t, other;
	struct why why = { OK, "" };
	struct hash id;
	struct vault_new n = { .name = "other", .hold = 0, .chunks = testvault_chunks };
	testvault_must_open(&t, r->f.store);
	testvault_must(vault_create(&t.session, &n, &why), &why, "another vault");
	testvault_close(&t);
	testvault_must(testvault_open(&other, r->f.store, "other", &why), &why, "opening");
	testvault_must(testvault_backup(&other, r->f.tree, NULL, &id, &why), &why, "backup");
	struct hash other_id = other.vault.id;
	testvault_close(&other);
	testvault_must_open(&t, r->f.store);
	struct rawstore_copy *both = rawstore_copy(r->f.store);
	size_t count = rawstore_count(r->f.store);
	for (size_t i = 0; i < count; i++) {
		const struct rawstore_item *from = rawstore_at(r->f.store, i);
		if (from->kind != RAWSTORE_PACK || !hash_equal(&from->scope, &other_id)) continue;
		for (size_t k = 0; k < count; k++) {
			const struct rawstore_item *to = rawstore_at(r->f.store, k);
			if (to->kind != RAWSTORE_PACK || !hash_equal(&to->scope, &r->f.vault)) continue;
			rawstore_replace(r->f.store, k, span_of(from->bytes, from->len));
			expect_honest(r, &t);
			rawstore_set(r->f.store, both);
			from = rawstore_at(r->f.store, i);
		}
		/* as a pack of its own too */
		struct rawstore_item more = *from;
		more.scope = r->f.vault;
		rawstore_add(r->f.store, &more);
		expect_honest(r, &t);
		rawstore_set(r->f.store, both);
	}
	testvault_close(&t);
	/* the other vault's chain under this one's name */
	for (size_t i = 0; i < rawstore_count(r->f.store); i++) {
		struct rawstore_item *item = rawstore_at(r->f.store, i);
		if (item->kind != RAWSTORE_ENTRY) continue;
		if (hash_equal(&item->scope, &r->f.vault)) item->scope = other_id;
		else if (hash_equal(&item->scope, &other_id)) item->scope = r->f.vault;
	}
	enum err e = testvault_open(&t, r->f.store, "main", &why);
	expect(r, e == E_FORGED || e == E_ROLLBACK, "another vault's chain is taken", why.msg);
	if (!e) testvault_close(&t);
	rawstore_copy_free(both);
}

/* F13, F14, X07: each pack taken away: an error, and a file in the target that was there before stays. */
static void row_f14(struct rows *r) {
	struct testvault t;
	char out[SCRATCH_MAX], path[3 * SCRATCH_MAX], command[4 * SCRATCH_MAX];
	unsigned lost = 0;
	testvault_must_open(&t, r->f.store);
	for (size_t i = 0; i < rawstore_count(r->f.store); i++) {
		struct restore_result result;
		struct why why = { OK, "" };
		if (rawstore_at(r->f.store, i)->kind != RAWSTORE_PACK) continue;
		rawstore_remove(r->f.store, i);
		(void)scratch_join(out, r->f.folder, "out");
		struct restore_options o = {
			.snapshot = r->f.snapshots[2],
			.target = out,
			.threads = 1,
			.overwrite = RESTORE_ALWAYS,
		};
		(void)snprintf(
			command, sizeof command, "rm -rf '%s'; mkdir -p '%s%s'", out, out, r->f.tree);
		if (system(command) != 0) abort(); /* NOLINT */
		(void)snprintf(path, sizeof path, "%s%s/data", out, r->f.tree);
		scratch_write(path, "before", 6);
		enum err e = restore_run(&t.vault, &o, &result, &why);
		struct stat st;
		bool kept = stat(path, &st) == 0;
		expect(r, kept, "a file that was there is gone", "");
		bool damaged = e != OK || result.counts[RESTORE_NOT_READ] > 0;
		bool whole = kept && st.st_size == 70000;
		expect(r, damaged || whole, "a missing pack was no error", why.msg);
		expect(r, !kept || st.st_size == 6 || whole, "half a file", "");
		lost += damaged;
		rawstore_set(r->f.store, r->all);
	}
	expect(r, lost > 0, "no pack was needed: no test", "");
	testvault_close(&t);
}

/* X03: other bytes under the name of a pack, an entry or an object that is there. */
static void row_x03(struct rows *r) {
	struct why why = { OK, "" };
	for (size_t i = 0; i < rawstore_count(r->f.store); i++) {
		struct rawstore_item item = *rawstore_at(r->f.store, i);
		uint8_t *bytes = malloc(item.len);
		if (!bytes) abort();
		memcpy(bytes, item.bytes, item.len);
		bytes[item.len / 2] ^= 1;
		struct span changed = span_of(bytes, item.len);
		enum err e = E_USAGE;
		switch (item.kind) {
		case RAWSTORE_PACK:
			e = store_pack_put(r->f.store, &item.scope, &item.name, changed, &why);
			break;
		case RAWSTORE_ENTRY:
			e = store_chain_append(r->f.store, &item.scope, item.sequence, changed, &why);
			break;
		case RAWSTORE_OBJECT: e = store_object_put(r->f.store, &item.name, changed, &why); break;
		case RAWSTORE_LOCATOR: e = store_locator_put(r->f.store, &item.name, changed, &why); break;
		}
		expect(r, e == E_USAGE || e == E_BUSY || e == E_EXISTS, "other bytes were taken",
			rawstore_kind_text(item.kind));
		const struct rawstore_item *now = rawstore_at(r->f.store, i);
		expect(r, now->len == item.len && memcmp(now->bytes, bytes, item.len) != 0,
			"other bytes are there", "");
		free(bytes);
	}
}

/* F25: a version or a suite other than this one, asked for by the data: the first four bytes of each object. */
static void row_f25(struct rows *r) {
	for (size_t i = 0; i < rawstore_count(r->f.store); i++) {
		for (int version = 0; version < 256; version += 51) {
			struct testvault t;
			struct why why = { OK, "" };
			struct rawstore_item *item = rawstore_at(r->f.store, i);
			if (item->len < 4 || item->bytes[3] == version) continue;
			uint8_t was = item->bytes[3];
			item->bytes[3] = (uint8_t)version;
			enum err e = testvault_open(&t, r->f.store, "main", &why);
			if (e) {
				expect(r, e == E_FORGED || e == E_UNSUPPORTED || e == E_ROLLBACK, "an odd error",
					why.msg);
			} else {
				expect(r,
					item->kind == RAWSTORE_PACK || item->kind == RAWSTORE_LOCATOR ||
						item->kind == RAWSTORE_OBJECT,
					"an entry of another version was taken", "");
				expect_honest(r, &t);
				testvault_close(&t);
			}
			item->bytes[3] = was;
		}
	}
}

static const struct {
	const char *name;
	void (*run)(struct rows *r);
} table[] = {
	{ "R10", row_r10 }, { "F08", row_f08 }, { "F23", row_f23 }, { "F14", row_f14 },
	{ "X03", row_x03 }, { "F25", row_f25 },
	{ "R03", row_r03 }, /* last: it leaves the device in a fork */
};

int main(int argc, char **argv) {
	static struct rows r;
	fullstore_make(&r.f);
	r.all = rawstore_copy(r.f.store);
	struct testvault t;
	testvault_must_open(&t, r.f.store);
	struct fetch *f = fetch_of(&t);
	for (size_t i = 0; i < FULLSTORE_SNAPSHOTS; i++) {
		struct why why = { OK, "" };
		testvault_must(testvault_see(f, &r.f.snapshots[i], &r.whole[i], &why), &why, "reading");
	}
	fetch_free(f);
	testvault_close(&t);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (argc > 1 && strcmp(argv[1], table[i].name) != 0) continue;
		struct stat st;
		char home[SCRATCH_MAX], command[3 * SCRATCH_MAX];
		/* each row begins with the store and the device as they were */
		rawstore_set(r.f.store, r.all);
		(void)scratch_join(home, r.f.folder, table[i].name);
		(void)snprintf(command, sizeof command, "cp -a '%s/home' '%s'", r.f.folder, home);
		if (stat(home, &st) == 0 || system(command) != 0) abort(); /* NOLINT */
		(void)setenv("BROCH_HOME", home, 1);
		r.row = table[i].name;
		r.row_failed = false;
		r.cases = 0;
		table[i].run(&r);
		printf("%s  %s: %u cases\n", r.row_failed ? "FAIL" : "ok  ", table[i].name, r.cases);
		(void)fflush(stdout);
		r.passed += !r.row_failed;
		r.failed += r.row_failed;
	}
	for (size_t i = 0; i < FULLSTORE_SNAPSHOTS; i++) testvault_seen_done(&r.whole[i]);
	rawstore_copy_free(r.all);
	fullstore_done(&r.f);
	printf("%u passed, %u failed\n", r.passed, r.failed);
	return r.failed != 0 || r.passed == 0;
}
