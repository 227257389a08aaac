#include "client/restorewindow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/little.h"
#include "base/mem.h"
#include "format/chunktype.h"
#include "os/queue.h"
#include "os/thread.h"

enum {
	PIECES_FIRST = 1024, /* the first window is small, so that the threads have work soon */
	PIECES_MOST = 16384,
	PIECES_GROW = 4,
	MEMORY_MOST = 16 << 20, /* of a window's items */
	MEMORY_PART = 256 << 10,
	RUN_BARE = 64, /* items without content that are handed over together */
	RUN_PIECES = 1024,
	UNDER_WAY = 2, /* windows that are worked off at a time */
	QUEUE = 4096,
	THREADS_MOST = 64,
	PACKS_FIRST = 256,
	OFFSET_BITS = 24,
	SLOT_BITS = 13,
};

/* A pack, as short as a number. Lives as long as the line. */
struct pack {
	struct hash name;
	uint32_t size;
	uint64_t number; /* from 1 on */
};

struct piece {
	struct restorefile *file;
	struct hash id;
	uint64_t data;
	const struct pack *pack, *next; /* NULL: no place is known / it is not cut */
	uint32_t offset, length, rest_length;
	uint32_t size; /* of the chunk; 0: an item without content */
	uint16_t slot;
};

struct order {
	uint64_t key;
	uint32_t piece;
};

/* Pieces of one block: one thread's work. */
struct run {
	struct restorewindow *window;
	uint32_t from, to;
};

struct part {
	struct part *next;
	size_t used, size;
	uint8_t bytes[];
};

struct restorewindow {
	struct restorewindow_line *line;
	_Atomic uint32_t holders; /* items, runs, and the planner */
	_Atomic uint32_t runs_left;
	struct piece *pieces;
	struct order *order;
	struct run *runs;
	uint32_t count, room;
	struct part *parts;
	size_t memory;
};

struct restorewindow_line {
	struct restorerun *run;
	struct queue *queue;
	struct thread threads[THREADS_MOST];
	unsigned thread_count;
	struct restorewindow *now;
	uint32_t next_room;
	unsigned under_way;  /* with the run's lock */
	struct pack **packs; /* by name; open addressing */
	size_t pack_count, pack_room;
};

static void free_window(struct restorewindow *w) {
	if (!w) return;
	while (w->parts) {
		struct part *next = w->parts->next;
		mem_free(w->parts);
		w->parts = next;
	}
	mem_free(w->pieces);
	mem_free(w->order);
	mem_free(w->runs);
	mem_free(w);
}

void restorewindow_drop(struct restorewindow *w) {
	if (atomic_fetch_sub(&w->holders, 1) == 1) free_window(w);
}

static struct restorewindow *window_of(struct restorewindow_line *l) {
	if (l->now) return l->now;
	struct restorewindow *w = mem_zalloc(sizeof *w);
	if (!w) return NULL;
	w->line = l;
	w->room = l->next_room;
	atomic_init(&w->holders, 1);
	w->pieces = mem_array(w->room, sizeof *w->pieces);
	w->order = mem_array(w->room, sizeof *w->order);
	w->runs = mem_array(w->room, sizeof *w->runs);
	if (!w->pieces || !w->order || !w->runs) {
		free_window(w);
		return NULL;
	}
	if (l->next_room < PIECES_MOST) l->next_room *= PIECES_GROW;
	l->now = w;
	return w;
}

static void *take_memory(struct restorewindow *w, size_t n) {
	n = (n + 15) & ~(size_t)15;
	if (!w->parts || w->parts->size - w->parts->used < n) {
		size_t size = n > MEMORY_PART ? n : MEMORY_PART;
		struct part *p = mem_alloc(sizeof *p + size + 16);
		if (!p) return NULL;
		p->next = w->parts;
		p->size = size;
		p->used = 0;
		w->parts = p;
		w->memory += size;
	}
	uint8_t *at = w->parts->bytes + w->parts->used;
	w->parts->used += n;
	return at;
}

void *restorewindow_memory(struct restorewindow_line *l, size_t n) {
	assert(l->now);
	return take_memory(l->now, n);
}

struct restorefile *restorewindow_file(struct restorewindow_line *l) {
	struct restorewindow *w = window_of(l);
	struct restorefile *f = w ? take_memory(w, sizeof *f) : NULL;
	if (!f) return NULL;
	memset(f, 0, sizeof *f);
	f->window = w;
	f->fd = -1;
	atomic_init(&f->left, 1);
	atomic_fetch_add(&w->holders, 1);
	return f;
}

static struct pack **slot_of(struct pack **packs, size_t room, const struct hash *name) {
	size_t i = little_get64(name->b) & (room - 1);
	while (packs[i] && hash_order(&packs[i]->name, name) != 0) i = (i + 1) & (room - 1);
	return &packs[i];
}

static bool grow_packs(struct restorewindow_line *l) {
	size_t room = l->pack_room ? l->pack_room * 2 : PACKS_FIRST;
	struct pack **wider = mem_array(room, sizeof(struct pack *));
	if (!wider) return false;
	for (size_t i = 0; i < l->pack_room; i++)
		if (l->packs[i]) *slot_of(wider, room, &l->packs[i]->name) = l->packs[i];
	mem_free(l->packs);
	l->packs = wider;
	l->pack_room = room;
	return true;
}

static const struct pack *pack_of(
	struct restorewindow_line *l, const struct hash *name, uint32_t size) {
	if ((l->pack_count + 1) * 2 > l->pack_room && !grow_packs(l)) return NULL;
	struct pack **slot = slot_of(l->packs, l->pack_room, name);
	if (*slot) return *slot;
	struct pack *p = mem_alloc(sizeof *p);
	if (!p) return NULL;
	*p = (struct pack){ .name = *name, .size = size, .number = ++l->pack_count };
	*slot = p;
	return p;
}

/* The first known place is taken; a piece without one is looked for everywhere when its turn comes. */
static enum err find_place(struct restorewindow_line *l, struct piece *p, struct why *why) {
	struct place places[PLACES_EACH];
	size_t count = 0;
	enum err e = places_find(fetch_places(l->run->fetch), &p->id, places, &count, why);
	if (e || count == 0) return e;
	p->pack = pack_of(l, &places[0].pack, places[0].pack_size);
	if (places[0].cut) p->next = pack_of(l, &places[0].next_pack, places[0].next_size);
	if (!p->pack || (places[0].cut && !p->next)) return why_err(why, E_NOMEM, "restoring");
	p->offset = places[0].offset;
	p->length = places[0].length;
	p->slot = places[0].slot;
	p->rest_length = places[0].rest_length;
	return OK;
}

static enum err add_piece(struct restorewindow_line *l, const struct piece *p, struct why *why) {
	struct restorewindow *w = window_of(l);
	if (!w) return why_err(why, E_NOMEM, "restoring");
	atomic_fetch_add(&p->file->left, 1);
	w->order[w->count] = (struct order){
		.key = p->pack ? p->pack->number << (OFFSET_BITS + SLOT_BITS) |
				(uint64_t)p->offset << SLOT_BITS | p->slot
					   : 0,
		.piece = w->count,
	};
	w->pieces[w->count++] = *p;
	return w->count == w->room || w->memory >= MEMORY_MOST ? restorewindow_flush(l, why) : OK;
}

enum err restorewindow_piece(struct restorewindow_line *l, struct restorefile *f,
	const struct streamref_item *chunk, uint64_t data, struct why *why) {
	struct piece p = { .file = f, .id = chunk->id, .size = chunk->length, .data = data };
	enum err e = find_place(l, &p, why);
	return e ? e : add_piece(l, &p, why);
}

enum err restorewindow_bare(struct restorewindow_line *l, struct restorefile *f, struct why *why) {
	return add_piece(l, &(struct piece){ .file = f }, why);
}

static int by_key(const void *a, const void *b) {
	const struct order *x = a, *y = b;
	return x->key < y->key ? -1 : x->key > y->key;
}

static bool same_block(const struct piece *a, const struct piece *b) {
	return a->pack == b->pack && a->offset == b->offset && a->pack;
}

/* Cuts the ordered pieces into runs. */
static uint32_t cut_runs(struct restorewindow *w) {
	uint32_t runs = 0;
	for (uint32_t i = 0; i < w->count;) {
		const struct piece *first = &w->pieces[w->order[i].piece];
		uint32_t to = i + 1, most = first->pack ? RUN_PIECES : RUN_BARE;
		while (to < w->count && to - i < most) {
			const struct piece *next = &w->pieces[w->order[to].piece];
			if (first->pack ? !same_block(first, next) : next->pack != NULL) break;
			to++;
		}
		w->runs[runs++] = (struct run){ .window = w, .from = i, .to = to };
		i = to;
	}
	return runs;
}

static void wait_for_room(struct restorewindow_line *l) {
	mutex_lock(&l->run->lock);
	while (l->under_way >= UNDER_WAY) mutex_wait(&l->run->moved, &l->run->lock);
	l->under_way++;
	mutex_unlock(&l->run->lock);
}

enum err restorewindow_flush(struct restorewindow_line *l, struct why *why) {
	struct restorewindow *w = l->now;
	if (!w) return OK;
	if (w->count == 0 && w->memory < MEMORY_MOST) return OK;
	l->now = NULL;
	qsort(w->order, w->count, sizeof *w->order, by_key);
	uint32_t runs = cut_runs(w);
	if (runs == 0) {
		restorewindow_drop(w);
		return OK;
	}
	atomic_init(&w->runs_left, runs);
	atomic_fetch_add(&w->holders, runs);
	wait_for_room(l);
	enum err e = OK;
	for (uint32_t i = 0; i < runs && !e; i++) e = queue_put(l->queue, &w->runs[i]);
	assert(!e); /* the queue is closed after the last window only */
	restorewindow_drop(w);
	return why_err(why, e, "restoring");
}

bool restorewindow_wait(struct restorewindow_line *l) {
	mutex_lock(&l->run->lock);
	bool busy = l->under_way > 0;
	if (busy) mutex_wait(&l->run->moved, &l->run->lock);
	mutex_unlock(&l->run->lock);
	return busy;
}

static enum err read_chunk(
	struct restorerun *r, const struct piece *p, struct fetch_chunk *chunk, struct why *why) {
	enum err e = E_NOTFOUND;
	if (p->pack) {
		struct place place = {
			.pack = p->pack->name,
			.pack_size = p->pack->size,
			.offset = p->offset,
			.length = p->length,
			.slot = p->slot,
			.cut = p->next != NULL,
			.rest_length = p->rest_length,
		};
		if (p->next) {
			place.next_pack = p->next->name;
			place.next_size = p->next->size;
		}
		e = fetch_from(r->fetch, CHUNKTYPE_CONTENT, &p->id, &place, chunk, why);
	}
	if (e && e != E_NOMEM && e != E_CANCELLED)
		e = fetch_chunk(r->fetch, CHUNKTYPE_CONTENT, &p->id, chunk, why);
	return e;
}

static void work_content(struct restorerun *r, const struct piece *p) {
	struct restorefile *f = p->file;
	struct fetch_chunk chunk;
	struct why why = { OK, "" };
	enum err e = read_chunk(r, p, &chunk, &why);
	if (!e && chunk.bytes.len != p->size) {
		e = why_set(&why, E_FORGED, "a chunk of it is not as long as it should be");
		fetch_release(r->fetch, &chunk);
	}
	if (e) {
		restorefile_fail(f);
		restorerun_broken(r, e, &why, f->dir, f->name);
		return;
	}
	if (p->data == 0 && p->size == f->stream->length) restorefile_whole(f, chunk.bytes);
	else restorefile_piece(f, p->data, chunk.bytes);
	fetch_release(r->fetch, &chunk);
}

static void work_piece(struct restorerun *r, const struct piece *p) {
	struct restorefile *f = p->file;
	if (restorerun_stopped(r)) restorefile_fail(f);
	if (!atomic_load_explicit(&f->failed, memory_order_relaxed)) {
		if (p->size) work_content(r, p);
		else if (f->type == DIRENTRY_FILE) restorefile_whole(f, span_of(NULL, 0));
		else restorefile_make(f);
	}
	restorefile_leave(f);
}

static void work(void *ctx) {
	struct restorewindow_line *l = ctx;
	void *next;
	while (queue_get(l->queue, &next) == OK) {
		struct run *run = next;
		struct restorewindow *w = run->window;
		for (uint32_t i = run->from; i < run->to; i++)
			work_piece(l->run, &w->pieces[w->order[i].piece]);
		if (atomic_fetch_sub(&w->runs_left, 1) == 1) {
			mutex_lock(&l->run->lock);
			l->under_way--;
			mutex_wake_all(&l->run->moved);
			mutex_unlock(&l->run->lock);
		}
		restorewindow_drop(w);
	}
}

enum err restorewindow_start(
	struct restorewindow_line **out, struct restorerun *r, unsigned threads, struct why *why) {
	struct restorewindow_line *l = mem_zalloc(sizeof *l);
	if (!l) return why_err(why, E_NOMEM, "restoring");
	l->run = r;
	l->next_room = PIECES_FIRST;
	l->queue = queue_new(QUEUE);
	enum err e = l->queue && grow_packs(l) ? OK : why_err(why, E_NOMEM, "restoring");
	if (threads > THREADS_MOST) threads = THREADS_MOST;
	for (unsigned i = 0; i < threads && !e; i++) {
		e = thread_start(&l->threads[i], work, l, why);
		if (!e) l->thread_count++;
	}
	if (e && l->thread_count > 0) e = OK; /* fewer threads will do */
	if (e) restorewindow_end(l);
	else *out = l;
	return e;
}

void restorewindow_end(struct restorewindow_line *l) {
	struct why why = { OK, "" };
	if (!l) return;
	if (l->queue && l->thread_count)
		err_ignore(restorewindow_flush(l, &why)); /* cannot fail while the queue is open */
	if (l->queue) queue_close(l->queue);
	for (unsigned i = 0; i < l->thread_count; i++) thread_join(&l->threads[i]);
	if (l->now) restorewindow_drop(l->now);
	queue_free(l->queue);
	for (size_t i = 0; i < l->pack_room; i++) mem_free(l->packs[i]);
	mem_free(l->packs);
	mem_free(l);
}
