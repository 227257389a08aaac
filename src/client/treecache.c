#include "client/treecache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/little.h"
#include "base/mem.h"
#include "os/file.h"
#include "os/mutex.h"

/*
 * File: head (64 bytes: magic, u64 end of the newest foot, zeros), records, foot. A record: length u32, keyed hash 32 of the rest, count u32, ref
 * length u16, ref, entries. An entry: print 40, folder u64, body length u32, body. Foot: magic, snapshot, root u64, live u64
 * (bytes of records that the root reaches, at most), keyed hash over the foot.
 */
enum {
	HEAD = 64,
	RECORD_HEAD = 4 + HASH_SIZE,
	PRINT = 40,
	ENTRY_HEAD = PRINT + 8 + 4,
	FOOT = 8 + HASH_SIZE + 8 + 8 + HASH_SIZE,
	WRITE_BUFFER = 1 << 20,
};

static const uint8_t head_magic[8] = { 'b', 'r', 'o', 't', 'r', 'e', 'e', 1 };

struct treecache {
	uint8_t key[HASH_SIZE];
	int fd;
	uint8_t *map;
	size_t map_size;
	uint64_t
		map_len; /* up to the end of the newest foot: what a run that died left behind it is not looked at */
	bool writable;
	struct hash snapshot;
	uint64_t root;
	struct mutex lock;
	uint64_t end;   /* where the next record goes */
	uint64_t added; /* bytes of records in this run */
	struct buf unwritten;
};

static void give_up(struct treecache *c) {
	c->writable = false;
	buf_free(&c->unwritten);
}

static void forget(struct treecache *c) {
	c->root = 0;
	c->end = HEAD;
}

/* Reads the foot; anything odd about it makes the cache an empty one. */
static void read_foot(struct treecache *c) {
	struct hash sum;
	forget(c);
	c->map_len = 0;
	if (memcmp(c->map, head_magic, sizeof head_magic) != 0) return;
	uint64_t end = little_get64(c->map + sizeof head_magic);
	if (end < HEAD + FOOT || end > c->map_size) return;
	c->map_len = end;
	const uint8_t *foot = c->map + c->map_len - FOOT;
	hash_keyed(&sum, c->key, span_of(foot, FOOT - HASH_SIZE));
	if (memcmp(foot, head_magic, 8) != 0 || memcmp(sum.b, foot + FOOT - HASH_SIZE, HASH_SIZE) != 0)
		return;
	c->snapshot = hash_from(foot + 8);
	c->root = little_get64(foot + 8 + HASH_SIZE);
	uint64_t live = little_get64(foot + 16 + HASH_SIZE);
	c->end = c->map_len;
	/* mostly old: readable still, but written anew from the start is left to a run that has no cache */
	if (live * 4 < c->map_len && c->map_len > 64 * 1024 * 1024) forget(c);
}

static void open_map(struct treecache *c) {
	struct stat st;
	if (fstat(c->fd, &st) || st.st_size < HEAD + FOOT) return;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, c->fd, 0);
	if (p == MAP_FAILED) return;
	c->map = p;
	c->map_size = (size_t)st.st_size;
	read_foot(c);
}

enum err treecache_open(
	struct treecache **out, int at, const char *name, const uint8_t key[32], struct why *why) {
	struct treecache *c = mem_zalloc(sizeof *c);
	if (!c) return why_err(why, E_NOMEM, "opening the tree cache");
	memcpy(c->key, key, HASH_SIZE);
	mutex_init(&c->lock);
	buf_init(&c->unwritten, TREECACHE_RECORD_MAX);
	c->fd = openat(at, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_PRIVATE);
	forget(c);
	if (c->fd >= 0 && flock(c->fd, LOCK_EX | LOCK_NB) == 0) {
		c->writable = true;
		open_map(c);
	}
	*out = c;
	return OK;
}

void treecache_free(struct treecache *c) {
	if (!c) return;
	if (c->map) (void)munmap(c->map, c->map_size);
	file_close(&c->fd);
	buf_free(&c->unwritten);
	mutex_done(&c->lock);
	mem_wipe(c->key, sizeof c->key);
	mem_free(c);
}

bool treecache_root(const struct treecache *c, struct hash *snapshot, uint64_t *record) {
	if (!c->root) return false;
	*snapshot = c->snapshot;
	*record = c->root;
	return true;
}

enum err treecache_folder_open(
	const struct treecache *c, uint64_t record, struct treecache_folder *out) {
	struct hash sum;
	if (!c->root || record < HEAD || record > c->map_len || c->map_len - record < RECORD_HEAD + 6)
		return E_NOTFOUND;
	const uint8_t *p = c->map + record;
	uint64_t len = little_get32(p);
	if (len < 6 || len > c->map_len - record - RECORD_HEAD) return E_NOTFOUND;
	struct span body = span_of(p + RECORD_HEAD, len);
	hash_keyed(&sum, c->key, body);
	if (memcmp(sum.b, p + 4, HASH_SIZE) != 0) return E_NOTFOUND;
	size_t ref = little_get16(body.ptr + 4);
	if (ref > body.len - 6) return E_NOTFOUND;
	*out = (struct treecache_folder){
		.ref = span_of(body.ptr + 6, ref),
		.count = little_get32(body.ptr),
		.rest = span_skip(body, 6 + ref),
	};
	return OK;
}

bool treecache_folder_next(struct treecache_folder *f, struct treecache_entry *out) {
	if (f->rest.len < ENTRY_HEAD) return false;
	const uint8_t *p = f->rest.ptr;
	size_t len = little_get32(p + PRINT + 8);
	if (len > f->rest.len - ENTRY_HEAD) return false;
	out->print = (struct treecache_print){
		.inode = little_get64(p),
		.ctime_ns = (int64_t)little_get64(p + 8),
		.mtime_ns = (int64_t)little_get64(p + 16),
		.size = little_get64(p + 24),
		.mode = little_get32(p + 32),
		.device = little_get32(p + 36),
	};
	out->folder = little_get64(p + PRINT);
	out->body = span_of(p + ENTRY_HEAD, len);
	/* type u8, then the name with its length: a varint of one or two bytes */
	size_t at = 2, n = len > 2 ? out->body.ptr[1] : 0;
	if (n & 0x80) {
		n = (n & 0x7f) | (size_t)(out->body.ptr[2] & 1) << 7;
		at = 3;
	}
	if (len < at || n > len - at) return false;
	out->name = span_of(out->body.ptr + at, n);
	f->rest = span_skip(f->rest, ENTRY_HEAD + len);
	return true;
}

enum err treecache_record_begin(struct buf *b, struct span ref, uint32_t count) {
	uint8_t *at;
	enum err e = buf_extend(b, RECORD_HEAD + 6, &at);
	if (e) return e;
	little_put32(at + RECORD_HEAD, count);
	little_put16(at + RECORD_HEAD + 4, (uint16_t)ref.len);
	return buf_add(b, ref);
}

enum err treecache_record_add(
	struct buf *b, const struct treecache_print *print, uint64_t folder, struct span body) {
	uint8_t *at;
	enum err e = buf_extend(b, ENTRY_HEAD, &at);
	if (e) return e;
	little_put64(at, print->inode);
	little_put64(at + 8, (uint64_t)print->ctime_ns);
	little_put64(at + 16, (uint64_t)print->mtime_ns);
	little_put64(at + 24, print->size);
	little_put32(at + 32, print->mode);
	little_put32(at + 36, print->device);
	little_put64(at + PRINT, folder);
	little_put32(at + PRINT + 8, (uint32_t)body.len);
	return buf_add(b, body);
}

static bool write_out(struct treecache *c) {
	uint64_t from = c->end - c->unwritten.len;
	for (size_t done = 0; done < c->unwritten.len;) {
		ssize_t n =
			pwrite(c->fd, c->unwritten.ptr + done, c->unwritten.len - done, (off_t)(from + done));
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return false;
		done += (size_t)n;
	}
	buf_clear(&c->unwritten);
	return true;
}

/* Before the first record: what a run that died left goes; an empty cache starts over with a head and nothing behind it. */
static bool start(struct treecache *c) {
	uint8_t head[HEAD] = { 0 };
	if (c->added) return true;
	if (c->end != HEAD) return ftruncate(c->fd, (off_t)c->end) == 0;
	memcpy(head, head_magic, sizeof head_magic);
	return ftruncate(c->fd, 0) == 0 && pwrite(c->fd, head, HEAD, 0) == HEAD;
}

enum err treecache_append(struct treecache *c, struct buf *b, uint64_t *record) {
	struct hash sum;
	*record = 0;
	struct span body = span_of(b->ptr + RECORD_HEAD, b->len - RECORD_HEAD);
	little_put32(b->ptr, (uint32_t)body.len);
	hash_keyed(&sum, c->key, body);
	memcpy(b->ptr + 4, sum.b, HASH_SIZE);
	mutex_lock(&c->lock);
	if (c->writable && !start(c)) give_up(c);
	if (c->writable && buf_add(&c->unwritten, buf_span(b))) give_up(c);
	if (c->writable) {
		*record = c->end;
		c->end += b->len;
		c->added += b->len;
		if (c->unwritten.len >= WRITE_BUFFER && !write_out(c)) {
			give_up(c);
			*record = 0;
		}
	}
	mutex_unlock(&c->lock);
	return OK;
}

void treecache_commit(struct treecache *c, const struct hash *snapshot, uint64_t root) {
	uint8_t foot[FOOT], end[8];
	struct hash sum;
	if (!c->writable || !root) return;
	memcpy(foot, head_magic, 8);
	memcpy(foot + 8, snapshot->b, HASH_SIZE);
	little_put64(foot + 8 + HASH_SIZE, root);
	uint64_t before = 0;
	if (c->root && c->map_len >= FOOT)
		before = little_get64(c->map + c->map_len - FOOT + 16 + HASH_SIZE);
	/* a rough account: what a run replaces is about as large as what it adds */
	little_put64(foot + 16 + HASH_SIZE, before > c->added ? before : c->added);
	hash_keyed(&sum, c->key, span_of(foot, FOOT - HASH_SIZE));
	memcpy(foot + FOOT - HASH_SIZE, sum.b, HASH_SIZE);
	if (buf_add(&c->unwritten, span_of(foot, FOOT))) return;
	c->end += FOOT;
	if (!write_out(c)) return;
	little_put64(end, c->end);
	(void)!pwrite(c->fd, end, sizeof end, sizeof head_magic);
}
