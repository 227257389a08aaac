#include "client/choose.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/units.h"

enum { LISTED_MAX = 8, SHORT_ID = 12 };

enum err choose_filter_add(struct choose_filter *f, enum choose_by by, const char *text) {
	const char **more = mem_resize(f->by[by].texts, f->by[by].count + 1, sizeof(*f->by[by].texts));

	if (!more) return E_NOMEM;
	f->by[by].texts = more;
	more[f->by[by].count++] = text;
	return OK;
}

void choose_filter_done(struct choose_filter *f) {
	for (size_t i = 0; i < CHOOSE_BYS; i++) mem_free(f->by[i].texts);
	memset(f, 0, sizeof(*f));
}

static bool has_tag(const struct bytelist *tags, struct span tag) {
	struct span rest = tags->items, item;

	while (bytelist_next(&rest, &item))
		if (span_equal(item, tag)) return true;
	return false;
}

bool choose_has_tags(const struct stamp *stamp, const char *list) {
	if (!*list) return stamp->tags.count == 0;
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n > 0 && !has_tag(&stamp->tags, span_of(list, n))) return false;
		list += n + (list[n] == ',');
	}
	return true;
}

static bool matches(enum choose_by by, const char *text, const struct stamp *stamp) {
	switch (by) {
	case CHOOSE_HOST: return span_equal(span_text(text), stamp->host);
	case CHOOSE_BRANCH: return span_equal(span_text(text), stamp->branch);
	case CHOOSE_TAGS: return choose_has_tags(stamp, text);
	case CHOOSE_BYS: break;
	}
	return false;
}

bool choose_passes(const struct choose_filter *f, const struct vault_snapshot *s) {
	for (size_t by = 0; by < CHOOSE_BYS; by++) {
		bool any = f->by[by].count == 0;

		for (size_t i = 0; i < f->by[by].count && !any; i++)
			any = matches((enum choose_by)by, f->by[by].texts[i], &s->stamp);
		if (!any) return false;
	}
	return true;
}

/* `latest` is 0, `latest~N` is N. */
static bool parse_latest(const char *text, uint64_t *back) {
	static const char word[] = "latest";

	if (strncmp(text, word, sizeof(word) - 1) != 0) return false;
	text += sizeof(word) - 1;
	*back = 0;
	if (!*text) return true;
	return text[0] == '~' && units_parse_u64(text + 1, 0, UINT32_MAX, back) == OK;
}

static enum err choose_latest(const struct vaultstate *state, enum choose_among among,
	const struct choose_filter *filter, uint64_t back, const struct vault_snapshot **out,
	struct why *why) {
	uint64_t passed = 0, all = 0;
	char text[UNITS_TEXT];

	for (size_t i = state->snapshot_count; i > 0; i--) {
		const struct vault_snapshot *s = &state->snapshots[i - 1];

		if (s->forgotten != (among == CHOOSE_FORGOTTEN)) continue;
		all++;
		if (filter && !choose_passes(filter, s)) continue;
		if (passed++ < back) continue;
		*out = s;
		return OK;
	}
	if (passed > 0)
		return why_set(why, E_NOTFOUND, "there is no latest~%llu of %s", (unsigned long long)back,
			units_count(text, passed, "snapshot", "snapshots"));
	if (all > 0)
		return why_set(why, E_NOTFOUND, "none of %s has that host, branch and tags",
			units_count(text, all, "snapshot", "snapshots"));
	return why_set(why, E_NOTFOUND,
		among == CHOOSE_KEPT ? "the vault has no snapshot" : "no snapshot is forgotten");
}

static bool is_hex(const char *text) {
	size_t n = strspn(text, "0123456789abcdef");

	return n > 0 && n < HASH_HEX && text[n] == '\0';
}

static bool begins_with(const struct hash *id, const char *digits) {
	char hex[HASH_HEX];

	hash_hex(hex, id);
	return strncmp(hex, digits, strlen(digits)) == 0;
}

/* What an ambiguous beginning may mean, for the sentence. */
struct listed {
	char text[LISTED_MAX * (SHORT_ID + 2) + 8];
	size_t len;
	unsigned count;
};

static void list_id(struct listed *l, const struct hash *id) {
	char hex[HASH_HEX];
	int n;

	hash_hex(hex, id);
	l->count++;
	if (l->count > LISTED_MAX + 1) return;
	n = l->count > LISTED_MAX ? snprintf(l->text + l->len, sizeof(l->text) - l->len, ", ...")
							  : snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s%.*s",
									l->len ? ", " : "", SHORT_ID, hex);
	if (n > 0) l->len += (size_t)n;
}

static enum err choose_by_id(const struct vaultstate *state, enum choose_among among,
	const char *digits, const struct vault_snapshot **out, struct why *why) {
	const struct vault_snapshot *found = NULL;
	struct listed listed = { .count = 0 };
	bool other = false;

	for (size_t i = 0; i < state->snapshot_count; i++) {
		const struct vault_snapshot *s = &state->snapshots[i];

		if (!begins_with(&s->id, digits)) continue;
		if (s->forgotten != (among == CHOOSE_FORGOTTEN)) {
			other = true;
			continue;
		}
		/* the same object may be named by two entries: the later one counts */
		if (!found || hash_order(&found->id, &s->id) != 0) list_id(&listed, &s->id);
		found = s;
	}
	if (listed.count > 1)
		return why_set(why, E_USAGE, "\"%s\" may be several snapshots: %s", digits, listed.text);
	if (found) {
		*out = found;
		return OK;
	}
	if (other)
		return why_set(why, E_NOTFOUND,
			among == CHOOSE_KEPT ? "snapshot %s was forgotten (broch keep undoes that)"
								 : "snapshot %s is not forgotten",
			digits);
	return why_set(why, E_NOTFOUND, "there is no snapshot %s", digits);
}

enum err choose_snapshot(const struct vaultstate *state, enum choose_among among,
	const struct choose_filter *filter, const char *text, const struct vault_snapshot **out,
	struct why *why) {
	uint64_t back;

	if (parse_latest(text, &back)) return choose_latest(state, among, filter, back, out, why);
	if (is_hex(text)) return choose_by_id(state, among, text, out, why);
	return why_set(why, E_NOTFOUND,
		"\"%s\" is no snapshot: give an id, the beginning of one, latest or latest~N", text);
}
