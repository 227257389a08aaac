#include "client/backupowners.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { NAMES_MAX = 1 << 20 };

void backupowners_init(struct backupowners *o) {
	memset(o, 0, sizeof *o);
	buf_init(&o->users.names, NAMES_MAX);
	buf_init(&o->groups.names, NAMES_MAX);
}

void backupowners_done(struct backupowners *o) {
	mem_free(o->users.ids);
	mem_free(o->groups.ids);
	buf_free(&o->users.names);
	buf_free(&o->groups.names);
}

/* There are few; the last one is met most. */
static enum err saw(struct backupowners_ids *s, uint32_t id) {
	for (size_t i = s->count; i > 0; i--)
		if (s->ids[i - 1] == id) return OK;
	if (s->count == LIMIT_SNAPSHOT_NAMES) return OK;
	if (s->count == s->room) {
		size_t more = s->room ? s->room * 2 : 16;
		uint32_t *p = mem_resize(s->ids, more, sizeof *p);
		if (!p) return E_NOMEM;
		s->ids = p;
		s->room = more;
	}
	s->ids[s->count++] = id;
	return OK;
}

enum err backupowners_saw(struct backupowners *o, const struct stat *st) {
	enum err e = saw(&o->users, st->st_uid);
	return e ? e : saw(&o->groups, st->st_gid);
}

enum err backupowners_add(struct backupowners *o, const struct backupowners *more) {
	enum err e = OK;
	for (size_t i = 0; i < more->users.count && !e; i++) e = saw(&o->users, more->users.ids[i]);
	for (size_t i = 0; i < more->groups.count && !e; i++) e = saw(&o->groups, more->groups.ids[i]);
	return e;
}

static int by_id(const void *a, const void *b) {
	uint32_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

static const char *user_name(uint32_t id) {
	const struct passwd *p = getpwuid(id);
	return p ? p->pw_name : NULL;
}

static const char *group_name(uint32_t id) {
	const struct group *g = getgrgid(id);
	return g ? g->gr_name : NULL;
}

static enum err name_all(
	struct backupowners_ids *s, const char *(*name_of)(uint32_t), struct snapshot_names *names) {
	enum err e = OK;
	if (s->count) qsort(s->ids, s->count, sizeof *s->ids, by_id);
	buf_clear(&s->names);
	names->count = 0;
	for (size_t i = 0; i < s->count && !e; i++) {
		const char *name = name_of(s->ids[i]);
		if (!name || strlen(name) > LIMIT_TEXT) continue;
		e = snapshot_add_name(&s->names, s->ids[i], span_text(name));
		if (!e) names->count++;
	}
	names->items = buf_span(&s->names);
	return e;
}

enum err backupowners_names(
	struct backupowners *o, struct snapshot_names *users, struct snapshot_names *groups) {
	enum err e = name_all(&o->users, user_name, users);
	return e ? e : name_all(&o->groups, group_name, groups);
}
