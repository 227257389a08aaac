/* client/treewalk: every chunk that a tree needs is said, before it is read; what was walked before can be passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "client/treewalk.h"
#include "format/snapshot.h"
#include "rawbox.h"
#include "storesuite.h"

enum { MAX = 4000, DEEP = 3000, BIG = 100000, LONG = 1000000, LONG_MIB = 16 };

static struct rawbox *box;
static struct craft craft;
static struct fetch *fetch;

static int setup(void **state) {
	if (rawbox_setup(state)) return -1;
	box = *state;
	fetch = NULL;
	craft_begin(&craft, &box->t);
	return 0;
}

static int teardown(void **state) {
	craft_drop(&craft);
	fetch_free(fetch);
	return rawbox_teardown(state);
}

static struct hash done(const struct streamref *root) {
	struct hash snapshot = craft_end(&craft, root, 0, 0);
	fetch = rawbox_fetch(box, 1);
	return snapshot;
}

static struct streamref content(size_t len, uint64_t seed) {
	uint8_t *bytes = malloc(len);
	assert_non_null(bytes);
	storesuite_bytes(bytes, len, seed);
	struct streamref ref = craft_content(&craft, span_of(bytes, len));
	free(bytes);
	return ref;
}

static void add_file(struct buf *entries, const char *name, const struct streamref *ref) {
	struct direntry d = craft_file(name, ref);
	craft_add(entries, &d);
}

static void add_folder(struct buf *entries, const char *name, const struct streamref *ref) {
	struct direntry d = craft_directory(name, ref);
	craft_add(entries, &d);
}

/* The folder of these entries, which are forgotten. */
static struct streamref folder(struct buf *entries) {
	struct streamref ref = craft_folder(&craft, entries);
	buf_free(entries);
	return ref;
}

/* --- walking */

struct visit {
	uint8_t type;
	struct hash id;
	uint64_t length;
};

struct walk {
	struct visit all[MAX];
	size_t count;
	bool skip_known; /* folders that were gone into before are passed over */
	struct hash folders[MAX];
	size_t folder_count;
	struct hash end_at; /* zero: nowhere */
};

static size_t times(const struct walk *w, const struct hash *id) {
	size_t n = 0;
	for (size_t i = 0; i < w->count; i++) n += hash_equal(&w->all[i].id, id);
	return n;
}

static enum err visit(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why) {
	struct walk *w = ctx;
	if (hash_equal(id, &w->end_at)) return why_set(why, E_BUSY, "enough");
	assert_true(w->count < MAX);
	w->all[w->count++] = (struct visit){ type, *id, length };
	return OK;
}

static bool was_walked(void *ctx, const struct hash *id) {
	struct walk *w = ctx;
	for (size_t i = 0; i < w->folder_count; i++)
		if (hash_equal(&w->folders[i], id)) return true;
	assert_true(w->folder_count < MAX);
	w->folders[w->folder_count++] = *id;
	return false;
}

static enum err walk_on(struct walk *w, const struct streamref *root, struct why *why) {
	struct treewalk t = {
		.fetch = fetch, .chunk = visit, .folder = w->skip_known ? was_walked : NULL, .ctx = w
	};
	*why = (struct why){ OK, "" };
	return treewalk_run(&t, root, why);
}

static struct walk *new_walk(void) {
	struct walk *w = calloc(1, sizeof *w);
	assert_non_null(w);
	return w;
}

/* A tree with everything: small and large files, holes in between, empty ones, folders in folders. */
struct tree {
	struct streamref root, small, large, big_folder, inner;
};

static struct tree make_tree(void) {
	struct tree t;
	struct buf entries;
	struct streamref empty = { .length = 0 };
	char name[16];
	t.small = content(100, 1);
	t.large = content(BIG, 2);
	assert_true(t.large.depth >= 2);
	buf_init(&entries, 1 << 20);
	add_file(&entries, "small", &t.small);
	t.inner = folder(&entries);
	for (unsigned i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof name, "%04u", i);
		add_file(&entries, name, &empty);
	}
	t.big_folder = folder(&entries);
	assert_true(t.big_folder.depth >= 1);
	add_folder(&entries, "big", &t.big_folder);
	add_file(&entries, "empty", &empty);
	add_folder(&entries, "emptyfolder", &empty);
	add_folder(&entries, "inner", &t.inner);
	add_file(&entries, "large", &t.large);
	struct direntry link = craft_link("link", "/elsewhere");
	craft_add(&entries, &link);
	t.root = folder(&entries);
	return t;
}

/* --- every chunk of the vault's packs */

struct tables {
	struct packread *packs;
	const struct walk *w;
	size_t chunks;
};

static enum err compare_table(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct tables *t = ctx;
	struct packtable table;
	struct packtable_block b;
	struct buf bytes;
	buf_init(&bytes, LIMIT_PACK);
	enum err e = packread_table(t->packs, name, size, &table, &bytes, why);
	for (struct span rest = table.blocks; !e && packtable_next(&rest, &b);) {
		if (b.type > CHUNKTYPE_LIST) continue;
		for (size_t i = 0; i < hashlist_count(&b.ids); i++) {
			struct hash id = hashlist_at(&b.ids, i);
			assert_true(times(t->w, &id) > 0);
			t->chunks++;
		}
	}
	buf_free(&bytes);
	return e;
}

/* What was stored for the tree is what is needed for it, no more and no less. */
static void every_chunk_is_said(void **state) {
	(void)state;
	struct tree tree = make_tree();
	struct walk *w = new_walk();
	struct why why = { OK, "" };
	(void)done(&tree.root);
	w->skip_known = true;
	rawbox_ok(walk_on(w, &tree.root, &why), &why);
	struct tables t = { .packs = fetch_packs(fetch), .w = w };
	rawbox_ok(store_pack_list(box->raw, &box->t.vault.id, compare_table, &t, &why), &why);
	size_t different = 0;
	for (size_t i = 0; i < w->count; i++) {
		bool again = false;
		for (size_t k = 0; k < i && !again; k++) again = hash_equal(&w->all[k].id, &w->all[i].id);
		different += !again;
	}
	assert_int_equal(t.chunks, different);
	/* types and lengths */
	assert_int_equal(w->all[0].type, tree.root.depth ? CHUNKTYPE_LIST : CHUNKTYPE_DIRECTORY);
	uint64_t large = 0;
	for (size_t i = 0; i < w->count; i++) {
		if (hash_equal(&w->all[i].id, &tree.small.id)) {
			assert_int_equal(w->all[i].type, CHUNKTYPE_CONTENT);
			assert_int_equal(w->all[i].length, 100);
		} else if (w->all[i].type == CHUNKTYPE_CONTENT) {
			large += w->all[i].length;
		}
		if (hash_equal(&w->all[i].id, &tree.large.id))
			assert_int_equal(w->all[i].type, CHUNKTYPE_LIST);
	}
	assert_int_equal(large, BIG);
	free(w);
}

/* Two folders alike: gone into twice, or once where the walk is told that it knows the first. */
static void what_is_known_is_passed_over(void **state) {
	(void)state;
	struct tree tree = make_tree();
	struct buf entries;
	struct walk *w = new_walk();
	struct why why = { OK, "" };
	buf_init(&entries, 4096);
	add_folder(&entries, "one", &tree.inner);
	add_folder(&entries, "two", &tree.inner);
	struct streamref root = folder(&entries);
	(void)done(&root);
	rawbox_ok(walk_on(w, &root, &why), &why);
	assert_int_equal(times(w, &tree.inner.id), 2);
	assert_int_equal(times(w, &tree.small.id), 2);
	w->count = 0;
	w->skip_known = true;
	rawbox_ok(walk_on(w, &root, &why), &why);
	assert_int_equal(times(w, &tree.inner.id), 1);
	assert_int_equal(times(w, &tree.small.id), 1);
	free(w);
}

/* A large folder of which one chunk is new is read: what is new may be anywhere in it. */
static void a_folder_known_in_part_is_gone_into(void **state) {
	(void)state;
	struct tree tree = make_tree();
	struct streamref empty = { .length = 0 }, new = content(100, 77);
	char name[16];
	struct walk *w = new_walk();
	struct why why = { OK, "" };
	for (unsigned where = 0; where < 300; where += 30) {
		struct buf entries;
		buf_init(&entries, 1 << 20);
		for (unsigned i = 0; i < 300; i++) {
			(void)snprintf(name, sizeof name, "%04u", i);
			add_file(&entries, name, i == where ? &new : &empty);
		}
		struct streamref changed = folder(&entries);
		fetch_free(fetch);
		(void)done(&tree.root);
		w->count = w->folder_count = 0;
		w->skip_known = true;
		rawbox_ok(walk_on(w, &tree.big_folder, &why), &why);
		assert_int_equal(times(w, &new.id), 0);
		rawbox_ok(walk_on(w, &changed, &why), &why);
		assert_int_equal(times(w, &new.id), 1);
		craft_begin(&craft, &box->t);
	}
	free(w);
}

static void what_the_caller_says_ends_it(void **state) {
	(void)state;
	struct tree tree = make_tree();
	struct why why;
	(void)done(&tree.root);
	const struct hash *ends[] = { &tree.root.id, &tree.large.id, &tree.small.id, &tree.inner.id };
	for (size_t i = 0; i < 4; i++) {
		struct walk *w = new_walk();
		w->end_at = *ends[i];
		assert_int_equal(walk_on(w, &tree.root, &why), E_BUSY);
		assert_string_equal(why.msg, "enough");
		assert_int_equal(times(w, ends[i]), 0);
		free(w);
	}
}

/* Chunks that are nowhere: said first, of whatever kind. */
static void a_chunk_is_said_before_it_is_read(void **state) {
	(void)state;
	struct hash nowhere = storesuite_id(4);
	struct streamref gone[] = {
		{ .length = 100, .id = nowhere },                /* a folder */
		{ .length = 100000, .depth = 1, .id = nowhere }, /* its list */
	};
	struct buf entries;
	buf_init(&entries, 4096);
	add_file(&entries, "file", &gone[1]);
	struct streamref root = folder(&entries);
	(void)done(&root);
	const struct streamref *roots[] = { &gone[0], &gone[1], &root };
	for (size_t i = 0; i < 3; i++) {
		struct walk *w = new_walk();
		struct why why;
		assert_int_equal(walk_on(w, roots[i], &why), E_FORGED);
		assert_int_equal(times(w, &nowhere), 1);
		w->end_at = nowhere;
		assert_int_equal(walk_on(w, roots[i], &why), E_BUSY);
		free(w);
	}
}

/* --- what cannot be read */

/* A folder that is cut short: what stands before it is said, then it ends. */
static void a_folder_that_is_malformed(void **state) {
	(void)state;
	struct tree tree = make_tree();
	struct buf entries;
	struct streamref other = content(100, 6);
	struct walk *w = new_walk();
	struct why why;
	buf_init(&entries, 4096);
	add_file(&entries, "first", &tree.small);
	add_file(&entries, "second", &other);
	entries.len -= 3;
	struct streamref torn = folder(&entries);
	add_folder(&entries, "a", &torn);
	add_folder(&entries, "b", &tree.inner);
	struct streamref root = folder(&entries);
	(void)done(&root);
	assert_int_equal(walk_on(w, &root, &why), E_FORGED);
	assert_int_equal(why.code, E_FORGED);
	assert_int_equal(times(w, &tree.small.id), 1);
	assert_int_equal(times(w, &other.id), 0);
	assert_int_equal(times(w, &tree.inner.id), 0);
	free(w);
}

static void of_another_origin(void **state) {
	(void)state;
	struct tree tree = make_tree();
	struct walk *w = new_walk();
	struct why why;
	(void)done(&tree.root);
	tree.root.origin.kind = ORIGIN_OWN + 1;
	assert_int_equal(walk_on(w, &tree.root, &why), E_UNSUPPORTED);
	assert_int_equal(w->count, 0);
	free(w);
}

static void lists_that_are_malformed(void **state) {
	(void)state;
	struct streamref_item items[3];
	uint8_t bytes[3 * SIZE_STREAM_ITEM];
	struct why why = { OK, "" };
	for (uint64_t i = 0; i < 3; i++)
		items[i] = (struct streamref_item){ .id = storesuite_id(i), .length = 5 };
	for (size_t i = 0; i < 3; i++) streamref_item_encode(&items[i], bytes + i * SIZE_STREAM_ITEM);
	struct streamref good = { .length = 15, .depth = 1 }, torn = good, zero = good;
	rawbox_ok(
		storing_chunk(craft.storing, CHUNKTYPE_LIST, span_of(bytes, sizeof bytes), &good.id, &why),
		&why);
	rawbox_ok(storing_chunk(
				  craft.storing, CHUNKTYPE_LIST, span_of(bytes, sizeof bytes - 1), &torn.id, &why),
		&why);
	memset(bytes + SIZE_STREAM_ITEM + HASH_SIZE, 0, 3);
	rawbox_ok(
		storing_chunk(craft.storing, CHUNKTYPE_LIST, span_of(bytes, sizeof bytes), &zero.id, &why),
		&why);
	struct buf entries;
	struct streamref roots[3];
	const struct streamref *files[] = { &good, &torn, &zero };
	buf_init(&entries, 4096);
	for (size_t i = 0; i < 3; i++) {
		add_file(&entries, "file", files[i]);
		roots[i] = folder(&entries);
	}
	(void)done(&roots[0]);
	for (size_t i = 0; i < 3; i++) {
		struct walk *w = new_walk();
		assert_int_equal(walk_on(w, &roots[i], &why), i ? E_FORGED : OK);
		free(w);
	}
}

static void a_store_that_fails(void **state) {
	(void)state;
	struct tree tree = make_tree();
	struct walk *w = new_walk();
	struct why why;
	(void)done(&tree.root);
	rawbox_fail(box, FAULTY_PACK_GET, E_IO);
	assert_int_equal(walk_on(w, &tree.root, &why), E_IO);
	assert_int_equal(why.code, E_IO);
	faulty_clear(box->store);
	assert_int_equal(walk_on(w, &tree.root, &why), OK);
	free(w);
}

/* Folders in folders, deeper than any stack. */
static void a_deep_tree(void **state) {
	(void)state;
	struct streamref at = { .length = 0 };
	struct walk *w = new_walk();
	struct why why;
	struct buf entries;
	buf_init(&entries, 4096);
	for (unsigned i = 0; i < DEEP; i++) {
		add_folder(&entries, "folder", &at);
		at = folder(&entries);
	}
	(void)done(&at);
	rawbox_ok(walk_on(w, &at, &why), &why);
	assert_int_equal(w->count, DEEP);
	free(w);
}

static enum err count_only(
	void *ctx, uint8_t type, const struct hash *id, uint64_t length, struct why *why) {
	size_t *n = ctx;
	(void)id;
	(void)length;
	(void)why;
	*n += type == CHUNKTYPE_CONTENT;
	return OK;
}

static long peak(void) {
	struct rusage u;
	assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
	return u.ru_maxrss;
}

/* The lists of one file of LONG chunks are 33 MiB: they are not in memory together. */
static void memory_does_not_grow_with_a_file(void **state) {
	(void)state;
	struct storing_stream s;
	struct streamref ref;
	struct why why = { OK, "" };
	struct buf entries;
	size_t n = 0;
	struct streamref chunk = content(100, 1);
	storing_stream_init(&s);
	for (size_t i = 0; i < LONG; i++)
		rawbox_ok(storing_stream_add(craft.storing, &s, &chunk.id, 100, &why), &why);
	rawbox_ok(storing_stream_end(craft.storing, &s, &ref, &why), &why);
	storing_stream_done(&s);
	buf_init(&entries, 4096);
	add_file(&entries, "long", &ref);
	struct streamref root = folder(&entries);
	(void)done(&root);
	struct treewalk t = { .fetch = fetch, .chunk = count_only, .ctx = &n };
	long before = peak();
	rawbox_ok(treewalk_run(&t, &root, &why), &why);
	assert_int_equal(n, LONG);
	assert_true(peak() - before < LONG_MIB * 1024);
}

/* --- the snapshot */

static void the_snapshot_object(void **state) {
	(void)state;
	struct tree tree = make_tree();
	struct snapshot s;
	struct buf bytes;
	struct hash bad, none = storesuite_id(2);
	struct why why = { OK, "" };
	rawbox_ok(
		storing_chunk(craft.storing, CHUNKTYPE_SNAPSHOT, span_text("\1 no snapshot"), &bad, &why),
		&why);
	struct hash id = done(&tree.root), newer;
	buf_init(&bytes, LIMIT_SNAPSHOT);
	assert_int_equal(buf_add(&bytes, span_text("what was there")), OK);
	rawbox_ok(treewalk_snapshot(fetch, &id, &s, &bytes, &why), &why);
	assert_true(streamref_equal(&s.root, &tree.root));
	assert_true(span_equal(s.host, span_text("host")));
	assert_int_equal(treewalk_snapshot(fetch, &bad, &s, &bytes, &why), E_FORGED);
	assert_int_equal(why.code, E_FORGED);
	assert_int_equal(treewalk_snapshot(fetch, &none, &s, &bytes, &why), E_FORGED);
	assert_int_equal(why.code, E_FORGED);
	/* of a later version: no damage */
	rawbox_ok(treewalk_snapshot(fetch, &id, &s, &bytes, &why), &why);
	bytes.ptr[0]++;
	craft_begin(&craft, &box->t);
	rawbox_ok(
		storing_chunk(craft.storing, CHUNKTYPE_SNAPSHOT, buf_span(&bytes), &newer, &why), &why);
	fetch_free(fetch);
	(void)done(&tree.root);
	assert_int_equal(treewalk_snapshot(fetch, &newer, &s, &bytes, &why), E_UNSUPPORTED);
	assert_int_equal(why.code, E_UNSUPPORTED);
	/* a folder is no snapshot, whatever its bytes */
	assert_int_equal(treewalk_snapshot(fetch, &tree.root.id, &s, &bytes, &why), E_FORGED);
	buf_free(&bytes);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_does_not_grow_with_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(every_chunk_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_known_is_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_known_in_part_is_gone_into, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_caller_says_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chunk_is_said_before_it_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_that_is_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(of_another_origin, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_that_are_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deep_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(the_snapshot_object, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
