#include "store/chains.h"

#include <inttypes.h>

#include "base/mem.h"
#include "os/file.h"
#include "store/segment.h"

/* Of so many entries or fewer, reading them one by one is quicker than reading their segment. */
enum { KNOWN = 16, FEW = 16 };

struct known {
	struct hash chain;
	uint64_t length; /* once seen; 0: free */
};

struct chains {
	struct folder *folder;
	struct mutex lock; /* over what follows */
	struct known known[KNOWN];
	unsigned next;
};

struct chains *chains_new(struct folder *f) {
	struct chains *c = mem_zalloc(sizeof *c);
	if (!c) return NULL;
	c->folder = f;
	mutex_init(&c->lock);
	return c;
}

void chains_free(struct chains *c) {
	if (!c) return;
	mutex_done(&c->lock);
	mem_free(c);
}

static uint64_t recall(struct chains *c, const struct hash *chain) {
	uint64_t length = 0;
	mutex_lock(&c->lock);
	for (int i = 0; i < KNOWN; i++)
		if (hash_equal(&c->known[i].chain, chain)) length = c->known[i].length;
	mutex_unlock(&c->lock);
	return length;
}

static void remember(struct chains *c, const struct hash *chain, uint64_t length) {
	mutex_lock(&c->lock);
	struct known *k = NULL;
	for (int i = 0; i < KNOWN; i++)
		if (hash_equal(&c->known[i].chain, chain)) k = &c->known[i];
	if (!k) k = &c->known[c->next++ % KNOWN];
	*k = (struct known){ .chain = *chain, .length = length };
	mutex_unlock(&c->lock);
}

static enum err has(
	struct chains *c, const struct hash *chain, uint64_t seq, bool *yes, struct why *why) {
	struct folder_path path = folder_entry(chain, seq);
	uint64_t size;
	enum err e = folder_look(c->folder, &path, &size, why);
	if (e != OK && e != E_NOTFOUND) return e;
	*yes = e == OK;
	return OK;
}

/* Entries have no gaps: the first that is missing is found by doubling steps, then by halving. */
enum err chains_length(
	struct chains *c, const struct hash *chain, uint64_t *length, struct why *why) {
	uint64_t low = recall(c, chain); /* so many there are; unless the store has lost some */
	bool yes = true;
	enum err e = OK;
	if (low > 0) e = has(c, chain, low - 1, &yes, why);
	if (e != OK) return e;
	if (!yes) low = 0;
	uint64_t high = low; /* looked at next, in the end the one that is missing */
	for (uint64_t step = 1;; step *= 2) {
		e = has(c, chain, high, &yes, why);
		if (e != OK) return e;
		if (!yes) break;
		low = high + 1;
		if (high > INT64_MAX - 2 * step)
			return why_set(why, E_FORMAT, "the store shows a chain without end");
		high += step;
	}
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		e = has(c, chain, middle, &yes, why);
		if (e != OK) return e;
		if (yes) low = middle + 1;
		else high = middle;
	}
	remember(c, chain, low);
	*length = low;
	return OK;
}

static enum err check_before(
	struct chains *c, const struct hash *chain, uint64_t seq, struct why *why) {
	if (seq == 0) {
		struct folder_path path = folder_chain(chain);
		return folder_make(c->folder, path.text, why);
	}
	bool yes;
	enum err e = has(c, chain, seq - 1, &yes, why);
	if (e != OK || yes) return e;
	return why_set(why, E_NOTFOUND, "the store does not have the chain's entry %" PRIu64, seq - 1);
}

/*
 * The entry's name, and the chain's, become durable: also where another process made them and is
 * not there yet.
 */
static enum err sync_entry(
	struct chains *c, const struct hash *chain, uint64_t seq, struct why *why) {
	struct folder_path path = folder_chain(chain);
	enum err e = folder_sync(c->folder, path.text, why);
	if (e == OK && seq == 0) e = folder_sync(c->folder, "chains", why);
	return e;
}

enum err chains_append(
	struct chains *c, const struct hash *chain, uint64_t seq, struct span bytes, struct why *why) {
	enum err e = check_before(c, chain, seq, why);
	if (e != OK) return e;
	struct folder_path path = folder_entry(chain, seq);
	e = folder_place(c->folder, &path, bytes, false, why);
	if (e == E_EXISTS)
		return why_set(
			why, E_BUSY, "somebody else has appended entry %" PRIu64 " to the chain", seq);
	/* Where a folder vanished under our hands: not the E_NOTFOUND that callers act on. */
	if (e == E_NOTFOUND) return why_set(why, E_IO, "a folder of the store has vanished");
	if (e != OK) return e;
	e = sync_entry(c, chain, seq, why);
	if (e != OK) return e;
	remember(c, chain, seq + 1);
	if (seq % FOLDER_SEGMENT == FOLDER_SEGMENT - 1) {
		uint64_t base = seq - (FOLDER_SEGMENT - 1);
		segment_write(c->folder, chain, base);
		/* The one before is missing where its last writer was killed. */
		if (base >= FOLDER_SEGMENT) segment_write(c->folder, chain, base - FOLDER_SEGMENT);
	}
	return OK;
}

struct reading {
	struct chains *chains;
	const struct hash *chain;
	uint64_t next;
	store_chain_visit *visit;
	void *ctx;
	struct buf bytes;
	bool end;
};

/* The entries before ${until} that are still to be read, one by one. */
static enum err read_single(struct reading *r, uint64_t until, struct why *why) {
	while (r->next < until) {
		struct folder_path path = folder_entry(r->chain, r->next);
		buf_clear(&r->bytes);
		enum err e =
			file_read_whole(r->chains->folder->root, path.text, STORE_ENTRY_MAX, &r->bytes, why);
		if (e == E_NOTFOUND) {
			r->end = true;
			return OK;
		}
		if (e == E_LIMIT)
			return why_set(why, E_FORMAT, "the chain's entry %" PRIu64 " is too large", r->next);
		if (e != OK) return e;
		e = r->visit(r->ctx, r->next, buf_span(&r->bytes), why);
		if (e != OK) return e;
		r->next++;
	}
	return OK;
}

/* What is still to be read of the segment from ${base} on. */
static enum err read_segment(struct reading *r, uint64_t base, struct why *why) {
	struct span rest = buf_span(&r->bytes);
	for (uint64_t seq = base; seq < base + FOLDER_SEGMENT; seq++) {
		struct span entry = segment_next(&rest);
		if (seq < r->next) continue;
		enum err e = r->visit(r->ctx, seq, entry, why);
		if (e != OK) return e;
		r->next = seq + 1;
	}
	return OK;
}

enum err chains_read(struct chains *c, const struct hash *chain, uint64_t from, enum store_read how,
	store_chain_visit *visit, void *ctx, struct why *why) {
	if (from >= INT64_MAX) return OK;
	struct reading r = { .chains = c, .chain = chain, .next = from, .visit = visit, .ctx = ctx };
	buf_init(&r.bytes, SEGMENT_MAX);
	enum err e = OK;
	while (e == OK && !r.end) {
		uint64_t base = r.next - r.next % FOLDER_SEGMENT;
		uint64_t until = base + FOLDER_SEGMENT;
		if (how == STORE_READ_FAST && until - r.next > FEW &&
			segment_read(c->folder, chain, base, &r.bytes) == OK)
			e = read_segment(&r, base, why);
		else e = read_single(&r, until, why);
	}
	buf_free(&r.bytes);
	return e;
}

struct listing {
	struct chains *chains;
	store_name_visit *visit;
	void *ctx;
};

/* A folder without a first entry is what a killed writer left: not a chain. */
static enum err list_chain(void *ctx, const struct dirent *entry, struct why *why) {
	const struct listing *l = ctx;
	struct hash name;
	if (hash_parse_hex(&name, span_text(entry->d_name)) != OK) return OK;
	bool yes;
	enum err e = has(l->chains, &name, 0, &yes, why);
	if (e != OK || !yes) return e;
	return l->visit(l->ctx, &name, why);
}

enum err chains_list(struct chains *c, store_name_visit *visit, void *ctx, struct why *why) {
	struct listing l = { .chains = c, .visit = visit, .ctx = ctx };
	int fd = -1;
	enum err e = file_open_folder(c->folder->root, "chains", &fd, why);
	if (e == E_NOTFOUND) return OK;
	if (e != OK) return e;
	e = file_list(fd, ".", list_chain, &l, why);
	file_close(&fd);
	return e;
}
