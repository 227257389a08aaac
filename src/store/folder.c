#include "store/folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/little.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"

enum { TEMP_BYTES = 24, TEMP_DIGITS = 16, DAY_SECONDS = 86400, COMPARE_STEP = 65536 };

enum err folder_open(struct folder *f, const char *path, struct why *why) {
	int fd = -1;
	enum err e = file_open_folder(AT_FDCWD, path, &fd, why);
	if (e != OK) return e;
	struct stat st;
	if (fstat(fd, &st) != 0) {
		e = why_errno(why, "%s", path);
		file_close(&fd);
		return e;
	}
	/* A folder that a group shares makes a store that the group shares. */
	mode_t folder_mode = (st.st_mode & 0777) | FOLDER_PRIVATE;
	*f = (struct folder){
		.root = fd, .tmp = -1, .folder_mode = folder_mode, .file_mode = folder_mode & 0666
	};
	mutex_init(&f->lock);
	return OK;
}

void folder_close(struct folder *f) {
	file_close(&f->tmp);
	file_close(&f->root);
	mutex_done(&f->lock);
}

struct folder_path folder_vault(const struct hash *vault) {
	struct folder_path p;
	char hex[HASH_HEX];
	hash_hex(hex, vault);
	(void)snprintf(p.text, sizeof p.text, "packs/%s", hex);
	return p;
}

struct folder_path folder_pack_folder(const struct hash *vault, uint8_t first) {
	struct folder_path p;
	char hex[HASH_HEX];
	hash_hex(hex, vault);
	(void)snprintf(p.text, sizeof p.text, "packs/%s/%02x", hex, first);
	return p;
}

struct folder_path folder_pack(const struct hash *vault, const struct hash *name) {
	struct folder_path p;
	char hex[HASH_HEX], name_hex[HASH_HEX];
	hash_hex(hex, vault);
	hash_hex(name_hex, name);
	(void)snprintf(p.text, sizeof p.text, "packs/%s/%.2s/%s", hex, name_hex, name_hex);
	return p;
}

struct folder_path folder_chain(const struct hash *chain) {
	return folder_thing("chains", chain);
}

struct folder_path folder_entry(const struct hash *chain, uint64_t seq) {
	struct folder_path p;
	char hex[HASH_HEX];
	hash_hex(hex, chain);
	(void)snprintf(p.text, sizeof p.text, "chains/%s/%016" PRIx64, hex, seq);
	return p;
}

struct folder_path folder_segment(const struct hash *chain, uint64_t seq) {
	struct folder_path p;
	char hex[HASH_HEX];
	hash_hex(hex, chain);
	(void)snprintf(p.text, sizeof p.text, "chains/%s/%016" PRIx64 ".seg", hex, seq);
	return p;
}

struct folder_path folder_thing(const char *folder, const struct hash *name) {
	struct folder_path p;
	char hex[HASH_HEX];
	hash_hex(hex, name);
	(void)snprintf(p.text, sizeof p.text, "%.32s/%s", folder, hex);
	return p;
}

bool folder_is_temp(const char *name) {
	if (strncmp(name, "t-", 2) != 0 || strlen(name) != 2 + TEMP_DIGITS) return false;
	return strspn(name + 2, "0123456789abcdef") == TEMP_DIGITS;
}

/* Nobody else has this name, on this machine or another: it need not be secret. */
static void temp_name(char out[TEMP_BYTES]) {
	static _Atomic uint64_t counter;
	uint8_t random[8];
	uint64_t v = clock_mono_ns() ^ (uint64_t)getpid() << 40;
	if (getrandom(random, sizeof random, GRND_NONBLOCK) == (ssize_t)sizeof random)
		v = little_get64(random);
	v += atomic_fetch_add(&counter, 1);
	(void)snprintf(out, TEMP_BYTES, "t-%016" PRIx64, v);
}

struct cleaning {
	int tmp;
	time_t before;
};

static enum err clean_one(void *ctx, const struct dirent *entry, struct why *why) {
	(void)why;
	const struct cleaning *c = ctx;
	struct stat st;
	if (!folder_is_temp(entry->d_name)) return OK;
	if (fstatat(c->tmp, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) return OK;
	if (S_ISREG(st.st_mode) && st.st_mtime < c->before) (void)unlinkat(c->tmp, entry->d_name, 0);
	return OK;
}

/*
 * Removes what killed writers left. The time is the file system's own, taken from a file made now:
 * another machine's clock, or this one's after a jump, must not make files under way look old.
 */
static void clean(int tmp) {
	char name[TEMP_BYTES];
	temp_name(name);
	int fd = openat(tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_PRIVATE);
	if (fd < 0) return;
	struct stat st;
	bool known = fstat(fd, &st) == 0;
	file_close(&fd);
	(void)unlinkat(tmp, name, 0);
	if (!known) return;
	struct cleaning c = { .tmp = tmp, .before = st.st_mtime - DAY_SECONDS };
	err_ignore(file_list(tmp, ".", clean_one, &c, NULL)); /* the next writer tries again */
}

enum err folder_check(struct folder *f, struct why *why) {
	mutex_lock(&f->lock);
	bool broken = f->broken;
	mutex_unlock(&f->lock);
	if (!broken) return OK;
	return why_set(why, E_IO,
		"nothing more is written: the disk of the store failed to keep what was written before");
}

static void set_broken(struct folder *f) {
	mutex_lock(&f->lock);
	f->broken = true;
	mutex_unlock(&f->lock);
}

/* The open tmp folder, made on first use: a store that is only read from is not written to. */
static enum err open_tmp(struct folder *f, int *tmp, struct why *why) {
	enum err e = OK;
	mutex_lock(&f->lock);
	if (f->tmp < 0) {
		e = file_make_folder(f->root, "tmp", f->folder_mode, why);
		if (e == OK) e = file_open_folder(f->root, "tmp", &f->tmp, why);
		if (e == OK) clean(f->tmp);
	}
	*tmp = f->tmp;
	mutex_unlock(&f->lock);
	return e;
}

static bool same_contents(struct folder *f, const char *path, struct span bytes) {
	int fd = -1;
	if (file_open_read(f->root, path, &fd, NULL) != OK) return false;
	uint8_t *part = mem_alloc(COMPARE_STEP);
	struct stat st;
	bool same = part && fstat(fd, &st) == 0 && (uint64_t)st.st_size == bytes.len;
	for (size_t at = 0; same && at < bytes.len; at += COMPARE_STEP) {
		size_t n = bytes.len - at < COMPARE_STEP ? bytes.len - at : COMPARE_STEP;
		same = file_read_at(fd, at, part, n, NULL) == OK && memcmp(part, bytes.ptr + at, n) == 0;
	}
	mem_free(part);
	file_close(&fd);
	return same;
}

static bool is_there(
	struct folder *f, const struct folder_path *path, struct span bytes, bool size_only) {
	uint64_t size;
	if (folder_look(f, path, &size, NULL) != OK || size != bytes.len) return false;
	return size_only || same_contents(f, path->text, bytes);
}

enum err folder_place(struct folder *f, const struct folder_path *path, struct span bytes,
	bool size_only, struct why *why) {
	enum err e = folder_check(f, why);
	if (e != OK) return e;
	if (is_there(f, path, bytes, size_only)) return OK;
	int tmp;
	e = open_tmp(f, &tmp, why);
	if (e != OK) return e;
	char temp[TEMP_BYTES];
	temp_name(temp);
	struct file_place place = {
		.tmp = tmp, .temp = temp, .at = f->root, .path = path->text, .mode = f->file_mode
	};
	e = file_place_new(&place, bytes, why);
	/* A rival with the same bytes, or an error behind which the file is there after all. */
	if (e != OK && is_there(f, path, bytes, size_only)) return OK;
	return e;
}

enum err folder_make(struct folder *f, const char *path, struct why *why) {
	enum err e = folder_check(f, why);
	if (e != OK) return e;
	return file_make_folders(f->root, path, f->folder_mode, why);
}

enum err folder_sync(struct folder *f, const char *path, struct why *why) {
	int fd = -1;
	enum err e = file_open_folder(f->root, path, &fd, why);
	if (e != OK) return e;
	e = file_sync_folder(fd, why);
	file_close(&fd);
	if (e != OK) set_broken(f);
	return e;
}

enum err folder_look(
	struct folder *f, const struct folder_path *path, uint64_t *size, struct why *why) {
	struct stat st;
	if (fstatat(f->root, path->text, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOTDIR) errno = ENOENT;
		return why_errno(why, "%s", path->text);
	}
	if (!S_ISREG(st.st_mode)) return why_set(why, E_IO, "%s: is not a regular file", path->text);
	*size = (uint64_t)st.st_size;
	return OK;
}
