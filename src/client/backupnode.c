#include "client/backupnode.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

/* Memory of a folder that is released as a whole. */
struct backupnode_arena {
	struct backupnode_arena *next;
	size_t used, size;
	uint8_t bytes[];
};

enum { ARENA_PAGE = 32 * 1024, ARENA_FIRST = 2048 };

uint8_t *backupnode_room(struct backupnode *n, size_t len) {
	mutex_lock(&n->lock);
	struct backupnode_arena *a = n->arena;
	if (!a || a->size - a->used < len) {
		size_t size = len > ARENA_PAGE ? len : ARENA_PAGE;
		if (!a && len < ARENA_FIRST) size = ARENA_FIRST; /* most folders are small */
		struct backupnode_arena *more = mem_alloc(sizeof *more + size);
		if (!more) {
			mutex_unlock(&n->lock);
			return NULL;
		}
		*more = (struct backupnode_arena){ .next = a, .size = size };
		n->arena = a = more;
	}
	uint8_t *at = a->bytes + a->used;
	a->used += len;
	mutex_unlock(&n->lock);
	return at;
}

struct backupnode *backupnode_new(struct backupwalk *w, struct backupnode *parent, size_t place,
	const char *name, struct backupsources_node *source) {
	struct backupnode *n = mem_zalloc(sizeof *n);
	if (!n) return NULL;
	n->w = w;
	n->parent = parent;
	n->place = place;
	n->name = name;
	n->source = source && !source->whole ? source : NULL;
	n->is_named = source != NULL;
	n->pending = 1;
	backupfolder_init(&n->folder, parent ? &parent->folder : NULL, name, n->source != NULL);
	mutex_init(&n->lock);
	return n;
}

void backupnode_free(struct backupnode *n) {
	for (struct backupnode_arena *a = n->arena; a;) {
		struct backupnode_arena *next = a->next;
		mem_free(a);
		a = next;
	}
	mem_free(n->items);
	mutex_done(&n->lock);
	backupfolder_close(&n->w->folders, &n->folder);
	mem_free(n);
}

const char *backupnode_path(
	struct backupwalk_worker *k, const struct backupnode *n, const char *name) {
	size_t len = name ? strlen(name) + 1 : 0;
	for (const struct backupnode *p = n; p->parent; p = p->parent) len += strlen(p->name) + 1;
	buf_clear(&k->path);
	uint8_t *at;
	if (buf_extend(&k->path, len + 2, &at)) return "";
	uint8_t *end = at + len;
	*end = '\0';
	if (len == 0) return memcpy(at, "/", 2);
	if (name) {
		end -= strlen(name);
		memcpy(end, name, strlen(name));
		*--end = '/';
	}
	for (const struct backupnode *p = n; p->parent; p = p->parent) {
		end -= strlen(p->name);
		memcpy(end, p->name, strlen(p->name));
		*--end = '/';
	}
	return (const char *)at;
}

void backupnode_note(struct backupwalk_worker *k, const struct backupnode *n, const char *name,
	enum backup_note note, const char *text) {
	backupwalk_note(n->w, note, backupnode_path(k, n, name), text);
}

enum err backupnode_encode(struct backupwalk_worker *k, struct backupnode *n,
	struct backupnode_item *item, const struct direntry *d, struct why *why) {
	buf_clear(&k->entry);
	enum err e = direntry_encode(d, &k->entry);
	if (e == E_LIMIT || e == E_USAGE) {
		atomic_fetch_add(&n->w->unreadable, 1);
		backupwalk_note(n->w, BACKUP_UNREADABLE, backupnode_path(k, n, item->name),
			"its name or attributes cannot be stored");
		return OK;
	}
	if (e) return why_err(why, e, "storing an entry");
	struct reader r = reader_over(buf_span(&k->entry));
	struct span body = reader_bytes(&r, LIMIT_DIRENTRY);
	uint8_t *at = backupnode_room(n, body.len);
	if (!at) return why_err(why, E_NOMEM, "storing an entry");
	memcpy(at, body.ptr, body.len);
	item->body = span_of(at, body.len);
	return OK;
}

void backupnode_leave_out(
	struct backupwalk_worker *k, struct backupnode *n, const char *name, const struct why *why) {
	atomic_fetch_add(&n->w->unreadable, 1);
	backupwalk_note(n->w, BACKUP_UNREADABLE, backupnode_path(k, n, name), why->msg);
}
