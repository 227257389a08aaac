#include "client/backupfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/foreknown.h"
#include "os/file.h"
#include "os/signals.h"

enum {
	TRIES = 3,
	PARALLEL_FROM = 3 * BACKUPWALK_SEGMENT,
	EXTENTS_MAX = LIMIT_HOLES,
	FORESEE_FROM = 4 << 20,
	HOLES_FROM = 1
		<< 20, /* a file with all its blocks may have holes as well, where they were allocated beforehand */
};

/* A run of data in a file: where it stands in the file, and in the stream without holes. */
struct extent {
	uint64_t offset, length, stream;
};

struct source {
	int fd;
	struct extent *extents; /* NULL: the file has no holes */
	size_t count;
	uint64_t length;          /* of the stream: no more is read, also where the file grows */
	struct foreknown *old;    /* NULL: nothing is known of an earlier version */
	_Atomic uint64_t counted; /* of its bytes, in the walk's; see uncount */
};

static void source_done(struct source *s) {
	foreknown_free(s->old);
	mem_free(s->extents);
	file_close(&s->fd);
}

static void count_bytes(struct backupwalk *w, _Atomic uint64_t *counted, size_t n) {
	atomic_fetch_add_explicit(&w->bytes, n, memory_order_relaxed);
	if (counted) atomic_fetch_add_explicit(counted, n, memory_order_relaxed);
}

/* What was read is not what is stored. */
static void uncount(struct backupwalk *w, struct source *s) {
	atomic_fetch_sub(&w->bytes, atomic_exchange(&s->counted, 0));
}

/* Owners may not always be asked not to touch the access time. */
static int open_quietly(int at, const char *name) {
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd = openat(at, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM) fd = openat(at, name, flags);
	return fd;
}

static bool same_time(struct timespec a, struct timespec b) {
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b) {
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_mode == b->st_mode &&
		a->st_size == b->st_size && same_time(a->st_mtim, b->st_mtim) &&
		same_time(a->st_ctim, b->st_ctim);
}

static enum err add_extent(struct source *s, size_t *room, uint64_t offset, uint64_t length) {
	if (s->count == *room) {
		size_t more = *room ? *room * 2 : 16;
		struct extent *e = mem_resize(s->extents, more, sizeof *e);
		if (!e) return E_NOMEM;
		s->extents = e;
		*room = more;
	}
	s->extents[s->count++] =
		(struct extent){ .offset = offset, .length = length, .stream = s->length };
	s->length += length;
	return OK;
}

/* Finds the holes; a file without any gets no extents. Where the file system cannot tell, or there are too many, what is left counts as data. */
static enum err find_extents(struct source *s, uint64_t size) {
	size_t room = 0;
	uint64_t at = 0;
	s->length = 0;
	while (at < size) {
		off_t data = lseek(s->fd, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO) break; /* a hole up to the end */
		if (data < 0 || s->count == EXTENTS_MAX - 1) data = (off_t)at;
		off_t hole = s->count == EXTENTS_MAX - 1 ? (off_t)size : lseek(s->fd, data, SEEK_HOLE);
		if (hole <= data || (uint64_t)hole > size) hole = (off_t)size;
		if ((uint64_t)data >= size) break;
		enum err e = add_extent(s, &room, (uint64_t)data, (uint64_t)(hole - data));
		if (e) return e;
		at = (uint64_t)hole;
	}
	if (s->length == size) {
		mem_free(s->extents);
		s->extents = NULL;
		s->count = 0;
		return OK;
	}
	if (!s->extents) {
		s->extents = mem_alloc(sizeof *s->extents); /* all hole: no extent, but not "no holes" */
		if (!s->extents) return E_NOMEM;
	}
	return OK;
}

/* Up to ${n} bytes from ${offset} of the stream on; fewer only where it ends. -1 and errno. */
static ssize_t source_read(const struct source *s, uint64_t offset, uint8_t *to, size_t n) {
	size_t done = 0, i = 0;
	if (offset >= s->length) return 0;
	if (n > s->length - offset) n = (size_t)(s->length - offset);
	while (s->extents && i < s->count && s->extents[i].stream + s->extents[i].length <= offset) i++;
	while (done < n) {
		uint64_t at = offset + done;
		size_t want = n - done;
		if (s->extents) {
			while (i < s->count && s->extents[i].stream + s->extents[i].length <= at) i++;
			if (i == s->count) break;
			uint64_t inside = at - s->extents[i].stream;
			if (want > s->extents[i].length - inside)
				want = (size_t)(s->extents[i].length - inside);
			at = s->extents[i].offset + inside;
		}
		ssize_t got = pread(s->fd, to + done, want, (off_t)at);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return -1;
		if (got == 0) break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static enum err read_error(struct why *why) {
	enum err e = why_errno(why, "reading");
	return e == E_NOMEM ? E_NOMEM : E_IO;
}

/* A small file is one chunk. */
static enum err store_small(
	struct backupwalk_worker *k, struct span bytes, struct streamref *ref, struct why *why) {
	*ref = (struct streamref){ .length = bytes.len };
	if (!bytes.len) return OK;
	return storing_chunk(k->storing, CHUNKTYPE_CONTENT, bytes, &ref->id, why);
}

/* The chunk at ${at} of the buffer, foreseen or scanned for, and its id. */
static size_t next_chunk(struct backupwalk *w, struct backupwalk_worker *k,
	const struct foreknown *old, size_t *cursor, size_t at, size_t have, bool final,
	struct hash *id) {
	size_t len = old ? foreknown_next(old, k->storing, cursor, k->buffer + at, have - at, id) : 0;
	if (len) return len;
	len = chunker_next(w->storing->vault->chunker, k->buffer + at, have - at, final);
	if (!len) return 0;
	storing_id(k->storing, CHUNKTYPE_CONTENT, span_of(k->buffer + at, len), id);
	if (old) *cursor = foreknown_find(old, id);
	return len;
}

/* Chunk by chunk through the worker's buffer. ${next} reads on; ${*total} gets how much there was. */
typedef ssize_t next_bytes(void *ctx, uint64_t offset, uint8_t *to, size_t n);

static enum err store_in_order(struct backupwalk *w, struct backupwalk_worker *k, next_bytes *next,
	void *ctx, struct source *source, struct streamref *ref, struct why *why) {
	const struct foreknown *old = source ? source->old : NULL;
	struct storing_stream stream;
	size_t have = 0, at = 0, cursor = 0;
	uint64_t offset = 0;
	bool end = false;
	enum err e = OK;
	storing_stream_init(&stream);
	while (!e && (!end || at < have)) {
		if (backupwalk_stopped(w)) e = E_CANCELLED;
		if (!e && !end && have - at < LIMIT_CHUNK) {
			memmove(k->buffer, k->buffer + at, have - at);
			have -= at;
			at = 0;
			ssize_t n = next(ctx, offset, k->buffer + have, BACKUPWALK_BUFFER - have);
			if (n < 0) {
				e = backupwalk_stopped(w) ? E_CANCELLED : read_error(why);
			} else {
				end = (size_t)n < BACKUPWALK_BUFFER - have;
				have += (size_t)n;
				offset += (uint64_t)n;
			}
		}
		if (e || at == have) continue;
		struct hash id;
		size_t len = next_chunk(w, k, old, &cursor, at, have, end, &id);
		e = storing_named(k->storing, CHUNKTYPE_CONTENT, span_of(k->buffer + at, len), &id, why);
		if (!e) e = storing_stream_add(k->storing, &stream, &id, (uint32_t)len, why);
		at += len;
		count_bytes(w, source ? &source->counted : NULL, len);
	}
	if (!e) e = storing_stream_end(k->storing, &stream, ref, why);
	storing_stream_done(&stream);
	return e;
}

static ssize_t next_of_source(void *ctx, uint64_t offset, uint8_t *to, size_t n) {
	return source_read(ctx, offset, to, n);
}

static ssize_t next_of_pipe(void *ctx, uint64_t offset, uint8_t *to, size_t n) {
	const int *fd = ctx;
	size_t done = 0;
	(void)offset;
	while (done < n) {
		ssize_t got = read(*fd, to + done, n - done);
		if (got < 0 && errno == EINTR && !signals_asked()) continue;
		if (got < 0) return -1;
		if (got == 0) break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

enum err backupfile_pipe(struct backupwalk *w, struct backupwalk_worker *k, int fd,
	struct streamref *ref, struct why *why) {
	return store_in_order(w, k, next_of_pipe, &fd, NULL, ref, why);
}

/* One segment of a large file: where its first chunk begins is known when the segment before was cut. */
struct segment {
	bool known;
	bool cut;
	uint64_t entry; /* in the stream */
	struct buf items;
};

/* A large file that several threads cut at once (doc/spec/chunker.md: cuts are the same however it is split). */
struct parallel {
	struct backupwalk *w;
	struct source *source;
	struct mutex lock;
	struct mutex_cond turn;
	struct segment *segments;
	size_t count, next, added;
	size_t helpers; /* at work on segments now */
	size_t holders; /* the owner, and every helper that was asked */
	bool done;      /* its owner waits for no more helpers */
	struct storing_stream stream;
	enum err failed;
	struct why why;
};

static void parallel_fail(struct parallel *p, enum err e, const struct why *why) {
	mutex_lock(&p->lock);
	if (!p->failed) {
		p->failed = e;
		p->why = *why;
	}
	mutex_wake_all(&p->turn);
	mutex_unlock(&p->lock);
}

/* The cuts of this segment from where its first chunk truly begins, as lengths. */
static enum err trace_segment(struct parallel *p, struct backupwalk_worker *k, size_t number,
	size_t *cuts, size_t n, size_t have, bool final, uint32_t *lengths, size_t *length_count) {
	uint64_t base = (uint64_t)number * BACKUPWALK_SEGMENT;
	mutex_lock(&p->lock);
	while (!p->segments[number].known && !p->failed) mutex_wait(&p->turn, &p->lock);
	size_t at = (size_t)(p->segments[number].entry - base);
	enum err e = p->failed;
	mutex_unlock(&p->lock);
	*length_count = 0;
	while (!e && at < BACKUPWALK_SEGMENT && at < have) {
		size_t len =
			chunker_next_traced(p->w->storing->vault->chunker, k->buffer, have, final, at, cuts, n);
		if (len == 0) return E_IO; /* the file got shorter */
		lengths[(*length_count)++] = (uint32_t)len;
		at += len;
	}
	if (!e && number + 1 < p->count) {
		mutex_lock(&p->lock);
		p->segments[number + 1].entry = base + at;
		p->segments[number + 1].known = true;
		mutex_wake_all(&p->turn);
		mutex_unlock(&p->lock);
	}
	return e;
}

enum { SEGMENT_CUTS = 4 + BACKUPWALK_BUFFER / CHUNKER_WINDOW };

/* The cuts of a segment as if a chunk began at its start; with the ids of the chunks where an old version foresees them. */
static size_t trace_foreknown(struct parallel *p, struct backupwalk_worker *k, size_t have,
	size_t end, bool final, size_t *cuts, struct hash *ids, bool *named) {
	size_t n = 0, at = 0, cursor = FOREKNOWN_LOST;
	cuts[n++] = 0;
	/* a first chunk that begins nowhere in particular: from its end on the old version is met again */
	while (at < end && n < SEGMENT_CUTS) {
		size_t len = next_chunk(p->w, k, p->source->old, &cursor, at, have, final, &ids[n - 1]);
		if (!len) break;
		named[n - 1] = true;
		at += len;
		cuts[n++] = at;
	}
	return n;
}

/* The id of the chunk from ${at} to ${at + len}, if the trace has computed it. */
static const struct hash *traced_id(const size_t *cuts, const struct hash *ids, const bool *named,
	size_t n, size_t at, size_t len) {
	size_t from = 0, to = n;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (cuts[middle] < at) from = middle + 1;
		else to = middle;
	}
	if (from + 1 >= n || cuts[from] != at || cuts[from + 1] != at + len || !named[from])
		return NULL;
	return &ids[from];
}

/* What one thread needs for its segments. */
struct tracing {
	size_t *cuts;
	size_t count;
	uint32_t *lengths;
	struct hash *ids;
	bool *named;
};

static enum err store_segment(struct parallel *p, struct backupwalk_worker *k, size_t number,
	size_t start, const struct tracing *t, size_t count, struct why *why) {
	struct buf *items = &p->segments[number].items;
	enum err e = OK;
	for (size_t i = 0, at = start; i < count && !e; at += t->lengths[i], i++) {
		struct streamref_item item = { .length = t->lengths[i] };
		struct span chunk = span_of(k->buffer + at, item.length);
		const struct hash *known =
			p->source->old ? traced_id(t->cuts, t->ids, t->named, t->count, at, item.length) : NULL;
		uint8_t *to;
		if (known) item.id = *known;
		else storing_id(k->storing, CHUNKTYPE_CONTENT, chunk, &item.id);
		e = storing_named(k->storing, CHUNKTYPE_CONTENT, chunk, &item.id, why);
		if (!e) e = why_err(why, buf_extend(items, SIZE_STREAM_ITEM, &to), "storing a list");
		if (!e) streamref_item_encode(&item, to);
		count_bytes(p->w, &p->source->counted, item.length);
	}
	return e;
}

/* Adds the items of all segments that are complete, in order, to the stream. */
static enum err add_in_order(struct parallel *p, struct backupwalk_worker *k, struct why *why) {
	enum err e = OK;
	mutex_lock(&p->lock);
	while (!e && p->added < p->count && p->segments[p->added].cut) {
		struct segment *s = &p->segments[p->added++];
		for (size_t at = 0; at < s->items.len && !e; at += SIZE_STREAM_ITEM) {
			struct streamref_item item;
			e = why_err(why, streamref_item_decode(&item, s->items.ptr + at), "storing a list");
			if (!e) e = storing_stream_add(k->storing, &p->stream, &item.id, item.length, why);
		}
		buf_free(&s->items);
	}
	mutex_unlock(&p->lock);
	return e;
}

static enum err do_segment(struct parallel *p, struct backupwalk_worker *k, size_t number,
	struct tracing *t, struct why *why) {
	uint64_t base = (uint64_t)number * BACKUPWALK_SEGMENT;
	size_t count = 0;
	ssize_t have = source_read(p->source, base, k->buffer, BACKUPWALK_BUFFER);
	if (have < 0) return read_error(why);
	bool final = base + (size_t)have >= p->source->length;
	if (!final && have < BACKUPWALK_BUFFER)
		return why_set(why, E_IO, "it got shorter while it was read");
	const struct chunker *c = p->w->storing->vault->chunker;
	size_t end = (size_t)have < BACKUPWALK_SEGMENT ? (size_t)have : BACKUPWALK_SEGMENT;
	if (p->source->old)
		t->count = trace_foreknown(p, k, (size_t)have, end, final, t->cuts, t->ids, t->named);
	else t->count = chunker_trace(c, k->buffer, (size_t)have, final, 0, end, t->cuts, SEGMENT_CUTS);
	enum err e =
		trace_segment(p, k, number, t->cuts, t->count, (size_t)have, final, t->lengths, &count);
	if (e) return e == E_IO ? why_set(why, E_IO, "it got shorter while it was read") : e;
	size_t start = (size_t)(p->segments[number].entry - base);
	e = store_segment(p, k, number, start, t, count, why);
	if (e) return e;
	mutex_lock(&p->lock);
	p->segments[number].cut = true;
	mutex_unlock(&p->lock);
	return add_in_order(p, k, why);
}

static void do_segments(struct parallel *p, unsigned worker) {
	struct backupwalk_worker *k = &p->w->workers[worker];
	struct tracing t = {
		.cuts = mem_array(SEGMENT_CUTS, sizeof *t.cuts),
		.lengths = mem_array(SEGMENT_CUTS, sizeof *t.lengths),
		.ids = mem_array(p->source->old ? SEGMENT_CUTS : 1, sizeof *t.ids),
		.named = mem_array(p->source->old ? SEGMENT_CUTS : 1, sizeof *t.named),
	};
	struct why why = { OK, "" };
	enum err e = t.cuts && t.lengths && t.ids && t.named
		? OK
		: why_err(&why, E_NOMEM, "reading a large file");
	while (!e) {
		mutex_lock(&p->lock);
		size_t number = p->next < p->count && !p->failed ? p->next++ : SIZE_MAX;
		mutex_unlock(&p->lock);
		if (number == SIZE_MAX) break;
		e = backupwalk_stopped(p->w) ? why_set(&why, E_CANCELLED, "interrupted")
									 : do_segment(p, k, number, &t, &why);
	}
	if (e) parallel_fail(p, e, &why);
	mem_free(t.cuts);
	mem_free(t.lengths);
	mem_free(t.ids);
	mem_free(t.named);
}

static void release(struct parallel *p) {
	mutex_lock(&p->lock);
	size_t holders = --p->holders;
	mutex_unlock(&p->lock);
	if (holders) return;
	storing_stream_done(&p->stream);
	for (size_t i = 0; p->segments && i < p->count; i++) buf_free(&p->segments[i].items);
	mem_free(p->segments);
	mutex_cond_done(&p->turn);
	mutex_done(&p->lock);
	mem_free(p);
}

/* May begin long after the file is done: its owner waits only for helpers that have begun. */
static void help(void *ctx, unsigned worker) {
	struct parallel *p = ctx;
	mutex_lock(&p->lock);
	bool wanted = !p->done;
	if (wanted) p->helpers++;
	mutex_unlock(&p->lock);
	if (wanted) {
		do_segments(p, worker);
		mutex_lock(&p->lock);
		p->helpers--;
		mutex_wake_all(&p->turn);
		mutex_unlock(&p->lock);
	}
	release(p);
}

static struct parallel *parallel_new(struct backupwalk *w, struct source *source) {
	struct parallel *p = mem_zalloc(sizeof *p);
	if (!p) return NULL;
	p->w = w;
	p->source = source;
	p->holders = 1;
	mutex_init(&p->lock);
	mutex_cond_init(&p->turn);
	storing_stream_init(&p->stream);
	p->count = (size_t)((source->length + BACKUPWALK_SEGMENT - 1) / BACKUPWALK_SEGMENT);
	p->segments = mem_array(p->count, sizeof *p->segments);
	if (!p->segments) {
		release(p);
		return NULL;
	}
	for (size_t i = 0; i < p->count; i++) buf_init(&p->segments[i].items, BACKUPWALK_BUFFER);
	p->segments[0].known = true;
	return p;
}

/* Asks the other threads for help. They may all be busy with large files of their own, and never come. */
static void ask_for_help(struct parallel *p) {
	for (unsigned i = 1; i < p->w->worker_count; i++) {
		mutex_lock(&p->lock);
		p->holders++;
		mutex_unlock(&p->lock);
		if (taskpool_push(p->w->pool, help, p)) release(p);
	}
}

static enum err store_parallel(struct backupwalk *w, unsigned worker, struct source *source,
	struct streamref *ref, struct why *why) {
	struct parallel *p = parallel_new(w, source);
	if (!p) return why_err(why, E_NOMEM, "reading a large file");
	ask_for_help(p);
	do_segments(p, worker);
	mutex_lock(&p->lock);
	p->done = true;
	while (p->helpers) mutex_wait(&p->turn, &p->lock);
	enum err e = p->failed;
	if (e && why) *why = p->why;
	mutex_unlock(&p->lock);
	if (!e) e = storing_stream_end(w->workers[worker].storing, &p->stream, ref, why);
	release(p);
	return e;
}

/* The stream of an opened file. Several threads need it at its length; the ${last} time it is taken as it comes. */
static enum err store_source(struct backupwalk *w, unsigned worker, struct source *s, bool last,
	struct streamref *ref, struct why *why) {
	struct backupwalk_worker *k = &w->workers[worker];
	if (!last && s->length >= PARALLEL_FROM && w->worker_count > 1)
		return store_parallel(w, worker, s, ref, why);
	return store_in_order(w, k, next_of_source, s, s, ref, why);
}

/*
 * The file was cut short while it was read: what its extents have beyond the ${length} that came is taken back. Its size
 * then, where it had ${size} and has ${now}.
 */
static uint64_t cut_extents(struct source *s, uint64_t length, uint64_t size, uint64_t now) {
	uint64_t end = 0;
	size_t n = 0;
	while (n < s->count && s->extents[n].stream < length) {
		struct extent *x = &s->extents[n++];
		if (x->length > length - x->stream) x->length = length - x->stream;
		end = x->offset + x->length;
	}
	s->count = n;
	if (now < size) size = now;
	return size > end ? size : end;
}

static enum err encode_holes(
	struct backupwalk_worker *k, const struct source *s, uint64_t size, struct direntry *d) {
	uint64_t at = 0, end = 0;
	enum err e = OK;
	buf_clear(&k->holes);
	d->holes.count = 0;
	for (size_t i = 0; i <= s->count && !e; i++) {
		uint64_t data = i < s->count ? s->extents[i].offset : size;
		if (data > at) {
			e = direntry_add_hole(&k->holes, &end, at, data - at);
			d->holes.count++;
		}
		if (i < s->count) at = s->extents[i].offset + s->extents[i].length;
	}
	d->holes.items = buf_span(&k->holes);
	if (d->holes.count) d->flags |= DIRENTRY_HAS_HOLES;
	return e;
}

/* One attempt. ${*changed}: the file is not what ${st} said; ${st} is then what it is now. */
static enum err read_once(struct backupwalk *w, unsigned worker, struct source *s, struct stat *st,
	bool last, struct direntry *d, bool *changed, struct why *why) {
	struct backupwalk_worker *k = &w->workers[worker];
	struct stat after;
	uint64_t size = (uint64_t)st->st_size;
	enum err e = OK;
	*changed = false;
	d->flags &= (uint8_t)~DIRENTRY_HAS_HOLES;
	s->length = size;
	if (size >= HOLES_FROM || (uint64_t)st->st_blocks * 512 < size)
		e = why_err(why, find_extents(s, size), "finding holes");
	bool small =
		!s->extents && size <= w->storing->vault->state.chunk_min && size < BACKUPWALK_BUFFER;
	ssize_t have = 0;
	if (!e && small) {
		s->length = size + 1; /* one more, so that a file that has more than it says is noticed */
		have = source_read(s, 0, k->buffer, (size_t)size + 1);
		if (have < 0) e = read_error(why);
	} else if (!e) {
		e = store_source(w, worker, s, last, &d->stream, why);
		if (e == E_IO && !last && fstat(s->fd, &after) == 0 && !same_file(st, &after)) e = OK;
	}
	if (e) return e;
	if (fstat(s->fd, &after)) return read_error(why);
	*changed = !same_file(st, &after) || (small && (uint64_t)have != size);
	if (!S_ISREG(after.st_mode))
		return why_set(why, E_IO, "it was a file, and is now something else");
	if (*changed) *st = after;
	if (*changed && !last) return OK;
	if (small) {
		e = store_small(k, span_of(k->buffer, (size_t)have), &d->stream, why);
		count_bytes(w, &s->counted, (size_t)have);
	}
	if (!e && s->extents && d->stream.length < s->length)
		size = cut_extents(s, d->stream.length, size, (uint64_t)after.st_size);
	if (!e && s->extents) e = why_err(why, encode_holes(k, s, size, d), "finding holes");
	return e;
}

enum err backupfile_read(struct backupwalk *w, unsigned worker, int at, const char *name,
	const struct backupwalk_node *n, struct stat *st, const struct streamref *old,
	struct direntry *d, struct why *why) {
	struct backupwalk_worker *k = &w->workers[worker];
	struct source s = { .fd = open_quietly(at, name) };
	if (s.fd < 0) return why_errno(why, "opening");
	struct stat now;
	enum err e = OK;
	/* what was a file when the walk saw it may be a device by now: that is never read */
	if (fstat(s.fd, &now)) e = read_error(why);
	if (!e && !S_ISREG(now.st_mode))
		e = why_set(why, E_IO, "it was a file, and is now something else");
	if (!e) *st = now;
	bool changed = false;
	if (!e && old && st->st_size >= FORESEE_FROM)
		e = why_err(
			why, foreknown_new(&s.old, w->storing->fetch, old), "reading what is known of a file");
	for (int i = 0; i < TRIES && !e; i++) {
		mem_free(s.extents);
		s.extents = NULL;
		s.count = 0;
		uncount(w, &s);
		e = read_once(w, worker, &s, st, i + 1 == TRIES, d, &changed, why);
		if (!changed) break;
	}
	if (!e && changed) {
		d->flags |= DIRENTRY_CHANGED;
		atomic_fetch_add(&w->changed, 1);
		backupwalk_note_at(k, n, name, BACKUP_CHANGED,
			"it changed each time it was read: what was read is stored");
	}
	if (!e) e = backupfile_xattrs(w, k, s.fd, -1, name, n, d, why);
	if (e) uncount(w, &s);
	source_done(&s);
	return e;
}

static int by_text(const void *a, const void *b) {
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static ssize_t list_names(int fd, const char *proc, char *out) {
	return fd >= 0 ? flistxattr(fd, out, BACKUPWALK_XATTRS)
				   : llistxattr(proc, out, BACKUPWALK_XATTRS);
}

static ssize_t get_value(int fd, const char *proc, const char *name, uint8_t *out) {
	return fd >= 0 ? fgetxattr(fd, name, out, LIMIT_XATTR_VALUE)
				   : lgetxattr(proc, name, out, LIMIT_XATTR_VALUE);
}

/* Whose attributes: an open file's, or by a path; and what it is called in messages. */
struct attributes {
	int fd;
	const char *proc, *name;
	const struct backupwalk_node *n;
};

/* Adds the attributes called ${names}, sorted. What cannot be read is noted and left out. */
static enum err add_values(struct backupwalk *w, struct backupwalk_worker *k,
	const struct attributes *a, char **names, size_t count, struct direntry *d, struct why *why) {
	buf_clear(&k->xattrs);
	for (size_t i = 0; i < count; i++) {
		ssize_t len = get_value(a->fd, a->proc, names[i], k->xattr_value);
		if (len < 0 && errno == ENODATA) continue;
		if (len < 0 || strlen(names[i]) > LIMIT_XATTR_NAME || d->xattrs.count == LIMIT_XATTRS ||
			k->xattrs.len + (size_t)len > LIMIT_DIRENTRY / 2) {
			atomic_fetch_add(&w->incomplete, 1);
			backupwalk_note_at(k, a->n, a->name, BACKUP_INCOMPLETE,
				"an extended attribute could not be read, or is too large");
			continue;
		}
		enum err e = direntry_add_xattr(
			&k->xattrs, span_text(names[i]), span_of(k->xattr_value, (size_t)len));
		if (e) return why_err(why, e, "reading attributes");
		d->xattrs.count++;
	}
	d->xattrs.items = buf_span(&k->xattrs);
	if (d->xattrs.count) d->flags |= DIRENTRY_HAS_XATTRS;
	return OK;
}

enum err backupfile_xattrs(struct backupwalk *w, struct backupwalk_worker *k, int fd, int at,
	const char *name, const struct backupwalk_node *n, struct direntry *d, struct why *why) {
	char proc[64 + 256] = "";
	struct attributes a = { .fd = fd, .proc = proc, .name = name, .n = n };
	d->xattrs = (struct direntry_items){ .count = 0 };
	if (fd < 0) (void)snprintf(proc, sizeof proc, "/proc/self/fd/%d/%s", at, name);
	ssize_t len = list_names(fd, proc, k->xattr_names);
	if (len == 0 || (len < 0 && (errno == ENOTSUP || errno == ENOENT || errno == EPERM))) return OK;
	if (len < 0) {
		atomic_fetch_add(&w->incomplete, 1);
		backupwalk_note_at(
			k, n, name, BACKUP_INCOMPLETE, "its extended attributes could not be listed");
		return OK;
	}
	size_t count = 0;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(k->xattr_names + i) + 1) count++;
	char **names = mem_array(count, sizeof *names);
	if (!names) return why_err(why, E_NOMEM, "reading attributes");
	count = 0;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(k->xattr_names + i) + 1)
		names[count++] = k->xattr_names + i;
	qsort(names, count, sizeof *names, by_text);
	enum err e = add_values(w, k, &a, names, count, d, why);
	mem_free(names);
	return e;
}
