#include "store/embedded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "format/storemark.h"
#include "os/file.h"
#include "store/chaincheck.h"
#include "store/chains.h"
#include "store/folder.h"
#include "store/packs.h"
#include "store/race.h"
#include "store/storeverbs.h"

enum { HEAD_MAX = 4096 };

static const char head_name[] = "broch-store";
static const char *const folders[] = { "tmp", "packs", "chains", "objects", "locators" };
enum { FOLDERS = sizeof folders / sizeof folders[0] };

static const char readme[] =
	"This folder is a Broch store: encrypted backups. Nothing in it can be read, and nothing in\n"
	"it can be told apart from random bytes, without the keys of a device or a recovery kit.\n"
	"\n"
	"Do not change, rename or remove anything in it by hand: a missing file can mean lost data.\n"
	"The whole folder can be copied or moved, with all names kept.\n";

struct embedded {
	struct store base;
	struct folder folder;
	struct packs *packs;
	struct chains *chains;
};

static struct embedded *of(struct store *s) {
	return (struct embedded *)s;
}

static void free_embedded(struct store *s) {
	struct embedded *m = of(s);
	packs_free(m->packs);
	chains_free(m->chains);
	folder_close(&m->folder);
	mem_free(m);
}

static enum err pack_put(struct store *s, const struct hash *vault, const struct hash *name,
	struct span bytes, struct why *why) {
	return packs_put(of(s)->packs, vault, name, bytes, why);
}

static enum err pack_get(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t offset, size_t length, uint8_t *out, struct why *why) {
	return packs_get(of(s)->packs, vault, name, offset, length, out, why);
}

static enum err pack_size(struct store *s, const struct hash *vault, const struct hash *name,
	uint64_t *size, struct why *why) {
	return packs_size(of(s)->packs, vault, name, size, why);
}

static enum err pack_list(struct store *s, const struct hash *vault, store_pack_visit *visit,
	void *ctx, struct why *why) {
	return packs_list(of(s)->packs, vault, visit, ctx, why);
}

static enum err pack_delete(
	struct store *s, const struct hash *vault, const struct hash *name, struct why *why) {
	return packs_delete(of(s)->packs, vault, name, why);
}

static enum err flush(struct store *s, const struct hash *vault, struct why *why) {
	return packs_flush(of(s)->packs, vault, why);
}

static enum err chain_append(
	struct store *s, const struct hash *chain, uint64_t seq, struct span bytes, struct why *why) {
	return chains_append(of(s)->chains, chain, seq, bytes, why);
}

static enum err chain_read(struct store *s, const struct hash *chain, uint64_t from,
	enum store_read how, store_chain_visit *visit, void *ctx, struct why *why) {
	return chains_read(of(s)->chains, chain, from, how, visit, ctx, why);
}

static enum err chain_length(
	struct store *s, const struct hash *chain, uint64_t *length, struct why *why) {
	return chains_length(of(s)->chains, chain, length, why);
}

static enum err chain_check(struct store *s, const struct hash *chain, store_copy_visit *visit,
	void *ctx, struct why *why) {
	return chaincheck_run(&of(s)->folder, chain, visit, ctx, why);
}

static enum err chain_list(struct store *s, store_name_visit *visit, void *ctx, struct why *why) {
	return chains_list(of(s)->chains, visit, ctx, why);
}

static const char *folder_of(enum store_kind kind) {
	return kind == STORE_OBJECTS ? "objects" : "locators";
}

static size_t max_of(enum store_kind kind) {
	return kind == STORE_OBJECTS ? (size_t)STORE_OBJECT_MAX : (size_t)STORE_LOCATOR_MAX;
}

static enum err thing_put(struct store *s, enum store_kind kind, const struct hash *name,
	struct span bytes, struct why *why) {
	struct folder *f = &of(s)->folder;
	struct folder_path path = folder_thing(folder_of(kind), name);
	enum err e = folder_make(f, folder_of(kind), why);
	if (e == OK) e = folder_place(f, &path, bytes, false, why);
	if (e == OK) e = folder_sync(f, folder_of(kind), why);
	return e;
}

static enum err thing_get(struct store *s, enum store_kind kind, const struct hash *name,
	struct buf *out, struct why *why) {
	struct folder_path path = folder_thing(folder_of(kind), name);
	enum err e = file_read_whole(of(s)->folder.root, path.text, max_of(kind), out, why);
	if (e == E_LIMIT) return why_set(why, E_FORMAT, "%s is larger than it can be", path.text);
	return e;
}

struct listing {
	store_name_visit *visit;
	void *ctx;
};

static enum err list_thing(void *ctx, const struct dirent *entry, struct why *why) {
	const struct listing *l = ctx;
	struct hash name;
	if (hash_parse_hex(&name, span_text(entry->d_name)) != OK) return OK;
	return l->visit(l->ctx, &name, why);
}

static enum err thing_list(
	struct store *s, enum store_kind kind, store_name_visit *visit, void *ctx, struct why *why) {
	struct listing l = { .visit = visit, .ctx = ctx };
	int fd = -1;
	enum err e = file_open_folder(of(s)->folder.root, folder_of(kind), &fd, why);
	if (e == E_NOTFOUND) return OK;
	if (e != OK) return e;
	e = file_list(fd, ".", list_thing, &l, why);
	file_close(&fd);
	return e;
}

static enum err thing_delete(
	struct store *s, enum store_kind kind, const struct hash *name, struct why *why) {
	struct folder *f = &of(s)->folder;
	struct folder_path path = folder_thing(folder_of(kind), name);
	enum err e = file_remove(f->root, path.text, why);
	/* What replaces a locator object must not come back as it was. */
	if (e == OK) e = folder_sync(f, folder_of(kind), why);
	return e;
}

static const struct store_verbs verbs = {
	.free = free_embedded,
	.pack_put = pack_put,
	.pack_get = pack_get,
	.pack_size = pack_size,
	.pack_list = pack_list,
	.pack_delete = pack_delete,
	.flush = flush,
	.chain_append = chain_append,
	.chain_read = chain_read,
	.chain_length = chain_length,
	.chain_list = chain_list,
	.chain_check = chain_check,
	.thing_put = thing_put,
	.thing_get = thing_get,
	.thing_list = thing_list,
	.thing_delete = thing_delete,
};

static enum err read_head(int root, const char *path, struct hash *id, struct why *why) {
	struct buf head;
	buf_init(&head, HEAD_MAX);
	enum err e = file_read_whole(root, head_name, HEAD_MAX, &head, why);
	if (e == E_NOTFOUND) e = why_set(why, E_NOTFOUND, "no Broch store at %s", path);
	if (e == E_LIMIT) e = E_FORMAT;
	if (e == OK) e = storemark_decode(id, buf_span(&head));
	if (e == E_UNSUPPORTED)
		e = why_set(why, e, "%s: the store was made by a later version of Broch", path);
	if (e == E_FORMAT) e = why_set(why, e, "%s: the file broch-store in it is damaged", path);
	buf_free(&head);
	return e;
}

static void set_address(struct store *s, const char *path) {
	char *whole = realpath(path, NULL);
	(void)snprintf(s->address, sizeof s->address, "%s", whole ? whole : path);
	free(whole); /* realpath's own malloc */
}

enum err embedded_open(const char *path, struct store **out, struct why *why) {
	struct embedded *m = mem_zalloc(sizeof *m);
	if (!m) return why_err(why, E_NOMEM, path);
	enum err e = folder_open(&m->folder, path, why);
	if (e != OK) {
		mem_free(m);
		if (e == E_NOTFOUND) return why_set(why, E_NOTFOUND, "no Broch store at %s", path);
		return e;
	}
	e = read_head(m->folder.root, path, &m->base.id, why);
	if (e == OK) {
		m->packs = packs_new(&m->folder);
		m->chains = chains_new(&m->folder);
		if (!m->packs || !m->chains) e = why_err(why, E_NOMEM, path);
	}
	if (e != OK) {
		free_embedded(&m->base);
		return e;
	}
	m->base.verbs = &verbs;
	set_address(&m->base, path);
	*out = &m->base;
	return OK;
}

/* Making one. */

struct emptiness {
	int folder;
	bool empty;
};

static enum err find_any(void *ctx, const struct dirent *entry, struct why *why) {
	(void)entry;
	(void)why;
	*(bool *)ctx = false;
	return OK;
}

static bool is_empty_folder(int at, const char *name) {
	bool empty = true;
	return file_list(at, name, find_any, &empty, NULL) == OK && empty;
}

/*
 * Removes what a killed writer left under tmp/, so that it is empty if nobody else put anything
 * there.
 */
static enum err remove_temp(void *ctx, const struct dirent *entry, struct why *why) {
	(void)why;
	if (folder_is_temp(entry->d_name) || strncmp(entry->d_name, "race", 4) == 0)
		(void)unlinkat(*(int *)ctx, entry->d_name, 0);
	return OK;
}

/* Our own folders, empty, are what a create that was killed has left: it may be done again. */
static enum err judge_name(void *ctx, const struct dirent *entry, struct why *why) {
	(void)why;
	struct emptiness *m = ctx;
	for (size_t i = 0; i < FOLDERS; i++) {
		if (strcmp(entry->d_name, folders[i]) != 0) continue;
		if (i == 0) {
			int tmp = -1;
			if (file_open_folder(m->folder, "tmp", &tmp, NULL) == OK)
				err_ignore(file_list(tmp, ".", remove_temp, &tmp, NULL)); /* then it is not empty */
			file_close(&tmp);
		}
		if (is_empty_folder(m->folder, entry->d_name)) return OK;
	}
	m->empty = false;
	return OK;
}

static enum err check_empty(int root, const char *path, struct why *why) {
	struct hash id;
	if (read_head(root, path, &id, NULL) == OK)
		return why_set(why, E_EXISTS, "there is a Broch store at %s already", path);
	struct emptiness m = { .folder = root, .empty = true };
	enum err e = file_list(root, ".", judge_name, &m, why);
	if (e == OK && !m.empty)
		e = why_set(why, E_EXISTS, "%s is not empty: a store needs a folder of its own", path);
	return e;
}

static enum err try_ways(struct folder *f, const char *path, struct why *why) {
	int tmp = -1;
	enum err e = file_open_folder(f->root, "tmp", &tmp, why);
	if (e != OK) return e;
	struct why by_link, by_rename;
	e = race_try(tmp, FILE_WAY_LINK, &by_link);
	if (e == OK) goto out;
	if (e != E_UNSUPPORTED) {
		/* Links that are made, but not only once, would be made later too. */
		e = why_set(why, e == E_EXISTS ? E_UNSUPPORTED : e, "%.200s: links in it: %.200s", path,
			by_link.msg);
		goto out;
	}
	e = race_try(tmp, FILE_WAY_RENAME, &by_rename);
	if (e == OK) goto out;
	if (e == E_EXISTS) e = E_UNSUPPORTED;
	e = why_set(why, e,
		"%.200s: the file system cannot hold a store, because it cannot put a file in place "
		"only once (by link: %.90s; by rename: %.90s)",
		path, by_link.msg, by_rename.msg);
out:
	file_close(&tmp);
	return e;
}

static enum err fill(struct folder *f, const char *path, const struct hash *id, struct why *why) {
	enum err e = OK;
	for (size_t i = 0; e == OK && i < FOLDERS; i++)
		e = file_make_folder(f->root, folders[i], f->folder_mode, why);
	if (e == OK) e = try_ways(f, path, why);
	if (e != OK) return e;
	char mark[STOREMARK_SIZE];
	storemark_encode(id, mark);
	/* From here on it is a store. */
	struct folder_path head = { .text = "broch-store" };
	e = folder_place(f, &head, span_of(mark, sizeof mark), false, why);
	if (e == E_EXISTS) return why_set(why, E_EXISTS, "there is a Broch store at %s already", path);
	if (e == OK) e = folder_sync(f, ".", why);
	if (e != OK) return e;
	struct folder_path about = { .text = "README.txt" };
	err_ignore(folder_place(f, &about, span_text(readme), false, NULL)); /* only for people */
	return OK;
}

/* Only what is empty goes. */
static void undo(int root) {
	for (size_t i = 0; i < FOLDERS; i++) (void)unlinkat(root, folders[i], AT_REMOVEDIR);
}

enum err embedded_create(const char *path, const struct hash *id, struct why *why) {
	struct stat st;
	bool made = stat(path, &st) != 0 && errno == ENOENT;
	enum err e = file_make_folder(AT_FDCWD, path, FOLDER_PRIVATE, why);
	if (e != OK) return e;
	struct folder f;
	e = folder_open(&f, path, why);
	if (e != OK) return e;
	e = check_empty(f.root, path, why);
	if (e == OK) {
		e = fill(&f, path, id, why);
		if (e != OK && e != E_EXISTS) undo(f.root);
	}
	folder_close(&f);
	if (e != OK && made) (void)rmdir(path);
	return e;
}
