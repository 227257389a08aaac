#include "client/checkreport.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX = 128, TEXT = WHY_MAX + PREFIX };

static const char *const words[CHECKREPORT_KINDS] = {
	[CHECKREPORT_PACK] = "pack",
	[CHECKREPORT_INDEX] = "index",
	[CHECKREPORT_ENTRY] = "entry",
	[CHECKREPORT_CHAIN] = "chain",
	[CHECKREPORT_OBJECT] = "object",
	[CHECKREPORT_LOCATOR] = "locator",
	[CHECKREPORT_SNAPSHOT] = "snapshot",
	[CHECKREPORT_CHUNK] = "chunk",
	[CHECKREPORT_INTENT] = "intent",
	[CHECKREPORT_VAULT] = "vault",
};

const char *checkreport_word(enum checkreport_kind kind) {
	return words[kind];
}

void checkreport_init(struct checkreport *r) {
	mutex_init(&r->lock);
}

void checkreport_done(struct checkreport *r) {
	mutex_done(&r->lock);
}

static void prefix_of(char out[PREFIX], const struct checkreport_item *item) {
	char hex[HASH_HEX];
	hash_hex(hex, &item->name);
	switch (item->kind) {
	case CHECKREPORT_ENTRY:
		(void)snprintf(
			out, PREFIX, "chain %s, entry %llu", hex, (unsigned long long)item->sequence);
		break;
	case CHECKREPORT_INTENT:
		(void)snprintf(
			out, PREFIX, "vault %s, intent %llu", hex, (unsigned long long)item->sequence);
		break;
	case CHECKREPORT_INDEX: (void)snprintf(out, PREFIX, "the index in pack %s", hex); break;
	default: (void)snprintf(out, PREFIX, "%s %s", words[item->kind], hex);
	}
}

static void report(struct checkreport *r, struct checkreport_item *item, const char *what) {
	char prefix[PREFIX], text[TEXT];
	prefix_of(prefix, item);
	bool has_prefix = strncmp(what, prefix, strlen(prefix)) == 0;
	(void)snprintf(
		text, sizeof text, "%s%s%s", has_prefix ? "" : prefix, has_prefix ? "" : ": ", what);
	item->text = text;
	mutex_lock(&r->lock);
	if (item->is_warning) r->counts.warnings++;
	else r->counts.damaged++;
	if (r->found) r->found(r->ctx, item);
	mutex_unlock(&r->lock);
}

void checkreport_damage(struct checkreport *r, enum checkreport_kind kind, const struct hash *name,
	uint64_t sequence, const char *what) {
	struct checkreport_item item = { .kind = kind, .name = *name, .sequence = sequence };
	report(r, &item, what);
}

void checkreport_warning(struct checkreport *r, enum checkreport_kind kind, const struct hash *name,
	uint64_t sequence, const char *what) {
	struct checkreport_item item = {
		.kind = kind, .is_warning = true, .name = *name, .sequence = sequence
	};
	report(r, &item, what);
}

/* "${word} " and 64 digits at the beginning of a sentence. */
static bool names(const char *text, const char *word, struct hash *out) {
	size_t len = strlen(word);
	if (strncmp(text, word, len) != 0 || text[len] != ' ') return false;
	return strlen(text) >= len + HASH_HEX &&
		hash_parse_hex(out, span_of(text + len + 1, HASH_HEX - 1)) == OK;
}

bool checkreport_why(struct checkreport *r, enum checkreport_kind kind, const struct hash *name,
	const struct why *why, struct hash *pack) {
	static const enum checkreport_kind known[] = { CHECKREPORT_PACK, CHECKREPORT_CHUNK,
		CHECKREPORT_OBJECT };
	struct hash named = *name;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!names(why->msg, words[known[i]], &named)) continue;
		kind = known[i];
		break;
	}
	checkreport_damage(r, kind, &named, 0, why->msg);
	if (kind == CHECKREPORT_PACK && pack) *pack = named;
	return kind == CHECKREPORT_PACK;
}

void checkreport_tick(struct checkreport *r, const struct checkreport_progress *p) {
	if (!r->ticked) return;
	mutex_lock(&r->lock);
	r->ticked(r->ctx, p);
	mutex_unlock(&r->lock);
}

void checkreport_add(struct checkreport *r, const struct checkreport_counts *more) {
	uint64_t now[sizeof *more / sizeof(uint64_t)], add[sizeof *more / sizeof(uint64_t)];
	static_assert(sizeof now == sizeof *more, "counts are all of one type");
	memcpy(now, &r->counts, sizeof now);
	memcpy(add, more, sizeof add);
	for (size_t i = 0; i < sizeof now / sizeof *now; i++) now[i] += add[i];
	memcpy(&r->counts, now, sizeof now);
}
