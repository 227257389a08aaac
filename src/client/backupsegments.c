#include "client/backupsegments.h"

#include "base/mem.h"

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
	struct backupcontent *source;
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
		size_t len =
			backupcontent_next(p->w, k, p->source->old, &cursor, at, have, final, &ids[n - 1]);
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
		backupcontent_count(p->w, &p->source->counted, item.length);
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
	ssize_t have = backupcontent_read(p->source, base, k->buffer, BACKUPWALK_BUFFER);
	if (have < 0) return backupcontent_error(why);
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

static struct parallel *parallel_new(struct backupwalk *w, struct backupcontent *source) {
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

enum err backupsegments_store(struct backupwalk *w, unsigned worker, struct backupcontent *source,
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
