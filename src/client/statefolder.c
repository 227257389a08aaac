#include "client/statefolder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"

enum { KEYS_MAX = 65536, LOCATOR_BYTES = 3 * HASH_SIZE };

static enum err open_one(const char *path, bool make, int *fd, struct why *why) {
	enum err e = OK;
	if (make) e = file_make_folders(AT_FDCWD, path, FOLDER_PRIVATE, why);
	if (!e) e = file_open_folder(AT_FDCWD, path, fd, why);
	return e;
}

enum err statefolder_open(struct statefolder *f, bool make, struct why *why) {
	f->state = f->cache = -1;
	enum err e = paths_state(f->state_path, why);
	if (!e) e = paths_cache(f->cache_path, why);
	if (!e) e = open_one(f->state_path, make, &f->state, why);
	/* without a cache folder (a read-only home, say) everything works, slower */
	if (!e) err_ignore(open_one(f->cache_path, true, &f->cache, NULL));
	if (e) statefolder_close(f);
	return e;
}

void statefolder_close(struct statefolder *f) {
	file_close(&f->state);
	file_close(&f->cache);
}

bool statefolder_has_keys(const struct statefolder *f) {
	struct stat st;
	return fstatat(f->state, "keys", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

enum err statefolder_get_keys(const struct statefolder *f, struct buf *out, struct why *why) {
	return file_read_whole(f->state, "keys", KEYS_MAX, out, why);
}

enum err statefolder_put_keys(const struct statefolder *f, struct span keys, struct why *why) {
	return file_replace(f->state, "keys", keys, FILE_PRIVATE, why);
}

enum err statefolder_get_store(const struct statefolder *f, char out[PATHS_MAX], struct why *why) {
	struct buf b;
	buf_init(&b, PATHS_MAX - 1);
	enum err e = file_read_whole(f->state, "store", PATHS_MAX - 1, &b, why);
	if (!e) {
		if (b.len) memcpy(out, b.ptr, b.len);
		out[b.len] = '\0';
	}
	buf_free(&b);
	return e;
}

enum err statefolder_put_store(const struct statefolder *f, const char *path, struct why *why) {
	err_ignore(
		file_remove(f->state, "store-id", NULL)); /* it was not there, or belongs to another path */
	return file_replace(f->state, "store", span_text(path), FILE_PRIVATE, why);
}

static enum err get_hash(
	const struct statefolder *f, const char *name, struct hash *out, struct why *why) {
	struct buf b;
	buf_init(&b, HASH_SIZE);
	enum err e = file_read_whole(f->state, name, HASH_SIZE, &b, why);
	if (e == E_LIMIT || (!e && b.len != HASH_SIZE))
		e = why_set(why, E_FORMAT, "the state file %s/%s is damaged", f->state_path, name);
	if (!e) *out = hash_from(b.ptr);
	buf_free(&b);
	return e;
}

enum err statefolder_get_store_id(const struct statefolder *f, struct hash *id, struct why *why) {
	return get_hash(f, "store-id", id, why);
}

enum err statefolder_put_store_id(
	const struct statefolder *f, const struct hash *id, struct why *why) {
	return file_replace(f->state, "store-id", hash_span(id), FILE_PRIVATE, why);
}

enum err statefolder_get_home(
	const struct statefolder *f, const struct hash *chain, struct hash *store, struct why *why) {
	char hex[HASH_HEX], name[HASH_HEX + 8];
	hash_hex(hex, chain);
	(void)snprintf(name, sizeof name, "homes/%s", hex);
	return get_hash(f, name, store, why);
}

enum err statefolder_put_home(const struct statefolder *f, const struct hash *chain,
	const struct hash *store, struct why *why) {
	char hex[HASH_HEX];
	int folder = -1;
	hash_hex(hex, chain);
	enum err e = file_make_folder(f->state, "homes", FOLDER_PRIVATE, why);
	if (!e) e = file_open_folder(f->state, "homes", &folder, why);
	if (!e) e = file_replace(folder, hex, hash_span(store), FILE_PRIVATE, why);
	file_close(&folder);
	return e;
}

struct dropping {
	int folder;
	char part[24];
};

/* Caches have the beginning of the vault's id in their names. */
static enum err drop_one(void *ctx, const struct dirent *entry, struct why *why) {
	const struct dropping *d = ctx;
	(void)why;
	if (strstr(entry->d_name, d->part)) (void)unlinkat(d->folder, entry->d_name, 0);
	return OK;
}

void statefolder_drop_caches(const struct statefolder *f, const struct hash *vault) {
	struct dropping d = { .folder = f->cache };
	char hex[HASH_HEX];
	if (f->cache < 0) return;
	hash_hex(hex, vault);
	(void)snprintf(d.part, sizeof d.part, "-%.16s", hex);
	err_ignore(file_list(d.folder, ".", drop_one, &d, NULL)); /* whoever uses a cache checks it */
}

enum err statefolder_get_locator(
	const struct statefolder *f, struct statefolder_locator *out, struct why *why) {
	struct buf b;
	buf_init(&b, LOCATOR_BYTES);
	enum err e = file_read_whole(f->state, "locator", LOCATOR_BYTES, &b, why);
	if (e == E_LIMIT || (!e && b.len != LOCATOR_BYTES && b.len != LOCATOR_BYTES - HASH_SIZE))
		e = why_set(why, E_FORMAT, "the state file %s/locator is damaged", f->state_path);
	if (!e) {
		*out = (struct statefolder_locator){ .name = hash_from(b.ptr),
			.sum = hash_from(b.ptr + HASH_SIZE) };
		if (b.len == LOCATOR_BYTES) out->kit = hash_from(b.ptr + 2 * HASH_SIZE);
	}
	buf_free(&b);
	return e;
}

enum err statefolder_put_locator(
	const struct statefolder *f, const struct statefolder_locator *l, struct why *why) {
	uint8_t bytes[LOCATOR_BYTES];
	memcpy(bytes, l->name.b, HASH_SIZE);
	memcpy(bytes + HASH_SIZE, l->sum.b, HASH_SIZE);
	memcpy(bytes + 2 * HASH_SIZE, l->kit.b, HASH_SIZE);
	return file_replace(f->state, "locator", span_of(bytes, sizeof bytes), FILE_PRIVATE, why);
}

void statefolder_record(const struct statefolder *f, const char *line) {
	char text[1024], stamp[32];
	time_t now = (time_t)(clock_real_ns() / 1000000000);
	struct tm tm;
	int fd = openat(
		f->state, "alarms", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_PRIVATE);
	if (fd < 0) return;
	(void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	/* one that is too long is cut, but ends its line all the same */
	(void)snprintf(text, sizeof text - 1, "%s %s", stamp, line);
	size_t len = strlen(text);
	text[len++] = '\n';
	err_ignore(file_write_all(fd, span_of(text, len), NULL));
	err_ignore(file_sync(fd, NULL));
	file_close(&fd);
}
