#include "client/runrecord.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/little.h"
#include "base/mem.h"
#include "client/intents.h"
#include "client/places.h"
#include "client/tablejoin.h"
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

static const size_t names_max = (size_t)1 << 32;

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

/* What taking over needs. */
struct taking {
	struct runrecord *r;
	struct store *store;
	const struct hash *vault;
	struct packread *packs;
	struct span avoid;
	char prefix[80];
	struct buf rows;  /* of all records: good ones only */
	struct buf named; /* packs that indexes name, ascending */
	struct tablejoin join;
};

/* Whether nobody else sees to the pack, and it is there as the record says. */
static bool may_take(const struct taking *t, const struct hash *name, uint32_t size) {
	uint64_t there = 0;
	if (intents_has(t->avoid, name)) return false;            /* it is about to go */
	if (intents_has(buf_span(&t->named), name)) return false; /* the chain names it already */
	return store_pack_size(t->store, t->vault, name, &there, NULL) == OK && there == size;
}

/* Whether it is taken over goes to ${taken}: one that is unreadable is not. */
static enum err take_pack(struct taking *t, const struct hash *name, uint32_t size, bool *taken) {
	struct packtable table;
	struct buf bytes;
	*taken = false;
	if (!may_take(t, name, size)) return OK;
	buf_init(&bytes, LIMIT_PACK);
	enum err e = packread_table(t->packs, name, size, &table, &bytes, NULL);
	*taken = e == OK;
	if (!e) e = tablejoin_add(&t->join, name, size, &table);
	else if (e != E_NOMEM) e = OK;
	buf_free(&bytes);
	return e;
}

static int by_row(const void *a, const void *b) {
	return memcmp(a, b, ROW);
}

/* Each pack once, however often the records say it. */
static enum err take_packs(struct taking *t, const struct places *places, struct why *why) {
	size_t count = t->rows.len / ROW;
	struct hash last = { { 0 } };
	enum err e = places_names(places, &t->named);
	qsort(t->rows.ptr, count, ROW, by_row);
	for (size_t i = 0; i < count && !e; i++) {
		const uint8_t *row = t->rows.ptr + i * ROW;
		struct hash name = hash_from(row);
		bool taken;
		if (hash_equal(&name, &last)) continue;
		e = take_pack(t, &name, little_get32(row + HASH_SIZE), &taken);
		if (taken) last = name;
	}
	if (e) return why_err(why, e, "looking at what an earlier run stored");
	return tablejoin_end(&t->join, why);
}

static enum err keep_rows(struct taking *t, struct span rows) {
	enum err e = OK;
	for (size_t at = 0; at + ROW <= rows.len && !e; at += ROW)
		if (row_ok(rows.ptr + at)) e = buf_add(&t->rows, span_of(rows.ptr + at, ROW));
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
	e = e ? OK
		  : why_err(why, keep_rows(t, buf_span(&rows)), "looking at what an earlier run stored");
	buf_free(&rows);
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
	struct taking t = {
		.store = store, .vault = vault, .packs = packs, .avoid = avoid, .join = { .plan = plan }
	};
	char hex[HASH_HEX];
	struct runrecord *r = mem_zalloc(sizeof *r);
	if (!r) return why_err(why, E_NOMEM, "starting the record of this run");
	r->folder = r->fd = -1;
	buf_init(&t.rows, (size_t)TAKEN_MAX * RECORD_MAX);
	buf_init(&t.named, names_max);
	mutex_init(&r->lock);
	hash_hex(hex, vault);
	(void)snprintf(t.prefix, sizeof t.prefix, "%s-", hex);
	t.r = r;
	enum err e = start(r, state, t.prefix, why);
	if (!e) e = file_list(r->folder, ".", take_record, &t, why);
	if (!e && t.rows.len) e = take_packs(&t, places, why);
	tablejoin_done(&t.join);
	buf_free(&t.rows);
	buf_free(&t.named);
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
