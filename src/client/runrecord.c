#include "client/runrecord.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/little.h"
#include "base/mem.h"
#include "client/intents.h"
#include "client/places.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/mutex.h"

/* A record is rows of name 32, size u32, checksum 4 (of name and size): a torn row is not one. */
enum {
	ROW = HASH_SIZE + 4 + 4,
	NAME_MAX_BYTES = 128,
	RECORD_MAX = 64 << 20,
	TAKEN_MAX = 256,
	STARTS = 100
};

struct runrecord {
	int folder;
	int fd;
	char name[NAME_MAX_BYTES];
	struct mutex lock;
	char taken[TAKEN_MAX][NAME_MAX_BYTES]; /* records of dead runs, locked by their descriptors */
	int taken_fds[TAKEN_MAX];
	size_t taken_count;
};

static void row_encode(uint8_t row[ROW], const struct hash *name, uint32_t size) {
	struct hash sum;
	memcpy(row, name->b, HASH_SIZE);
	little_put32(row + HASH_SIZE, size);
	hash_of(&sum, span_of(row, HASH_SIZE + 4));
	memcpy(row + HASH_SIZE + 4, sum.b, 4);
}

static bool row_ok(const uint8_t row[ROW]) {
	struct hash sum;
	hash_of(&sum, span_of(row, HASH_SIZE + 4));
	return memcmp(row + HASH_SIZE + 4, sum.b, 4) == 0;
}

/* What taking over needs, and the cuts to join when all tables are known. */
struct taking {
	struct runrecord *r;
	struct store *store;
	const struct hash *vault;
	struct packread *packs;
	struct places *places;
	struct span avoid;
	struct indexplan *plan;
	char prefix[80];
	struct {
		struct hash name, previous;
		bool continues, has_cut;
		uint32_t number, cut_offset, rest_length;
		size_t cut_from, cut_to; /* of cut_rows */
	} * seen;
	size_t count, room;
	struct indexleaf_row *cut_rows; /* chunks of cut blocks, which are there only if the rest is */
	size_t cut_count, cut_room;
};

static enum err keep_cut_row(struct taking *t, const struct indexleaf_row *row) {
	if (t->cut_count == t->cut_room) {
		size_t room = t->cut_room ? t->cut_room * 2 : 64;
		struct indexleaf_row *more = mem_resize(t->cut_rows, room, sizeof *more);
		if (!more) return E_NOMEM;
		t->cut_rows = more;
		t->cut_room = room;
	}
	t->cut_rows[t->cut_count++] = *row;
	return OK;
}

static enum err take_block(struct taking *t, uint32_t number, const struct packtable_block *b) {
	enum err e = OK;
	for (size_t i = 0; i < hashlist_count(&b->ids) && !e; i++) {
		struct indexleaf_row row = {
			.id = hashlist_at(&b->ids, i),
			.pack = number,
			.offset = b->offset,
			.length = b->length,
			.slot = (uint16_t)i,
		};
		e = b->cut ? keep_cut_row(t, &row) : indexplan_row(t->plan, &row);
	}
	return e;
}

static enum err take_table(
	struct taking *t, const struct hash *name, uint32_t size, const struct packtable *table) {
	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		void *more = mem_resize(t->seen, room, sizeof *t->seen);
		if (!more) return E_NOMEM;
		t->seen = more;
		t->room = room;
	}
	uint32_t number;
	enum err e = indexplan_pack(t->plan, name, size, &number);
	if (e) return e;
	t->seen[t->count].name = *name;
	t->seen[t->count].previous = table->previous;
	t->seen[t->count].continues = table->continues;
	t->seen[t->count].has_cut = false;
	t->seen[t->count].number = number;
	struct span rest = table->blocks;
	struct packtable_block b;
	t->seen[t->count].cut_from = t->cut_count;
	while (!e && packtable_next(&rest, &b)) {
		e = take_block(t, number, &b);
		if (b.type == 0) t->seen[t->count].rest_length = b.length;
		if (!b.cut) continue;
		t->seen[t->count].has_cut = true;
		t->seen[t->count].cut_offset = b.offset;
	}
	t->seen[t->count].cut_to = t->cut_count;
	t->count++;
	return e;
}

static enum err take_pack(
	struct taking *t, const struct hash *name, uint32_t size, struct why *why) {
	struct packtable table;
	struct buf bytes;
	uint64_t there = 0;
	for (size_t i = 0; i < t->count; i++)
		if (hash_equal(&t->seen[i].name, name)) return OK;
	if (intents_has(t->avoid, name)) return OK;      /* it is about to go */
	if (places_has_pack(t->places, name)) return OK; /* the chain names it already */
	if (store_pack_size(t->store, t->vault, name, &there, NULL) || there != size) return OK;
	buf_init(&bytes, LIMIT_PACK);
	enum err e = packread_table(t->packs, name, size, &table, &bytes, NULL);
	if (!e) e = take_table(t, name, size, &table);
	else if (e != E_NOMEM) e = OK; /* unreadable: not reused */
	buf_free(&bytes);
	return why_err(why, e, "looking at what an earlier run stored");
}

static enum err take_rows(struct taking *t, struct span rows, struct why *why) {
	enum err e = OK;
	for (size_t at = 0; at + ROW <= rows.len && !e; at += ROW) {
		struct hash name = hash_from(rows.ptr + at);
		if (!row_ok(rows.ptr + at)) continue;
		e = take_pack(t, &name, little_get32(rows.ptr + at + HASH_SIZE), why);
	}
	return e;
}

/* A record that nobody holds a lock on is of a run that died. */
static enum err take_record(void *ctx, const struct dirent *d, struct why *why) {
	struct taking *t = ctx;
	struct runrecord *r = t->r;
	struct buf rows;
	if (strncmp(d->d_name, t->prefix, strlen(t->prefix)) != 0 || strcmp(d->d_name, r->name) == 0)
		return OK;
	if (strlen(d->d_name) >= NAME_MAX_BYTES || r->taken_count == TAKEN_MAX) return OK;
	int fd = openat(r->folder, d->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) return OK;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		file_close(&fd);
		return OK;
	}
	(void)snprintf(r->taken[r->taken_count], NAME_MAX_BYTES, "%.*s", NAME_MAX_BYTES - 1, d->d_name);
	r->taken_fds[r->taken_count++] = fd;
	buf_init(&rows, RECORD_MAX);
	enum err e = file_read_whole(r->folder, d->d_name, RECORD_MAX, &rows, NULL);
	if (!e) e = take_rows(t, buf_span(&rows), why);
	else e = OK;
	buf_free(&rows);
	return e;
}

/* A run may have died before the rest of a cut block was stored: then the block's chunks are nowhere. */
static enum err join_cuts(struct taking *t) {
	enum err e = OK;
	for (size_t i = 0; i < t->count && !e; i++)
		for (size_t k = 0; k < t->count && t->seen[i].has_cut && !e; k++) {
			if (!t->seen[k].continues || !hash_equal(&t->seen[k].previous, &t->seen[i].name))
				continue;
			struct indexhead_cut cut = {
				.pack = t->seen[i].number,
				.offset = t->seen[i].cut_offset,
				.next_pack = t->seen[k].number,
				.rest_length = t->seen[k].rest_length,
			};
			e = indexplan_cut(t->plan, &cut);
			for (size_t n = t->seen[i].cut_from; n < t->seen[i].cut_to && !e; n++)
				e = indexplan_row(t->plan, &t->cut_rows[n]);
			break;
		}
	return e;
}

/* A new record, locked. E_BUSY: another run took it for a dead one's before it was, and will remove it. */
static enum err start_once(struct runrecord *r, const char *prefix, struct why *why) {
	(void)snprintf(r->name, sizeof r->name, "%s%d-%llu", prefix, (int)getpid(),
		(unsigned long long)clock_mono_ns());
	r->fd = openat(
		r->folder, r->name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, FILE_PRIVATE);
	if (r->fd < 0) return why_errno(why, "starting the record of this run");
	if (flock(r->fd, LOCK_EX | LOCK_NB) == 0) return OK;
	if (errno != EWOULDBLOCK && errno != EINTR)
		return why_errno(why, "starting the record of this run");
	file_close(&r->fd);
	return why_set(why, E_BUSY, "the record of this run is taken again and again");
}

static enum err start(struct runrecord *r, int state, const char *prefix, struct why *why) {
	enum err e = file_make_folder(state, "runs", FOLDER_PRIVATE, why);
	if (!e) e = file_open_folder(state, "runs", &r->folder, why);
	if (e) return e;
	e = E_BUSY;
	for (int i = 0; e == E_BUSY && i < STARTS; i++) e = start_once(r, prefix, why);
	return e;
}

enum err runrecord_open(struct runrecord **out, int state, const struct hash *vault,
	struct store *store, struct packread *packs, struct places *places, struct span avoid,
	struct indexplan *plan, struct why *why) {
	struct taking t = { .store = store,
		.vault = vault,
		.packs = packs,
		.places = places,
		.avoid = avoid,
		.plan = plan };
	char hex[HASH_HEX];
	struct runrecord *r = mem_zalloc(sizeof *r);
	if (!r) return why_err(why, E_NOMEM, "starting the record of this run");
	r->folder = r->fd = -1;
	mutex_init(&r->lock);
	hash_hex(hex, vault);
	(void)snprintf(t.prefix, sizeof t.prefix, "%s-", hex);
	t.r = r;
	enum err e = start(r, state, t.prefix, why);
	if (!e) e = file_list(r->folder, ".", take_record, &t, why);
	if (!e) e = why_err(why, join_cuts(&t), "looking at what an earlier run stored");
	mem_free(t.seen);
	mem_free(t.cut_rows);
	if (e) runrecord_close(r, false);
	else *out = r;
	return e;
}

void runrecord_add(struct runrecord *r, const struct hash *name, uint32_t size) {
	uint8_t row[ROW];
	row_encode(row, name, size);
	mutex_lock(&r->lock);
	err_ignore(file_write_all(r->fd, span_of(row, sizeof row), NULL));
	mutex_unlock(&r->lock);
}

void runrecord_close(struct runrecord *r, bool committed) {
	if (!r) return;
	if (committed) {
		for (size_t i = 0; i < r->taken_count; i++) (void)unlinkat(r->folder, r->taken[i], 0);
		if (r->fd >= 0) (void)unlinkat(r->folder, r->name, 0);
	} else if (r->fd >= 0 && lseek(r->fd, 0, SEEK_END) == 0) {
		(void)unlinkat(r->folder, r->name, 0);
	}
	for (size_t i = 0; i < r->taken_count; i++) file_close(&r->taken_fds[i]);
	file_close(&r->fd);
	file_close(&r->folder);
	mutex_done(&r->lock);
	mem_free(r);
}
