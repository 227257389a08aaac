#include "store/packs.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "os/file.h"
#include "store/packfds.h"

enum { FOLDERS = 256 };

/* What is known of the folders of one vault, in this process. */
struct vault {
	struct vault *next;
	struct hash id;
	bool made[FOLDERS];  /* it is there */
	bool dirty[FOLDERS]; /* names in it were seen or made since it was last synced */
	bool any_dirty;
};

struct packs {
	struct folder *folder;
	struct packfds *fds;
	struct mutex
		flushing; /* held through a flush: who finds nothing dirty must not overtake who still syncs it */
	struct mutex lock; /* over what follows */
	struct vault *vaults;
};

struct packs *packs_new(struct folder *f) {
	struct packs *p = mem_zalloc(sizeof *p);
	if (!p) return NULL;
	p->fds = packfds_new();
	if (!p->fds) {
		mem_free(p);
		return NULL;
	}
	p->folder = f;
	mutex_init(&p->flushing);
	mutex_init(&p->lock);
	return p;
}

void packs_free(struct packs *p) {
	if (!p) return;
	while (p->vaults) {
		struct vault *next = p->vaults->next;
		mem_free(p->vaults);
		p->vaults = next;
	}
	packfds_free(p->fds);
	mutex_done(&p->lock);
	mutex_done(&p->flushing);
	mem_free(p);
}

/*
 * The vault's record; with ${make} a new one if need be. NULL if there is none, or no memory. The
 * lock is held.
 */
static struct vault *vault_of(struct packs *p, const struct hash *id, bool make) {
	struct vault *v = p->vaults;
	while (v && !hash_equal(&v->id, id)) v = v->next;
	if (v || !make) return v;
	v = mem_zalloc(sizeof *v);
	if (!v) return NULL;
	v->id = *id;
	v->next = p->vaults;
	p->vaults = v;
	return v;
}

/*
 * Notes that the next flush has to make a name durable: not only those made here. A pack of a run
 * that was killed before its flush can be seen, and used again, and still be lost in a power cut.
 */
static enum err mark(
	struct packs *p, const struct hash *vault, const struct hash *name, struct why *why) {
	mutex_lock(&p->lock);
	struct vault *v = vault_of(p, vault, true);
	if (v) {
		v->made[name->b[0]] = true;
		v->dirty[name->b[0]] = true;
		v->any_dirty = true;
	}
	mutex_unlock(&p->lock);
	return v ? OK : why_err(why, E_NOMEM, "packs");
}

static bool is_made(struct packs *p, const struct hash *vault, uint8_t first) {
	mutex_lock(&p->lock);
	const struct vault *v = vault_of(p, vault, false);
	bool made = v && v->made[first];
	mutex_unlock(&p->lock);
	return made;
}

enum err packs_put(struct packs *p, const struct hash *vault, const struct hash *name,
	struct span bytes, struct why *why) {
	enum err e = OK;
	if (!is_made(p, vault, name->b[0])) {
		struct folder_path parent = folder_pack_folder(vault, name->b[0]);
		e = folder_make(p->folder, parent.text, why);
		if (e != OK) return e;
	}
	struct folder_path path = folder_pack(vault, name);
	e = folder_place(p->folder, &path, bytes, true, why);
	if (e != OK) return e;
	return mark(p, vault, name, why);
}

enum err packs_get(struct packs *p, const struct hash *vault, const struct hash *name,
	uint64_t offset, size_t length, uint8_t *out, struct why *why) {
	struct folder_path path = folder_pack(vault, name);
	struct packfds_use use;
	enum err e = packfds_take(p->fds, vault, name, p->folder->root, path.text, &use, why);
	if (e != OK) return e;
	e = file_read_at(use.fd, offset, out, length, why);
	packfds_give(p->fds, &use);
	if (e != OK && why) (void)why_in(why, path.text);
	return e;
}

enum err packs_size(struct packs *p, const struct hash *vault, const struct hash *name,
	uint64_t *size, struct why *why) {
	struct folder_path path = folder_pack(vault, name);
	enum err e = folder_look(p->folder, &path, size, why);
	if (e != OK) return e;
	return mark(p, vault, name, why);
}

struct listing {
	struct packs *packs;
	const struct hash *vault;
	int first; /* of the names in the folder under way */
	store_pack_visit *visit;
	void *ctx;
};

/* What is not a pack's name, or not in its folder, is not of ours and not listed. */
static enum err list_pack(void *ctx, const struct dirent *entry, struct why *why) {
	const struct listing *l = ctx;
	struct hash name;
	if (hash_parse_hex(&name, span_text(entry->d_name)) != OK || name.b[0] != l->first) return OK;
	uint64_t size;
	enum err e = packs_size(l->packs, l->vault, &name, &size, why);
	if (e == E_NOTFOUND) return OK; /* deleted meanwhile */
	if (e != OK) return e;
	return l->visit(l->ctx, &name, size, why);
}

enum err packs_list(struct packs *p, const struct hash *vault, store_pack_visit *visit, void *ctx,
	struct why *why) {
	struct listing l = { .packs = p, .vault = vault, .visit = visit, .ctx = ctx };
	for (l.first = 0; l.first < FOLDERS; l.first++) {
		struct folder_path path = folder_pack_folder(vault, (uint8_t)l.first);
		int fd = -1;
		enum err e = file_open_folder(p->folder->root, path.text, &fd, why);
		if (e == E_NOTFOUND) continue;
		if (e != OK) return e;
		e = file_list(fd, ".", list_pack, &l, why);
		file_close(&fd);
		if (e != OK) return e;
	}
	return OK;
}

enum err packs_delete(
	struct packs *p, const struct hash *vault, const struct hash *name, struct why *why) {
	struct folder_path path = folder_pack(vault, name);
	packfds_drop(p->fds, vault, name);
	/* Not synced: a pack that a power cut brings back is only a pack that nobody needs. */
	return file_remove(p->folder->root, path.text, why);
}

static bool take_dirty(struct packs *p, const struct hash *vault, bool dirty[FOLDERS]) {
	mutex_lock(&p->lock);
	struct vault *v = vault_of(p, vault, false);
	bool any = v && v->any_dirty;
	if (any) {
		memcpy(dirty, v->dirty, sizeof v->dirty);
		memset(v->dirty, 0, sizeof v->dirty);
		v->any_dirty = false;
	}
	mutex_unlock(&p->lock);
	return any;
}

static enum err sync_vault(
	struct packs *p, const struct hash *vault, const bool dirty[FOLDERS], struct why *why) {
	enum err e = OK;
	for (int i = 0; e == OK && i < FOLDERS; i++) {
		if (!dirty[i]) continue;
		struct folder_path path = folder_pack_folder(vault, (uint8_t)i);
		e = folder_sync(p->folder, path.text, why);
	}
	/* The folders may have been made by another process, which has not synced their names yet. */
	struct folder_path path = folder_vault(vault);
	if (e == OK) e = folder_sync(p->folder, path.text, why);
	if (e == OK) e = folder_sync(p->folder, "packs", why);
	return e;
}

enum err packs_flush(struct packs *p, const struct hash *vault, struct why *why) {
	bool dirty[FOLDERS];
	mutex_lock(&p->flushing);
	/* First of all: what another flush could not make durable is dirty no more, and yet lost. */
	enum err e = folder_check(p->folder, why);
	if (e == OK && take_dirty(p, vault, dirty)) e = sync_vault(p, vault, dirty, why);
	mutex_unlock(&p->flushing);
	return e;
}
