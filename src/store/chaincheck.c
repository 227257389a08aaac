#include "store/chaincheck.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/file.h"
#include "store/segment.h"

enum { DIGITS = 16, TEXT = 160, FIRST_ROOM = 256 };

static const char segment_end[] = ".seg";

struct numbers {
	uint64_t *items;
	size_t count, room;
};

struct checking {
	struct folder *folder;
	const struct hash *chain;
	struct numbers entries, segments;
	store_copy_visit *visit;
	void *ctx;
};

static enum err add(struct numbers *n, uint64_t value) {
	if (n->count == n->room) {
		size_t room = n->room ? n->room * 2 : FIRST_ROOM;
		uint64_t *more = mem_resize(n->items, room, sizeof *more);
		if (!more) return E_NOMEM;
		n->items = more;
		n->room = room;
	}
	n->items[n->count++] = value;
	return OK;
}

static bool parse(const char *name, const char *end, uint64_t *out) {
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;
	if (strlen(name) != DIGITS + strlen(end) || strcmp(name + DIGITS, end) != 0) return false;
	for (int i = 0; i < DIGITS; i++) {
		const char *at = strchr(digits, name[i]);
		if (!at) return false;
		value = value << 4 | (uint64_t)(at - digits);
	}
	*out = value;
	return true;
}

static enum err note_name(void *ctx, const struct dirent *entry, struct why *why) {
	struct checking *c = ctx;
	uint64_t seq;
	enum err e = OK;
	if (parse(entry->d_name, "", &seq)) e = add(&c->entries, seq);
	else if (parse(entry->d_name, segment_end, &seq)) e = add(&c->segments, seq);
	return why_err(why, e, "looking at a chain's files");
}

static int ascending(const void *a, const void *b) {
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void sort(struct numbers *n) {
	if (n->count) qsort(n->items, n->count, sizeof *n->items, ascending);
}

/* The first file behind a gap. */
static enum err check_gap(struct checking *c, struct why *why) {
	char what[TEXT];
	for (size_t i = 0; i < c->entries.count; i++) {
		if (c->entries.items[i] == i) continue;
		struct folder_path path = folder_entry(c->chain, c->entries.items[i]);
		(void)snprintf(what, sizeof what, "stands behind a gap: entry %zu is missing", i);
		return c->visit(c->ctx, path.text, i, what, why);
	}
	return OK;
}

static enum err compare(
	struct checking *c, const char *place, uint64_t base, struct span rest, struct why *why) {
	struct buf one;
	char what[TEXT];
	enum err e = OK;
	buf_init(&one, STORE_ENTRY_MAX);
	for (uint64_t seq = base; seq < base + FOLDER_SEGMENT && !e; seq++) {
		struct folder_path path = folder_entry(c->chain, seq);
		struct span copy = segment_next(&rest);
		buf_clear(&one);
		enum err got = file_read_whole(c->folder->root, path.text, STORE_ENTRY_MAX, &one, NULL);
		if (!got && span_equal(copy, buf_span(&one))) continue;
		(void)snprintf(what, sizeof what, "says something else than entry %" PRIu64, seq);
		e = c->visit(c->ctx, place, seq, what, why);
		break;
	}
	buf_free(&one);
	return e;
}

static enum err check_segment(
	struct checking *c, uint64_t base, struct buf *bytes, struct why *why) {
	struct folder_path path = folder_segment(c->chain, base);
	enum err e = segment_read(c->folder, c->chain, base, bytes);
	if (e == OK) return compare(c, path.text, base, buf_span(bytes), why);
	if (e == E_NOMEM) return why_err(why, e, "looking at a chain's files");
	return c->visit(c->ctx, path.text, base,
		e == E_NOTFOUND ? "is a copy of entries that are not there" : "is damaged", why);
}

static enum err check(struct checking *c, struct why *why) {
	struct folder_path path = folder_chain(c->chain);
	struct buf bytes;
	int fd = -1;
	enum err e = file_open_folder(c->folder->root, path.text, &fd, why);
	if (e == E_NOTFOUND) return OK;
	if (!e) e = file_list(fd, ".", note_name, c, why);
	file_close(&fd);
	if (e) return e;
	sort(&c->entries);
	sort(&c->segments);
	buf_init(&bytes, SEGMENT_MAX);
	e = check_gap(c, why);
	for (size_t i = 0; i < c->segments.count && !e; i++)
		e = check_segment(c, c->segments.items[i], &bytes, why);
	buf_free(&bytes);
	return e;
}

enum err chaincheck_run(struct folder *f, const struct hash *chain, store_copy_visit *visit,
	void *ctx, struct why *why) {
	struct checking c = { .folder = f, .chain = chain, .visit = visit, .ctx = ctx };
	enum err e = check(&c, why);
	mem_free(c.entries.items);
	mem_free(c.segments.items);
	return e;
}
