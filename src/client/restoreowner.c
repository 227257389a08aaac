#include "client/restoreowner.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/mem.h"
#include "format/limits.h"

enum { ENTRY_MAX = 1 << 20 }; /* a group may have many members */

static enum err read_names(
	const struct snapshot_names *names, struct restoreowner_row **out, size_t *count) {
	struct span rest = names->items;
	*out = mem_array(names->count ? names->count : 1, sizeof **out);
	if (!*out) return E_NOMEM;
	while (*count < names->count &&
		snapshot_next_name(&rest, &(*out)[*count].id, &(*out)[*count].name))
		(*count)++;
	return OK;
}

enum err restoreowner_init(struct restoreowner *o, const struct snapshot *s, struct why *why) {
	memset(o, 0, sizeof *o);
	enum err e = read_names(&s->users, &o->users, &o->user_count);
	if (!e) e = read_names(&s->groups, &o->groups, &o->group_count);
	if (e) restoreowner_done(o);
	return why_err(why, e, "reading the names of owners");
}

void restoreowner_done(struct restoreowner *o) {
	mem_free(o->users);
	mem_free(o->groups);
	memset(o, 0, sizeof *o);
}

static struct restoreowner_row *find(struct restoreowner_row *rows, size_t count, uint32_t id) {
	size_t from = 0, to = count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (rows[middle].id < id) from = middle + 1;
		else to = middle;
	}
	return from < count && rows[from].id == id ? &rows[from] : NULL;
}

/* Looks a name up once. ${ask} gives false when there is no such name. */
static uint32_t here(struct restoreowner_row *row, uint32_t id,
	bool (*ask)(const char *name, char *room, uint32_t *out)) {
	char name[LIMIT_TEXT + 1];
	if (!row || row->name.len == 0 || row->name.len > LIMIT_TEXT) return id;
	if (row->known) return row->here;
	row->known = true;
	row->here = id;
	memcpy(name, row->name.ptr, row->name.len);
	name[row->name.len] = '\0';
	char *room = mem_alloc(ENTRY_MAX);
	uint32_t found;
	if (room && strlen(name) == row->name.len && ask(name, room, &found)) row->here = found;
	mem_free(room);
	return row->here;
}

static bool ask_user(const char *name, char *room, uint32_t *out) {
	struct passwd entry, *found = NULL;
	if (getpwnam_r(name, &entry, room, ENTRY_MAX, &found) || !found) return false;
	*out = found->pw_uid;
	return true;
}

static bool ask_group(const char *name, char *room, uint32_t *out) {
	struct group entry, *found = NULL;
	if (getgrnam_r(name, &entry, room, ENTRY_MAX, &found) || !found) return false;
	*out = found->gr_gid;
	return true;
}

uint32_t restoreowner_user(struct restoreowner *o, uint32_t id) {
	return here(find(o->users, o->user_count, id), id, ask_user);
}

uint32_t restoreowner_group(struct restoreowner *o, uint32_t id) {
	return here(find(o->groups, o->group_count, id), id, ask_group);
}
