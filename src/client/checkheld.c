#include "client/checkheld.h"

#include <string.h>

#include "base/mem.h"

struct checkheld_found {
	struct checkheld_found *next;
	bool is_loss;
	union {
		struct checkreport_item item;
		struct checkreport_loss loss;
	};
	struct span paths[]; /* of a loss; then their bytes, or the text of an item */
};

static void tell_item(struct checkreport *to, const struct checkreport_item *item) {
	if (item->is_warning)
		checkreport_warning(to, item->kind, &item->name, item->sequence, item->text);
	else checkreport_damage(to, item->kind, &item->name, item->sequence, item->text);
}

static void tell_loss(struct checkreport *to, const struct checkreport_loss *loss) {
	mutex_lock(&to->lock);
	if (to->lost) to->lost(to->ctx, loss);
	mutex_unlock(&to->lock);
}

static void tell_found(struct checkheld *h) {
	for (const struct checkheld_found *f = h->first; f; f = f->next) {
		if (f->is_loss) tell_loss(h->to, &f->loss);
		else tell_item(h->to, &f->item);
	}
}

static void drop_found(struct checkheld *h) {
	while (h->first) {
		struct checkheld_found *f = h->first;
		h->first = f->next;
		mem_free(f);
	}
	h->end = &h->first;
	h->count = h->bytes = 0;
}

/* Room for one more with ${len} bytes behind it; NULL: it is to be told, and all before it was. */
static struct checkheld_found *add(struct checkheld *h, size_t len) {
	struct checkheld_found *f = NULL;
	if (!h->passes && h->count < CHECKHELD_MOST && len <= CHECKHELD_BYTES - h->bytes)
		f = mem_zalloc(sizeof *f + len);
	if (!f) {
		h->passes = true;
		tell_found(h);
		drop_found(h);
		return NULL;
	}
	h->count++;
	h->bytes += len;
	*h->end = f;
	h->end = &f->next;
	return f;
}

static void hold_item(void *ctx, const struct checkreport_item *item) {
	struct checkheld *h = ctx;
	size_t len = strlen(item->text) + 1;
	struct checkheld_found *f = add(h, len);
	if (!f) {
		tell_item(h->to, item);
		return;
	}
	f->item = *item;
	f->item.text = memcpy(f->paths, item->text, len);
}

static void hold_loss(void *ctx, const struct checkreport_loss *loss) {
	struct checkheld *h = ctx;
	size_t spans = loss->path_count * sizeof *loss->paths, bytes = 0;
	for (size_t i = 0; i < loss->path_count; i++) bytes += loss->paths[i].len;
	struct checkheld_found *f = add(h, spans + bytes);
	if (!f) {
		tell_loss(h->to, loss);
		return;
	}
	uint8_t *at = (uint8_t *)f->paths + spans;
	for (size_t i = 0; i < loss->path_count; i++) {
		struct span path = loss->paths[i];
		if (path.len) memcpy(at, path.ptr, path.len);
		f->paths[i] = span_of(at, path.len);
		at += path.len;
	}
	f->is_loss = true;
	f->loss = *loss;
	f->loss.paths = f->paths;
}

static void pass_tick(void *ctx, const struct checkreport_progress *p) {
	const struct checkheld *h = ctx;
	checkreport_tick(h->to, p);
}

void checkheld_init(struct checkheld *h, struct checkreport *to) {
	*h = (struct checkheld){ .to = to };
	h->report.found = hold_item;
	h->report.lost = hold_loss;
	h->report.ticked = pass_tick;
	h->report.ctx = h;
	h->end = &h->first;
	checkreport_init(&h->report);
}

void checkheld_drop(struct checkheld *h) {
	drop_found(h);
	h->report.counts = (struct checkreport_counts){ 0 };
}

void checkheld_done(struct checkheld *h) {
	checkheld_drop(h);
	checkreport_done(&h->report);
}

void checkheld_tell(struct checkheld *h) {
	struct checkreport_counts counts = h->report.counts;
	counts.damaged = counts.warnings = 0; /* counted when they are told */
	checkreport_add(h->to, &counts);
	tell_found(h);
	checkheld_drop(h);
}
