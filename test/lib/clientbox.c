#include "clientbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/streamread.h"
#include "client/treewalk.h"
#include "crypto/crypto.h"
#include "format/chunktype.h"
#include "format/dirreader.h"
#include "format/snapshot.h"
#include "os/file.h"
#include "store/embedded.h"
#include "storesuite.h"

const struct chunker_params clientbox_chunks = { .min = 4096, .max = 32768, .mask_bits = 13 };

void clientbox_ok(enum err e, const struct why *why) {
	if (e) fail_msg("%s: %s", err_text(e), why->msg);
}

static void wrap_store(struct clientbox *t) {
	t->inner = t->session.store;
	t->faulty = faulty_new(t->inner);
	assert_non_null(t->faulty);
	t->session.store = t->faulty;
	if (t->session.account_is_open) t->session.account.store = t->faulty;
}

static void make_account(struct clientbox *t, struct why *why) {
	struct session *s = &t->session;
	struct keystore *k = &s->secrets->keys;
	struct kit_secret kit;
	struct account_new n = {
		.store = s->store, .fresh = &s->secrets->fresh, .keys = &k->keys, .kit = &kit
	};
	assert_int_equal(kitkeys_generate(&kit, n.fresh), OK);
	assert_int_equal(devicekeys_generate(&k->keys, n.fresh), OK);
	fresh_set_device(n.fresh, &k->keys.secret);
	account_actor_device(&s->secrets->actor, &k->keys);
	memcpy(k->name, "test", 4);
	k->name_len = 4;
	n.device_name = span_text("test");
	clientbox_ok(account_create(&n, &k->account, why), why);
	k->device = s->secrets->actor.id;
	k->anchor_sequence = 0;
	k->anchor_head = k->account;
	clientbox_ok(session_keep_keys(s, NULL, why), why);
	clientbox_ok(statefolder_put_store(&s->folder, t->store, why), why);
}

static void open_all(struct clientbox *t) {
	struct why why = { OK, "" };
	struct session_open o = { .at = NULL };
	clientbox_ok(session_open(&t->session, &o, &why), &why);
	wrap_store(t);
	clientbox_ok(vault_open(&t->vault, &t->session, "main", &why), &why);
	t->is_open = true;
}

static void close_all(struct clientbox *t) {
	if (!t->is_open) return;
	t->is_open = false;
	vault_close(&t->vault);
	session_close(&t->session);
	store_free(t->inner);
}

void clientbox_new(struct clientbox *t, const struct chunker_params *chunks, uint64_t hold) {
	struct why why = { OK, "" };
	struct hash id = { { 7 } };
	assert_int_equal(crypto_start(), OK);
	memset(t, 0, sizeof *t);
	scratch_make(t->folder);
	scratch_join(t->home, t->folder, "home");
	scratch_join(t->store, t->folder, "store");
	scratch_join(t->src, t->folder, "src");
	assert_int_equal(mkdir(t->src, 0755), 0);
	assert_int_equal(setenv("BROCH_HOME", t->home, 1), 0);
	clientbox_ok(embedded_create(t->store, &id, &why), &why);
	clientbox_ok(session_begin(&t->session, &why), &why);
	clientbox_ok(session_open_store(&t->session, t->store, &why), &why);
	make_account(t, &why);
	session_close(&t->session);
	struct session_open o = { .at = NULL };
	clientbox_ok(session_open(&t->session, &o, &why), &why);
	struct vault_new n = { .name = "main", .hold = hold, .chunks = *chunks };
	clientbox_ok(vault_create(&t->session, &n, &why), &why);
	session_close(&t->session);
	open_all(t);
}

void clientbox_done(struct clientbox *t) {
	close_all(t);
	scratch_remove(t->folder);
}

static int set_up(void **state, const struct chunker_params *chunks) {
	struct clientbox *t = calloc(1, sizeof *t);
	if (!t) return -1;
	clientbox_new(t, chunks, 0);
	*state = t;
	return 0;
}

int clientbox_setup(void **state) {
	return set_up(state, &clientbox_chunks);
}

int clientbox_setup_large(void **state) {
	return set_up(state, &chunker_default);
}

int clientbox_teardown(void **state) {
	clientbox_done(*state);
	free(*state);
	return 0;
}

void clientbox_again(struct clientbox *t, const struct clientbox *first) {
	*t = *first;
	t->is_open = false;
	open_all(t);
}

void clientbox_again_done(struct clientbox *t) {
	close_all(t);
}

void clientbox_reopen(struct clientbox *t) {
	close_all(t);
	open_all(t);
}

char *clientbox_src(char *out, const struct clientbox *t, const char *name) {
	return scratch_join(out, t->src, name);
}

void clientbox_file(const struct clientbox *t, const char *name, const void *bytes, size_t len) {
	char path[SCRATCH_MAX], *slash;
	clientbox_src(path, t, name);
	for (slash = path + strlen(t->src) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	scratch_write(path, bytes, len);
}

void clientbox_put(const struct clientbox *t, const char *name, size_t len, uint64_t seed) {
	uint8_t *bytes = clientbox_random(len, seed);
	clientbox_file(t, name, bytes, len);
	free(bytes);
}

/* Later than the time within which a change is not trusted to show (client/backupmerge.c). */
void clientbox_settle(const struct clientbox *t) {
	struct timespec pause = { .tv_nsec = 60 * 1000 * 1000 };
	(void)t;
	(void)nanosleep(&pause, NULL);
}

static enum err count_pack(void *ctx, const struct hash *name, uint64_t size, struct why *why) {
	struct clientbox_packs *p = ctx;
	(void)name;
	(void)why;
	p->count++;
	p->bytes += size;
	return OK;
}

struct clientbox_packs clientbox_packs(const struct clientbox *t) {
	struct clientbox_packs p = { 0, 0 };
	struct why why = { OK, "" };
	clientbox_ok(store_pack_list(t->inner, &t->vault.id, count_pack, &p, &why), &why);
	return p;
}

struct backup_options clientbox_options(struct clientbox *t) {
	t->path = t->src;
	return (struct backup_options){
		.paths = &t->path,
		.path_count = 1,
		.stdin_fd = -1,
		.host = "here",
		.compression = SQUEEZE_OFF,
		.threads = 2,
	};
}

struct backup_result clientbox_backup(struct clientbox *t, const struct backup_options *o) {
	struct backup_result r;
	struct why why = { OK, "" };
	clientbox_ok(backup_run(&t->vault, o, &r, &why), &why);
	return r;
}

void clientbox_note(void *ctx, enum backup_note what, const char *path, const char *text) {
	struct clientbox_notes *n = ctx;
	(void)path;
	(void)text;
	n->count[what]++;
}

struct fetch *clientbox_fetch(struct clientbox *t) {
	struct fetch *f = NULL;
	struct why why = { OK, "" };
	struct fetch_params p = { .vault = &t->vault, .threads = 1 };
	clientbox_ok(fetch_new(&f, &p, &why), &why);
	return f;
}

uint8_t *clientbox_random(size_t len, uint64_t seed) {
	uint8_t *out = malloc(len ? len : 1);
	assert_non_null(out);
	storesuite_bytes(out, len, seed);
	return out;
}

/* ---- Reading back ---- */

static struct buf read_string(struct fetch *f, uint8_t type, const struct streamref *ref) {
	struct buf out;
	struct why why = { OK, "" };
	buf_init(&out, (size_t)1 << 32);
	clientbox_ok(streamread_whole(f, type, ref, &out, &why), &why);
	assert_int_equal(out.len, ref->length);
	return out;
}

/* The entry ${name} of a directory's string; false if there is none. */
static bool find_entry(struct span string, const char *name, struct direntry *out) {
	struct dirreader r = dirreader_over(string);
	bool more = true;
	while (!dirreader_next(&r, out, &more) && more)
		if (span_equal(out->name, span_text(name))) return true;
	return false;
}

static size_t count_entries(struct span string) {
	struct dirreader r = dirreader_over(string);
	struct direntry d;
	bool more = true;
	size_t n = 0;
	while (true) {
		assert_int_equal(dirreader_next(&r, &d, &more), OK);
		if (!more) return n;
		n++;
	}
}

/* The file's bytes with its holes as zeros. */
static uint8_t *spread(const struct direntry *d, struct span data, size_t *len) {
	struct direntry_hole hole = { .rest = d->holes.items };
	uint64_t at = 0, used = 0;
	*len = (size_t)direntry_size(d);
	uint8_t *out = calloc(1, *len + 1);
	assert_non_null(out);
	while (direntry_next_hole(&hole)) {
		if (hole.offset > at) memcpy(out + at, data.ptr + used, hole.offset - at);
		used += hole.offset - at;
		at = hole.offset + hole.length;
	}
	if (data.len > used) memcpy(out + at, data.ptr + used, data.len - used);
	return out;
}

static void compare_file(struct fetch *f, int at, const struct direntry *d, const struct stat *st) {
	struct buf data = read_string(f, CHUNKTYPE_CONTENT, &d->stream);
	size_t len = 0;
	uint8_t *got = spread(d, buf_span(&data), &len);
	char name[256];
	(void)snprintf(name, sizeof name, "%.*s", (int)d->name.len, (const char *)d->name.ptr);
	assert_int_equal(len, st->st_size);
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	uint8_t *here = malloc(len + 1);
	assert_non_null(here);
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, here + done, len - done, (off_t)done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	assert_memory_equal(got, here, len);
	(void)close(fd);
	free(here);
	free(got);
	buf_free(&data);
}

static void compare_folder(struct fetch *f, int fd, const struct streamref *ref);

static void compare_one(struct fetch *f, int at, const char *name, const struct direntry *d) {
	struct stat st;
	char target[4097];
	assert_int_equal(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(d->mode, st.st_mode & 07777);
	assert_int_equal(d->uid, st.st_uid);
	assert_int_equal(d->gid, st.st_gid);
	assert_int_equal(d->mtime.seconds, st.st_mtim.tv_sec);
	assert_int_equal(d->mtime.nanos, st.st_mtim.tv_nsec);
	if (S_ISREG(st.st_mode)) {
		assert_int_equal(d->type, DIRENTRY_FILE);
		compare_file(f, at, d, &st);
	} else if (S_ISDIR(st.st_mode)) {
		assert_int_equal(d->type, DIRENTRY_DIRECTORY);
		int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fd >= 0);
		compare_folder(f, fd, &d->stream);
	} else if (S_ISLNK(st.st_mode)) {
		assert_int_equal(d->type, DIRENTRY_SYMLINK);
		ssize_t n = readlinkat(at, name, target, sizeof target);
		assert_int_equal(n, d->target.len);
		assert_memory_equal(target, d->target.ptr, (size_t)n);
	} else {
		assert_int_equal(d->type, DIRENTRY_FIFO);
	}
}

/* Takes over ${fd}. */
static void compare_folder(struct fetch *f, int fd, const struct streamref *ref) {
	struct buf string = read_string(f, CHUNKTYPE_DIRECTORY, ref);
	DIR *names = fdopendir(fd);
	assert_non_null(names);
	size_t count = 0;
	for (struct dirent *e; (e = readdir(names));) {
		struct direntry d;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
		if (!find_entry(buf_span(&string), e->d_name, &d)) fail_msg("%s is missing", e->d_name);
		compare_one(f, dirfd(names), e->d_name, &d);
		count++;
	}
	assert_int_equal(count, count_entries(buf_span(&string)));
	(void)closedir(names);
	buf_free(&string);
}

/* The entry of src itself. */
static void find_src(
	struct clientbox *t, struct fetch *f, const struct hash *snapshot, struct streamref *out) {
	struct snapshot s;
	struct buf bytes;
	struct why why = { OK, "" };
	buf_init(&bytes, LIMIT_SNAPSHOT);
	clientbox_ok(treewalk_snapshot(f, snapshot, &s, &bytes, &why), &why);
	*out = s.root;
	char path[SCRATCH_MAX];
	(void)snprintf(path, sizeof path, "%s", t->src);
	for (char *part = strtok(path, "/"); part; part = strtok(NULL, "/")) {
		struct buf string = read_string(f, CHUNKTYPE_DIRECTORY, out);
		struct direntry d;
		assert_true(find_entry(buf_span(&string), part, &d));
		assert_int_equal(d.type, DIRENTRY_DIRECTORY);
		*out = d.stream;
		buf_free(&string);
	}
	buf_free(&bytes);
}

void clientbox_compare(struct clientbox *t, const struct hash *snapshot) {
	struct fetch *f = clientbox_fetch(t);
	struct streamref ref;
	find_src(t, f, snapshot, &ref);
	int fd = open(t->src, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	compare_folder(f, fd, &ref);
	fetch_free(f);
}

bool clientbox_entry(struct clientbox *t, const struct hash *snapshot, const char *name,
	struct buf *bytes, struct direntry *out) {
	struct fetch *f = clientbox_fetch(t);
	struct streamref ref;
	find_src(t, f, snapshot, &ref);
	buf_free(bytes);
	*bytes = read_string(f, CHUNKTYPE_DIRECTORY, &ref);
	fetch_free(f);
	return find_entry(buf_span(bytes), name, out);
}
