/*
 * client/treecache. The first byte says how the rest is taken: 0, as the file; else as records without their heads, each
 * behind its length (u16), which are put into a file with right checksums, the last as the root's. What can be read of it
 * is read; then a run is added to it.
 */
#include <assert.h>
#include <string.h>

#include "base/little.h"
#include "base/reader.h"
#include "base/writer.h"
#include "client/treecache.h"
#include "format/direntry.h"
#include "scratch.h"

enum {
	HEAD = 64,
	FOOT = 8 + HASH_SIZE + 8 + 8 + HASH_SIZE,
	RECORDS_MAX = 64,
	DEPTH_MAX = 3,
	LOOKS_MAX = 200,
	FILE_MAX = 1 << 20,
};

static const uint8_t magic[8] = { 'b', 'r', 'o', 't', 'r', 'e', 'e', 1 };
static const uint8_t key[HASH_SIZE] = { 7 };
static const struct hash snapshot = { { 9 } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_checked(struct buf *b, struct span body) {
	struct hash sum;
	hash_keyed(&sum, key, body);
	assert(buf_add(b, hash_span(&sum)) == OK);
}

static void make(struct buf *b, struct span in) {
	struct reader r = reader_over(in);
	struct writer w = writer_to(b);
	uint64_t root = 0;
	writer_raw(&w, span_of(magic, sizeof magic));
	writer_zero(&w, HEAD - sizeof magic);
	for (int i = 0; i < RECORDS_MAX && reader_more(&r); i++) {
		uint16_t len = reader_u16(&r);
		if (len > r.rest.len) len = (uint16_t)r.rest.len;
		struct span body = reader_raw(&r, len);
		root = b->len;
		writer_u32(&w, len);
		put_checked(b, body);
		writer_raw(&w, body);
	}
	size_t foot = b->len;
	writer_raw(&w, span_of(magic, sizeof magic));
	writer_raw(&w, hash_span(&snapshot));
	writer_u64(&w, root);
	writer_u64(&w, b->len);
	assert(writer_finish(&w) == OK);
	put_checked(b, span_skip(buf_span(b), foot));
	little_put64(b->ptr + sizeof magic, b->len);
}

/* Reads a record and those it names. */
static void walk(const struct treecache *c, uint64_t record, int depth, int *looks) {
	struct treecache_folder folder;
	struct treecache_entry entry;
	struct direntry d;
	if (treecache_folder_open(c, record, &folder) != OK) return;
	while (--*looks > 0 && treecache_folder_next(&folder, &entry)) {
		assert(entry.name.len <= entry.body.len);
		if (direntry_decode(&d, entry.body) == OK) assert(span_equal(d.name, entry.name));
		if (depth < DEPTH_MAX) walk(c, entry.folder, depth + 1, looks);
	}
}

/* A run on top of it, of one folder with one entry, and the cache as the next run finds it. */
static void add_run(struct treecache *c, int at) {
	static const struct treecache_print print = { .inode = 1, .mode = 0100644 };
	static const uint8_t body[] = { 1, 1, 'a' };
	static const struct hash next = { { 10 } };
	struct hash got;
	struct buf b;
	uint64_t record = 0, root = 0;
	int looks = LOOKS_MAX;
	buf_init(&b, TREECACHE_RECORD_MAX);
	assert(treecache_record_begin(&b, span_text("ref"), 1) == OK);
	assert(treecache_record_add(&b, &print, 0, span_of(body, sizeof body)) == OK);
	assert(treecache_append(c, &b, &record) == OK && record >= HEAD);
	treecache_commit(c, &next, record);
	treecache_free(c);
	buf_free(&b);
	assert(treecache_open(&c, at, "tree", key, NULL) == OK);
	assert(treecache_root(c, &got, &root) && hash_equal(&got, &next) && root == record);
	walk(c, root, DEPTH_MAX, &looks);
	assert(looks == LOOKS_MAX - 2);
	treecache_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static char path[SCRATCH_MAX], name[SCRATCH_MAX];
	static int at = -1;
	struct treecache *c = NULL;
	struct hash got;
	struct buf file;
	uint64_t root = 0;
	int looks = LOOKS_MAX;

	if (at < 0) {
		at = scratch_lasting(path);
		(void)scratch_join(name, path, "tree");
	}
	if (size == 0 || size > FILE_MAX) return 0;
	buf_init(&file, 4 * FILE_MAX);
	struct span rest = span_of(data + 1, size - 1);
	if (data[0] == 0) assert(buf_add(&file, rest) == OK);
	else make(&file, rest);
	scratch_write(name, file.ptr, file.len);
	buf_free(&file);
	assert(treecache_open(&c, at, "tree", key, NULL) == OK);
	if (treecache_root(c, &got, &root)) {
		assert(data[0] == 0 || hash_equal(&got, &snapshot));
		walk(c, root, 0, &looks);
	}
	add_run(c, at);
	return 0;
}
