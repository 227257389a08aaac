#include "client/checktree.h"

#include <string.h>

#include "base/mem.h"
#include "client/folderread.h"
#include "client/treewalk.h"
#include "core/chunkset.h"
#include "format/chunktype.h"
#include "format/snapshot.h"
#include "os/signals.h"

enum { PATHS = 5, PATH_MAX_BYTES = 1 << 20, TICK_EACH = 256 };
enum folder_state { WALKING = 1, WHOLE = 2, DAMAGED = 3 };

/* What is kept of the folders in folders under way. */
static const size_t later_max = (size_t)1 << 30;

/* A folder under way. */
struct frame {
	struct frame *above;
	struct folderread_later later; /* folders in it */
	char name[LIMIT_NAME];
	size_t name_len;
	uint32_t number; /* of its state */
	bool damaged;
	bool again; /* it was walked before, and was damaged: nothing is reported twice */
};

struct checktree {
	struct checkreport *r;
	struct fetch *fetch;
	struct packset *packs;
	struct chunkset *folders;  /* by the id of their stream; the pack number is their state */
	struct chunkset *reported; /* chunks that are missing */
	bool scanned;
	uint64_t doomed;
	struct hash doomed_pack;
	/* of the snapshot under way */
	struct buf paths[PATHS];
	size_t path_count;
	bool lost, more;
	size_t kept; /* bytes, in all frames */
	uint64_t steps;
};

enum err checktree_new(struct checktree **out, struct checkreport *r, struct fetch *fetch,
	struct packset *packs, struct why *why) {
	struct checktree *t = mem_zalloc(sizeof *t);
	if (!t) return why_err(why, E_NOMEM, "walking snapshots");
	t->r = r;
	t->fetch = fetch;
	t->packs = packs;
	for (size_t i = 0; i < PATHS; i++) buf_init(&t->paths[i], PATH_MAX_BYTES);
	enum err e = chunkset_new(&t->folders);
	if (!e) e = chunkset_new(&t->reported);
	if (e) checktree_free(t);
	else *out = t;
	return why_err(why, e, "walking snapshots");
}

void checktree_free(struct checktree *t) {
	if (!t) return;
	for (size_t i = 0; i < PATHS; i++) buf_free(&t->paths[i]);
	chunkset_free(t->folders);
	chunkset_free(t->reported);
	mem_free(t);
}

uint64_t checktree_doomed(const struct checktree *t, struct hash *pack) {
	*pack = t->doomed_pack;
	return t->doomed;
}

/* What ends a check; anything else is damage, and it goes on. */
static bool is_final(enum err e) {
	return e == E_NOMEM || e == E_CANCELLED;
}

static enum err add_name(struct buf *out, const struct frame *f) {
	/* from the top: so the chain of frames is turned round first */
	const struct frame *chain[64];
	size_t n = 0;
	for (; f && f->above && n < 64; f = f->above) chain[n++] = f;
	enum err e = f && f->above ? buf_add(out, span_text("/...")) : OK;
	while (n-- > 0 && !e) {
		e = buf_add(out, span_text("/"));
		if (!e) e = buf_add(out, span_of(chain[n]->name, chain[n]->name_len));
	}
	return e;
}

/* ${name} in the folder ${f} cannot be restored as it was. */
static enum err lose(struct checktree *t, const struct frame *f, const struct span *name) {
	enum err e = OK;
	t->lost = true;
	if (t->path_count == PATHS) {
		t->more = true;
		return OK;
	}
	struct buf *b = &t->paths[t->path_count];
	buf_clear(b);
	e = add_name(b, f);
	if (!e && (name || b->len == 0)) e = buf_add(b, span_text("/"));
	if (!e && name) e = buf_add(b, *name);
	if (!e) t->path_count++;
	return e == E_LIMIT ? OK : e;
}

/* Marks the pack that a reader's sentence names: from now on what lies in it is read. */
static void report(struct checktree *t, const struct hash *id, const struct why *why, bool again) {
	struct hash name;
	if (again || !checkreport_why(t->r, CHECKREPORT_CHUNK, id, why, &name)) return;
	struct packset_pack *pack = packset_find(t->packs, &name);
	if (pack) atomic_store(&pack->is_bad, true);
}

enum place_state { PLACE_GONE, PLACE_BAD, PLACE_DOOMED, PLACE_GOOD };

static enum place_state judge_pack(
	const struct checktree *t, const struct hash *name, uint64_t size, uint64_t end) {
	const struct packset_pack *p = packset_find(t->packs, name);
	if (!p || p->size != size || end > size) return PLACE_GONE;
	if (atomic_load(&p->is_bad)) return PLACE_BAD;
	return p->is_doomed ? PLACE_DOOMED : PLACE_GOOD;
}

static enum place_state judge(const struct checktree *t, const struct place *p) {
	enum place_state s = judge_pack(t, &p->pack, p->pack_size, (uint64_t)p->offset + p->length);
	if (!p->cut) return s;
	enum place_state next =
		judge_pack(t, &p->next_pack, p->next_size, (uint64_t)SIZE_PACK_HEADER + p->rest_length);
	return next < s ? next : s;
}

static bool reads(struct checktree *t, const struct hash *id, const struct place *p) {
	struct fetch_chunk chunk;
	if (fetch_from(t->fetch, CHUNKTYPE_CONTENT, id, p, &chunk, NULL)) return false;
	fetch_release(t->fetch, &chunk);
	return true;
}

static enum err look(struct checktree *t, const struct hash *id, enum place_state *best,
	struct place *at, size_t *count, struct why *why) {
	struct places_cursor c = { .where = PLACES_ANY };
	struct place place;
	bool found = true;
	*best = PLACE_GONE;
	/* further places only where the first ones are gone */
	for (*count = 0; *count < PLACES_EACH || *best == PLACE_GONE; ++*count) {
		enum err e = places_next(fetch_places(t->fetch), id, &c, &place, &found, why);
		if (e || !found) return e;
		enum place_state s = judge(t, &place);
		if (s == PLACE_BAD && !reads(t, id, &place)) s = PLACE_GONE;
		if (s <= *best) continue;
		*best = s;
		*at = place;
	}
	return OK;
}

/* Whether a chunk of a file's content is there, as far as can be said without reading it. */
static enum err check_content(
	struct checktree *t, const struct hash *id, bool *there, struct why *why) {
	enum place_state best;
	struct place at;
	size_t count = 0;
	enum err e = look(t, id, &best, &at, &count, why);
	if (!e && best == PLACE_GONE && !t->scanned) {
		t->scanned = true;
		e = places_scan_all(fetch_places(t->fetch), why);
	}
	if (!e && best == PLACE_GONE) e = look(t, id, &best, &at, &count, why);
	*there = best != PLACE_GONE;
	if (!e && best == PLACE_DOOMED) {
		t->doomed++;
		t->doomed_pack = at.pack;
	}
	if (e || *there) return e;
	uint32_t number;
	bool fresh;
	e = why_err(why, chunkset_claim(t->reported, id, &number, &fresh), "walking snapshots");
	/* a damaged pack is reported as that, not chunk by chunk */
	if (!e && fresh && count == 0)
		checkreport_damage(t->r, CHECKREPORT_CHUNK, id, 0, "is missing: no pack holds it");
	return e;
}

static enum err stop(struct checktree *t, struct why *why) {
	if (t->steps++ % TICK_EACH == 0) {
		struct checkreport_progress p = { .step = "walking snapshots",
			.done = t->r->counts.files + t->r->counts.folders };
		checkreport_tick(t->r, &p);
	}
	return signals_asked() ? why_set(why, E_CANCELLED, "interrupted") : OK;
}

static enum err check_file(
	struct checktree *t, struct frame *f, const struct direntry *d, struct why *why) {
	struct streamread s;
	struct streamref_item item;
	struct why reason = { OK, "" };
	bool more = true, whole = true;
	enum err e = streamread_open(&s, t->fetch, CHUNKTYPE_CONTENT, &d->stream, &reason);
	while (!e) {
		bool there;
		e = streamread_next(&s, &item, &more, &reason);
		if (e || !more) break;
		t->r->counts.chunks_needed++;
		e = check_content(t, &item.id, &there, &reason);
		if (!e) e = stop(t, &reason);
		if (!e && !there) whole = false;
	}
	streamread_close(&s);
	t->r->counts.files++;
	if (is_final(e)) {
		*why = reason;
		return e;
	}
	if (e) report(t, &d->stream.id, &reason, f->again);
	if (!e && whole) return OK;
	f->damaged = true;
	return why_err(why, lose(t, f, &d->name), "walking snapshots");
}

/* Takes the topmost frame away. */
static void pop(struct checktree *t, struct frame **top) {
	struct frame *f = *top;
	*top = f->above;
	t->kept -= f->later.bytes.len;
	folderread_later_done(&f->later);
	mem_free(f);
}

static enum err check_malformed(struct checktree *t, struct frame *f, struct why *why) {
	struct hash id = chunkset_at(t->folders, f->number)->id;
	if (!f->again)
		checkreport_damage(t->r, CHECKREPORT_CHUNK, &id, 0, "the folder in it is malformed");
	f->damaged = true;
	return why_err(why, lose(t, f, NULL), "walking snapshots");
}

static enum err check_entry(
	struct checktree *t, struct frame *f, const struct direntry *d, struct why *why) {
	if (d->type == DIRENTRY_FILE) return check_file(t, f, d, why);
	if (d->type != DIRENTRY_DIRECTORY) return OK;
	/* a folder that is known to be damaged, and not walked again, is damage here too */
	const struct chunkset_item *known =
		d->stream.length ? chunkset_find(t->folders, &d->stream.id) : NULL;
	if (known && known->pack == DAMAGED) f->damaged = true;
	return why_err(why, folderread_later_add(&f->later, d->name, &d->stream),
		"walking snapshots with so many folders");
}

/* The files of a folder; its folders are kept for later. What cannot be read of it is lost. */
static enum err read_folder(
	struct checktree *t, struct frame *f, const struct streamref *ref, struct why *why) {
	struct folderread r;
	struct why reason = { OK, "" };
	bool more = true;
	enum err e = folderread_open(&r, t->fetch, ref, &reason), final = OK;
	while (!e && !final) {
		struct direntry d;
		e = folderread_next(&r, &d, &more, &reason);
		if (e || !more) break;
		final = check_entry(t, f, &d, why);
	}
	folderread_close(&r);
	t->kept += f->later.bytes.len;
	if (final || !e) return final;
	if (e == E_FORMAT) return check_malformed(t, f, why);
	if (is_final(e)) {
		*why = reason;
		return e;
	}
	report(t, &ref->id, &reason, f->again);
	f->damaged = true;
	return why_err(why, lose(t, f, NULL), "walking snapshots");
}

/* Begins a folder, unless it is known to be whole. */
static enum err enter(struct checktree *t, struct frame **top, const struct streamref *ref,
	struct span name, struct why *why) {
	uint32_t number = 0;
	bool fresh = true;
	enum err e = stop(t, why);
	if (!e && ref->length)
		e = why_err(
			why, chunkset_claim(t->folders, &ref->id, &number, &fresh), "walking snapshots");
	if (e || ref->length == 0) return e;
	struct chunkset_item *state = chunkset_at(t->folders, number);
	if (!fresh && state->pack != DAMAGED) return OK;
	if (!fresh && t->path_count == PATHS) {
		t->lost = t->more = true;
		return OK;
	}
	state->pack = WALKING;
	struct frame *f = mem_zalloc(sizeof *f);
	if (!f) return why_err(why, E_NOMEM, "walking snapshots");
	folderread_later_init(&f->later, later_max - t->kept);
	if (name.len) memcpy(f->name, name.ptr, name.len);
	f->name_len = name.len;
	f->number = number;
	f->again = !fresh;
	f->above = *top;
	*top = f;
	t->r->counts.folders++;
	return read_folder(t, f, ref, why);
}

static void leave(struct checktree *t, struct frame **top) {
	struct frame *f = *top;
	chunkset_at(t->folders, f->number)->pack = f->damaged ? DAMAGED : WHOLE;
	if (f->damaged && f->above) f->above->damaged = true;
	pop(t, top);
}

static enum err walk(struct checktree *t, const struct streamref *root, struct why *why) {
	struct frame *top = NULL;
	enum err e = enter(t, &top, root, span_of(NULL, 0), why);
	while (top && !e) {
		struct span name;
		struct streamref ref;
		if (folderread_later_next(&top->later, &name, &ref)) e = enter(t, &top, &ref, name, why);
		else leave(t, &top);
	}
	while (top) pop(t, &top);
	return e;
}

enum err checktree_snapshot(struct checktree *t, const struct hash *id, struct why *why) {
	struct snapshot s;
	struct buf bytes;
	struct why reason = { OK, "" };
	struct span paths[PATHS];
	t->path_count = 0;
	t->lost = t->more = false;
	buf_init(&bytes, LIMIT_SNAPSHOT);
	enum err e = treewalk_snapshot(t->fetch, id, &s, &bytes, &reason);
	if (!e) {
		e = walk(t, &s.root, why);
	} else if (is_final(e)) {
		*why = reason;
	} else {
		report(t, id, &reason, false);
		t->lost = true;
		e = OK;
	}
	buf_free(&bytes);
	if (e || !t->lost) return e;
	for (size_t i = 0; i < t->path_count; i++) paths[i] = buf_span(&t->paths[i]);
	struct checkreport_loss loss = {
		.snapshot = *id, .paths = paths, .path_count = t->path_count, .more = t->more
	};
	t->r->counts.snapshots_lost++;
	mutex_lock(&t->r->lock);
	if (t->r->lost) t->r->lost(t->r->ctx, &loss);
	mutex_unlock(&t->r->lock);
	return OK;
}
