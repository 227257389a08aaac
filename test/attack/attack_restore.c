/*
 * What a member with all keys can put into a tree, and a local user into the target, to make a restore write elsewhere,
 * follow links, give rights away or fill the disk. Rows P01 to P05, P07, P08, P11, F20.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/restore.h"
#include "craft.h"
#include "crypto/crypto.h"
#include "os/signals.h"
#include "os/thread.h"
#include "scratch.h"
#include "store/memory.h"

enum { DEEP = 1950, DESCRIPTORS = 256 };
enum { LARGE = 3 << 20, SWAPS = 400, SWAP_FOLDERS = 50, ITEMS_MOST = 200000 };

struct fixture {
	char top[SCRATCH_MAX], target[SCRATCH_MAX], victim[SCRATCH_MAX];
	struct store *store;
	struct testvault t;
	struct craft c;
	struct streamref text, large; /* one chunk; several */
	struct buf entries;
	char last[512]; /* the newest note's sentence */
	char noted[512];
	unsigned long items;
};

static int set_up(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	struct kit_secret kit;
	char path[SCRATCH_MAX];
	static const uint8_t id[HASH_SIZE] = { 1 };
	struct hash name = hash_from(id);
	scratch_make(f->top);
	testvault_home(scratch_join(path, f->top, "home"));
	(void)scratch_join(f->target, f->top, "target");
	(void)scratch_join(f->victim, f->top, "victim");
	assert_int_equal(mkdir(f->victim, 0755), 0);
	scratch_write(scratch_join(path, f->victim, "secret"), "secret", 6);
	f->store = memory_new(&name);
	testvault_make(f->store, 0, &kit);
	testvault_must_open(&f->t, f->store);
	craft_begin(&f->c, &f->t);
	f->text = craft_content(&f->c, span_text("restored"));
	uint8_t *large = malloc(LARGE);
	for (size_t i = 0; i < LARGE; i++) large[i] = (uint8_t)(i * 2654435761u >> 13);
	f->large = craft_content(&f->c, span_of(large, LARGE));
	free(large);
	assert_true(f->large.depth > 0);
	buf_init(&f->entries, (size_t)1 << 30);
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	struct fixture *f = *state;
	craft_drop(&f->c);
	testvault_close(&f->t);
	store_free(f->store);
	buf_free(&f->entries);
	scratch_remove(f->top);
	free(f);
	return 0;
}

static void noted(void *ctx, enum restore_note note, struct span path, const char *text) {
	struct fixture *f = ctx;
	if (note == RESTORE_ITEM && ++f->items > ITEMS_MOST) abort(); /* a tree without end */
	if (note == RESTORE_ITEM) return;
	(void)snprintf(f->last, sizeof f->last, "%s", text);
	(void)snprintf(f->noted, sizeof f->noted, "%.*s", (int)(path.len > 400 ? 400 : path.len),
		(const char *)path.ptr);
}

static enum err restore_with(
	struct fixture *f, const struct hash *id, struct restore_options o, struct restore_result *r) {
	struct why why = { OK, "" };
	o.snapshot = *id;
	o.target = f->target;
	o.threads = 2;
	if (!o.noted) o.noted = noted;
	o.ctx = f;
	enum err e = restore_run(&f->t.vault, &o, r, &why);
	if (e) (void)snprintf(f->last, sizeof f->last, "%s", why.msg);
	return e;
}

static struct restore_result restore(struct fixture *f, const struct hash *id) {
	struct restore_result r;
	enum err e = restore_with(f, id, (struct restore_options){ .overwrite = RESTORE_ALWAYS }, &r);
	if (e) fail_msg("restore: %s", f->last);
	return r;
}

/* A snapshot whose root has the entries gathered so far; the next one begins. */
static struct hash snapshot_of(struct fixture *f) {
	struct streamref root = craft_folder(&f->c, &f->entries);
	struct hash id = craft_end(&f->c, &root, 100, 0);
	buf_clear(&f->entries);
	craft_begin(&f->c, &f->t);
	return id;
}

static bool is_there(const char *folder, const char *name) {
	char path[SCRATCH_MAX];
	struct stat st;
	return lstat(scratch_join(path, folder, name), &st) == 0;
}

static void has_text(const char *folder, const char *name, const char *text) {
	char path[SCRATCH_MAX], got[64] = "";
	int fd = open(scratch_join(path, folder, name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) fail_msg("%s is not there", path);
	ssize_t n = read(fd, got, sizeof got - 1);
	assert_int_equal(n, strlen(text));
	assert_string_equal(got, text);
	assert_int_equal(close(fd), 0);
}

/* The victim has its one file, unchanged, and nothing more. */
static void victim_is_whole(const struct fixture *f) {
	char path[SCRATCH_MAX];
	struct stat st;
	assert_int_equal(scratch_count(f->victim), 1);
	has_text(f->victim, "secret", "secret");
	assert_int_equal(stat(scratch_join(path, f->victim, "secret"), &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(f->victim, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static int temps_in(const char *folder) {
	char command[SCRATCH_MAX + 64], line[64] = "";
	(void)snprintf(command, sizeof command, "find '%s' -name '.broch-*' | wc -l", folder);
	FILE *p = popen(command, "r");
	if (!p || !fgets(line, sizeof line, p)) abort();
	(void)pclose(p);
	return (int)strtol(line, NULL, 10);
}

/* P01: names that are not single components. */
static void names(void **state) {
	struct fixture *f = *state;
	static const struct {
		const char *name;
		size_t len;
	} bad[] = { { "..", 2 }, { ".", 1 }, { "", 0 }, { "../victim/x", 11 }, { "/tmp/x", 6 },
		{ "a/../../x", 9 }, { "a\0b", 3 }, { "a/b", 3 }, { "x/", 2 } };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct direntry d = craft_file("x", &f->text);
		struct direntry good = craft_file("\xff\xff", &f->text);
		struct streamref folder;
		buf_clear(&f->entries);
		craft_add_named(&f->entries, &d, span_of(bad[i].name, bad[i].len));
		craft_add(&f->entries, &good);
		folder = craft_folder(&f->c, &f->entries);
		buf_clear(&f->entries);
		struct direntry inner = craft_directory("inner", &folder),
						other = craft_file("other", &f->text);
		craft_add(&f->entries, &inner);
		craft_add(&f->entries, &other);
		struct hash id = snapshot_of(f);
		struct restore_result r = restore(f, &id);
		assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
		assert_string_equal(f->noted, "/inner");
		has_text(f->target, "other", "restored"); /* the rest goes on */
		victim_is_whole(f);
		assert_int_equal(scratch_count(f->top), 3);
		scratch_remove(f->target);
	}
}

/* P01: the same name twice, or names out of order. */
static void order(void **state) {
	struct fixture *f = *state;
	struct direntry link = craft_link("evil", f->victim), file = craft_file("evil", &f->text);
	craft_add(&f->entries, &link);
	craft_add(&f->entries, &file);
	struct hash id = snapshot_of(f);
	struct restore_result r = restore(f, &id);
	assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
	victim_is_whole(f);
}

static struct hash link_snapshot(struct fixture *f, const char *name) {
	struct direntry d = craft_link(name, f->victim);
	craft_add(&f->entries, &d);
	return snapshot_of(f);
}

static struct hash folder_snapshot(struct fixture *f, const char *name) {
	struct direntry file = craft_file("passwd", &f->text), large = craft_file("shadow", &f->large);
	craft_add(&f->entries, &file);
	craft_add(&f->entries, &large);
	struct streamref folder = craft_folder(&f->c, &f->entries);
	buf_clear(&f->entries);
	struct direntry d = craft_directory(name, &folder);
	d.mode = 0700;
	craft_add(&f->entries, &d);
	return snapshot_of(f);
}

/* P02: a link, then a child through it, from two snapshots, in both orders. */
static void child_through_link(void **state) {
	struct fixture *f = *state;
	struct hash link = link_snapshot(f, "evil"), folder = folder_snapshot(f, "evil");
	(void)restore(f, &link);
	struct restore_result r = restore(f, &folder);
	assert_int_equal(r.counts[RESTORE_NOT_DONE], 1);
	assert_int_equal(r.counts[RESTORE_FILES], 0);
	victim_is_whole(f);
	scratch_remove(f->target);
	(void)restore(f, &folder);
	r = restore(f, &link);
	assert_int_equal(r.counts[RESTORE_NOT_DONE], 1);
	assert_int_equal(temps_in(f->target), 0);
	victim_is_whole(f);
}

/* P03: links that were in the target before, where files, large files, folders and links are to be. */
static void planted_links(void **state) {
	struct fixture *f = *state;
	char path[SCRATCH_MAX], secret[SCRATCH_MAX];
	struct direntry file = craft_file("file", &f->text), large = craft_file("large", &f->large),
					link = craft_link("link", "elsewhere"),
					empty = craft_directory("folder", &(struct streamref){ .length = 0 });
	craft_add(&f->entries, &file);
	craft_add(&f->entries, &empty);
	craft_add(&f->entries, &large);
	craft_add(&f->entries, &link);
	struct hash id = snapshot_of(f);
	(void)scratch_join(secret, f->victim, "secret");
	for (int overwrite = RESTORE_NEVER; overwrite <= RESTORE_ALWAYS; overwrite++) {
		struct restore_result r;
		assert_int_equal(mkdir(f->target, 0755), 0);
		assert_int_equal(symlink(secret, scratch_join(path, f->target, "file")), 0);
		assert_int_equal(symlink(secret, scratch_join(path, f->target, "large")), 0);
		assert_int_equal(symlink(secret, scratch_join(path, f->target, "link")), 0);
		assert_int_equal(symlink(f->victim, scratch_join(path, f->target, "folder")), 0);
		enum err e = restore_with(
			f, &id, (struct restore_options){ .overwrite = (enum restore_overwrite)overwrite }, &r);
		assert_int_equal(e, OK);
		assert_int_equal(r.counts[RESTORE_NOT_DONE], 1); /* the folder */
		if (overwrite == RESTORE_NEVER) assert_int_equal(r.counts[RESTORE_KEPT], 3);
		else has_text(f->target, "file", "restored");
		victim_is_whole(f);
		scratch_remove(f->target);
	}
}

/* P03: a link above what is restored, when only that part is asked for. */
static void planted_above(void **state) {
	struct fixture *f = *state;
	char path[SCRATCH_MAX];
	struct restore_result r;
	struct hash id = folder_snapshot(f, "evil");
	assert_int_equal(mkdir(f->target, 0755), 0);
	assert_int_equal(symlink(f->victim, scratch_join(path, f->target, "evil")), 0);
	const char *only = "/evil/passwd";
	struct restore_options o = { .overwrite = RESTORE_ALWAYS, .paths = &only, .path_count = 1 };
	assert_int_equal(restore_with(f, &id, o, &r), OK);
	assert_int_equal(r.counts[RESTORE_FILES], 0);
	assert_int_equal(r.counts[RESTORE_NOT_DONE], 1);
	victim_is_whole(f);
}

/* P04: a group whose first member is a link to the victim's file; members become names of the link, or files of their own. */
static void link_groups(void **state) {
	struct fixture *f = *state;
	char secret[SCRATCH_MAX], path[SCRATCH_MAX];
	struct stat a, b;
	(void)scratch_join(secret, f->victim, "secret");
	struct direntry first = craft_link("a", secret), same = craft_link("b", secret),
					file = craft_file("c", &f->text), again = craft_file("d", &f->text);
	craft_group(&first, 1);
	craft_group(&same, 1);
	craft_group(&file, 1);
	craft_group(&again, 1);
	craft_add(&f->entries, &first);
	craft_add(&f->entries, &same);
	craft_add(&f->entries, &file);
	craft_add(&f->entries, &again);
	struct hash id = snapshot_of(f);
	(void)restore(f, &id);
	assert_int_equal(lstat(scratch_join(path, f->target, "a"), &a), 0);
	assert_int_equal(lstat(scratch_join(path, f->target, "b"), &b), 0);
	assert_true(S_ISLNK(b.st_mode) && a.st_ino == b.st_ino);
	has_text(f->target, "c", "restored");
	has_text(f->target, "d", "restored");
	victim_is_whole(f);
}

/* P04: the first member is not restored because something is there: the others are never linked to that. */
static void group_not_linked_to_others(void **state) {
	struct fixture *f = *state;
	char secret[SCRATCH_MAX], path[SCRATCH_MAX];
	struct restore_result r;
	struct stat st;
	struct direntry first = craft_file("a", &f->text), second = craft_file("b", &f->text);
	craft_group(&first, 2);
	craft_group(&second, 2);
	craft_add(&f->entries, &first);
	craft_add(&f->entries, &second);
	struct hash id = snapshot_of(f);
	assert_int_equal(mkdir(f->target, 0755), 0);
	assert_int_equal(
		link(scratch_join(secret, f->victim, "secret"), scratch_join(path, f->target, "a")), 0);
	assert_int_equal(
		restore_with(f, &id, (struct restore_options){ .overwrite = RESTORE_NEVER }, &r), OK);
	has_text(f->target, "b", "restored");
	assert_int_equal(lstat(scratch_join(path, f->target, "b"), &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(unlink(scratch_join(path, f->target, "a")), 0);
	victim_is_whole(f);
}

/* Puts the victim's file in the place of a group's first member, as soon as that is restored. */
static void exchanged(void *ctx, enum restore_note note, struct span path, const char *text) {
	struct fixture *f = ctx;
	char member[SCRATCH_MAX], secret[SCRATCH_MAX];
	(void)text;
	if (note != RESTORE_ITEM || !span_equal(path, span_text("/a"))) return;
	assert_int_equal(unlink(scratch_join(member, f->target, "a")), 0);
	assert_int_equal(link(scratch_join(secret, f->victim, "secret"), member), 0);
	f->items++;
}

/* P04, P05: a first member that was exchanged meanwhile is not linked to. */
static void exchanged_member(void **state) {
	struct fixture *f = *state;
	char path[SCRATCH_MAX];
	struct stat st;
	struct restore_result r;
	struct direntry first = craft_file("a", &f->text), second = craft_file("b", &f->text);
	craft_group(&first, 4);
	craft_group(&second, 4);
	craft_add(&f->entries, &first);
	craft_add(&f->entries, &second);
	struct hash id = snapshot_of(f);
	struct restore_options o = { .overwrite = RESTORE_ALWAYS, .each = true, .noted = exchanged };
	assert_int_equal(restore_with(f, &id, o, &r), OK);
	assert_int_equal(f->items, 1);
	assert_int_equal(r.counts[RESTORE_NOT_COMPLETE], 1);
	has_text(f->target, "b", "restored");
	assert_int_equal(lstat(scratch_join(path, f->target, "b"), &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(unlink(scratch_join(path, f->target, "a")), 0);
	victim_is_whole(f);
}

struct swapper {
	const struct fixture *f;
	_Atomic bool stop;
	_Atomic unsigned long swaps;
};

/* Puts links to the victim in the places of folders, and back, as fast as it can. */
static void swap(void *ctx) {
	struct swapper *s = ctx;
	int target = -1;
	while (!atomic_load(&s->stop)) {
		char name[16], aside[16];
		if (target < 0) target = open(s->f->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (target < 0) continue;
		unsigned n = (unsigned)(atomic_load(&s->swaps) / 2 % SWAP_FOLDERS);
		(void)snprintf(name, sizeof name, "d%02u", n);
		(void)snprintf(aside, sizeof aside, "x%02u", n);
		/* what the restore has just made may be in the way: the next round finds it */
		if (renameat2(target, name, target, aside, RENAME_EXCHANGE) && errno == ENOENT &&
			symlinkat(s->f->victim, target, aside) && errno != EEXIST && errno != ENOENT)
			break;
		atomic_fetch_add(&s->swaps, 1);
	}
	if (target >= 0) (void)close(target);
}

/* P05: folders are exchanged for links to the victim while files are put into them. */
static void swapped_folders(void **state) {
	struct fixture *f = *state;
	struct direntry file = craft_file("planted", &f->text),
					linked = craft_file("zlinked", &f->text);
	craft_group(&file, 3);
	craft_group(&linked, 3);
	craft_add(&f->entries, &file);
	craft_add(&f->entries, &linked);
	struct streamref folder = craft_folder(&f->c, &f->entries);
	buf_clear(&f->entries);
	for (unsigned i = 0; i < SWAP_FOLDERS; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "d%02u", i);
		struct direntry d = craft_directory(name, &folder);
		craft_add(&f->entries, &d);
	}
	struct hash id = snapshot_of(f);
	struct swapper s = { .f = f };
	struct thread thread;
	unsigned long tries = 0, failed = 0;
	assert_int_equal(mkdir(f->target, 0755), 0);
	assert_int_equal(thread_start(&thread, swap, &s, NULL), OK);
	for (int i = 0; i < SWAPS; i++) {
		struct restore_result r;
		assert_int_equal(
			restore_with(f, &id, (struct restore_options){ .overwrite = RESTORE_ALWAYS }, &r), OK);
		tries += SWAP_FOLDERS;
		failed += r.counts[RESTORE_NOT_DONE];
		assert_int_equal(scratch_count(f->victim), 1);
	}
	atomic_store(&s.stop, true);
	thread_join(&thread);
	victim_is_whole(f);
	printf(
		"%lu folders restored, %lu refused, %lu exchanges\n", tries, failed, atomic_load(&s.swaps));
	assert_true(failed > 0); /* the attack did meet the restore */
}

/* P07: rights that the snapshot grants are not given without being asked for. */
static void rights(void **state) {
	struct fixture *f = *state;
	char path[SCRATCH_MAX];
	struct stat st;
	struct buf items;
	static const uint8_t capability[20] = { 0, 0, 0, 2, 0, 0x20 };
	buf_init(&items, 1 << 16);
	assert_int_equal(
		direntry_add_xattr(&items, span_text("security.capability"), span_of(capability, 20)), OK);
	assert_int_equal(direntry_add_xattr(&items, span_text("security.other"), span_text("x")), OK);
	assert_int_equal(direntry_add_xattr(&items, span_text("trusted.x"), span_text("x")), OK);
	assert_int_equal(direntry_add_xattr(&items, span_text("user.x"), span_text("x")), OK);
	struct direntry d = craft_file("file", &f->text),
					device = { .type = DIRENTRY_CHAR,
						.name = span_text("null"),
						.mode = 0666,
						.major = 1,
						.minor = 3 };
	d.mode = 06755;
	d.flags |= DIRENTRY_HAS_XATTRS;
	d.xattrs = (struct direntry_items){ .count = 4, .items = buf_span(&items) };
	craft_add(&f->entries, &d);
	craft_add(&f->entries, &device);
	struct hash id = snapshot_of(f);
	struct restore_result r = restore(f, &id);
	(void)scratch_join(path, f->target, "file");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	char names_found[256];
	ssize_t n = listxattr(path, names_found, sizeof names_found);
	if (r.counts[RESTORE_NOT_COMPLETE] == 0)
		assert_int_equal(n, sizeof "user.x"); /* where the file system has attributes */
	else assert_int_equal(n, 0);
	assert_false(is_there(f->target, "null"));
	assert_int_equal(r.counts[RESTORE_NO_SETUID], 1);
	assert_int_equal(r.counts[RESTORE_NO_CAPABILITY], 1);
	assert_int_equal(r.counts[RESTORE_NO_TRUSTED], 2);
	assert_int_equal(r.counts[RESTORE_NO_DEVICE], 1);
	buf_free(&items);
}

/* P07: a file whose owner cannot be given stays without its set-user-id bit, even if that is allowed. */
static void setuid_of_another(void **state) {
	struct fixture *f = *state;
	char path[SCRATCH_MAX];
	struct stat st;
	struct restore_result r;
	struct direntry d = craft_file("file", &f->text);
	d.mode = 06755;
	d.uid = geteuid() + 1;
	craft_add(&f->entries, &d);
	struct hash id = snapshot_of(f);
	struct restore_options o = { .overwrite = RESTORE_ALWAYS, .allow = RESTORE_ALLOW_ALL };
	assert_int_equal(restore_with(f, &id, o, &r), OK);
	assert_int_equal(stat(scratch_join(path, f->target, "file"), &st), 0);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 1);
		assert_int_equal(st.st_mode & 07777, 06755);
	} else {
		assert_int_equal(st.st_mode & 07777, 02755);
		assert_int_equal(r.counts[RESTORE_NO_OWNER], 1);
		assert_int_equal(r.counts[RESTORE_NO_SETUID], 1);
	}
}

/* P08: any other name is taken as it is, and means nothing. */
static void special_names(void **state) {
	struct fixture *f = *state;
	static const char *const odd[] = { "\x01\x1b[31mred", " ", "-rf", "...", "AUX", "CON.txt",
		"a\\..\\b", "file:stream", "new\nline", "trailing.", "trailing ", "~",
		"\xe2\x80\xae"
		"gpj.exe",
		"\xff\xfe" };
	size_t count = sizeof odd / sizeof odd[0];
	for (size_t i = 0; i < count; i++) {
		struct direntry d = craft_file(odd[i], &f->text);
		buf_clear(&f->entries);
		craft_add(&f->entries, &d);
		struct hash id = snapshot_of(f);
		struct restore_result r = restore(f, &id);
		assert_int_equal(r.counts[RESTORE_FILES], 1);
		has_text(f->target, odd[i], "restored");
	}
	assert_int_equal(scratch_count(f->target), (int)count);
	victim_is_whole(f);
}

/* P11: a file that claims eight exbibytes by naming one chunk again and again. */
static void data_bomb(void **state) {
	struct fixture *f = *state;
	enum { ITEMS = 1000, LEVELS = 5 };
	uint8_t *zeros = calloc(1, LIMIT_CHUNK);
	struct hash chunk;
	struct why why = { OK, "" };
	testvault_must(
		storing_chunk(f->c.storing, CHUNKTYPE_CONTENT, span_of(zeros, LIMIT_CHUNK), &chunk, &why),
		&why, "chunk");
	free(zeros);
	struct streamref_item items[ITEMS];
	uint64_t length = LIMIT_CHUNK;
	uint32_t size = LIMIT_CHUNK;
	for (unsigned level = 0; level < LEVELS - 1; level++) {
		for (size_t i = 0; i < ITEMS; i++)
			items[i] = (struct streamref_item){ .id = chunk, .length = size };
		chunk = craft_list(&f->c, items, ITEMS);
		size = ITEMS * SIZE_STREAM_ITEM;
		length *= ITEMS;
	}
	struct streamref ref = { .length = length, .depth = LEVELS - 1, .id = chunk };
	struct direntry bomb = craft_file("bomb", &ref), file = craft_file("file", &f->text);
	craft_add(&f->entries, &bomb);
	craft_add(&f->entries, &file);
	struct hash id = snapshot_of(f);
	/* a restore that begins it all the same must not fill this machine */
	struct rlimit limit, before;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 64 << 20;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	struct restore_result r = restore(f, &id);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r.counts[RESTORE_NOT_DONE], 1);
	assert_non_null(strstr(f->last, "are free")); /* and how many */
	has_text(f->target, "file", "restored");
	assert_false(is_there(f->target, "bomb"));
	assert_int_equal(temps_in(f->target), 0);
}

/* P11: what does not fit by its own account is not begun, and both numbers are said. */
static void too_large(void **state) {
	struct fixture *f = *state;
	struct restore_result r;
	struct direntry file = craft_file("file", &f->text);
	craft_add(&f->entries, &file);
	struct streamref root = craft_folder(&f->c, &f->entries);
	struct hash id = craft_end(&f->c, &root, 1, (uint64_t)1 << 60);
	craft_begin(&f->c, &f->t);
	assert_int_equal(
		restore_with(f, &id, (struct restore_options){ .overwrite = RESTORE_ALWAYS }, &r), E_LIMIT);
	assert_non_null(strstr(f->last, "1152921504606846976"));
	assert_int_equal(scratch_count(f->target), 0);
}

/* P11: as large as a file can be, and one hole; the most holes there can be. Takes no space. */
static void holes(void **state) {
	struct fixture *f = *state;
	struct buf huge, many;
	uint64_t end = 0;
	char path[SCRATCH_MAX];
	struct stat st;
	buf_init(&huge, 1 << 20);
	buf_init(&many, 8 << 20);
	assert_int_equal(direntry_add_hole(&huge, &end, 0, INT64_MAX), OK);
	end = 0;
	for (uint64_t i = 0; i < LIMIT_HOLES; i++)
		assert_int_equal(direntry_add_hole(&many, &end, i * 8192 + 8, 8184), OK);
	uint8_t *data = calloc(1, (size_t)LIMIT_HOLES * 8);
	memset(data, 'x', (size_t)LIMIT_HOLES * 8);
	struct streamref content = craft_content(&f->c, span_of(data, (size_t)LIMIT_HOLES * 8));
	free(data);
	struct direntry one = craft_file("huge", &(struct streamref){ .length = 0 }),
					full = craft_file("many", &content);
	one.flags = full.flags = DIRENTRY_HAS_HOLES;
	one.holes = (struct direntry_items){ .count = 1, .items = buf_span(&huge) };
	full.holes = (struct direntry_items){ .count = LIMIT_HOLES, .items = buf_span(&many) };
	craft_add(&f->entries, &one);
	craft_add(&f->entries, &full);
	struct hash id = snapshot_of(f);
	struct restore_result r = restore(f, &id);
	if (is_there(f->target, "huge")) {
		assert_int_equal(lstat(scratch_join(path, f->target, "huge"), &st), 0);
		assert_true(st.st_size == INT64_MAX && st.st_blocks == 0);
	} else {
		assert_int_equal(r.counts[RESTORE_NOT_DONE], 1); /* larger than files can be here */
	}
	assert_int_equal(lstat(scratch_join(path, f->target, "many"), &st), 0);
	assert_true(st.st_size == (off_t)LIMIT_HOLES * 8192);
	assert_true(st.st_blocks * 512 <= (off_t)LIMIT_HOLES * 4096);
	buf_free(&huge);
	buf_free(&many);
}

/* P11: folders that name the folder below several times make a tree without end out of a few bytes. */
static void folder_bomb(void **state) {
	struct fixture *f = *state;
	struct streamref below = { .length = 0 };
	struct restore_result r;
	for (int level = 0; level < 40; level++) {
		buf_clear(&f->entries);
		for (char name[2] = "a"; name[0] <= 'p'; name[0]++) {
			struct direntry d = craft_directory(name, &below);
			craft_add(&f->entries, &d);
		}
		below = craft_folder(&f->c, &f->entries);
	}
	struct hash id = craft_end(&f->c, &below, 10, 0);
	craft_begin(&f->c, &f->t);
	assert_int_equal(restore_with(f, &id,
						 (struct restore_options){ .overwrite = RESTORE_ALWAYS, .each = true }, &r),
		E_FORGED);
	assert_true(f->items > 0);
}

/* F20: the last chunk of a file is missing: nothing of it stays, what was there before stays, the rest goes on. */
static void last_chunk(void **state) {
	struct fixture *f = *state;
	struct restore_result r;
	static const uint8_t nowhere[HASH_SIZE] = { 7 };
	struct hash whole;
	uint8_t *bytes = malloc(LIMIT_CHUNK);
	struct why why = { OK, "" };
	memset(bytes, 'w', LIMIT_CHUNK);
	testvault_must(
		storing_chunk(f->c.storing, CHUNKTYPE_CONTENT, span_of(bytes, LIMIT_CHUNK), &whole, &why),
		&why, "chunk");
	free(bytes);
	struct streamref_item items[3] = { { whole, LIMIT_CHUNK }, { whole, LIMIT_CHUNK },
		{ hash_from(nowhere), 5 } };
	struct streamref ref = {
		.length = 2 * (uint64_t)LIMIT_CHUNK + 5, .depth = 1, .id = craft_list(&f->c, items, 3)
	};
	struct direntry cut = craft_file("cut", &ref), file = craft_file("file", &f->text);
	craft_add(&f->entries, &cut);
	craft_add(&f->entries, &file);
	struct hash id = snapshot_of(f);
	r = restore(f, &id);
	assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
	assert_string_equal(f->noted, "/cut");
	assert_non_null(strstr(f->last, "0700000000")); /* the chunk is named */
	assert_false(is_there(f->target, "cut"));
	has_text(f->target, "file", "restored");
	char path[SCRATCH_MAX];
	scratch_write(scratch_join(path, f->target, "cut"), "before", 6);
	r = restore(f, &id);
	assert_int_equal(r.counts[RESTORE_NOT_READ], 1);
	has_text(f->target, "cut", "before");
	assert_int_equal(temps_in(f->target), 0);
}

static atomic_flag asked = ATOMIC_FLAG_INIT;

static void stop_at_once(void *ctx, uint64_t files, uint64_t bytes) {
	(void)ctx;
	(void)files;
	/* a second signal would end the program */
	if (bytes > 0 && !atomic_flag_test_and_set(&asked)) (void)kill(getpid(), SIGTERM);
}

/* Interrupted while a large file is written: no half of it stays. */
static void interrupted(void **state) {
	struct fixture *f = *state;
	struct restore_result r;
	struct direntry a = craft_file("a", &f->large), b = craft_file("b", &f->large);
	craft_add(&f->entries, &a);
	craft_add(&f->entries, &b);
	struct hash id = snapshot_of(f);
	signals_install();
	struct restore_options o = { .overwrite = RESTORE_ALWAYS, .moved = stop_at_once };
	enum err e = restore_with(f, &id, o, &r);
	signals_forget();
	assert_int_equal(e, E_CANCELLED);
	assert_int_equal(temps_in(f->target), 0);
	assert_true(scratch_count(f->target) < 2);
}

/* ${levels} folders, each in the one before, each with a file and a folder beside. */
static struct hash deep_tree(struct fixture *f, int levels) {
	struct streamref below = { .length = 0 }, empty = { .length = 0 };
	for (int level = 0; level <= levels; level++) {
		struct direntry deeper = craft_directory("d", &below), file = craft_file("f", &f->text),
						side = craft_directory("s", &empty);
		buf_clear(&f->entries);
		if (level) craft_add(&f->entries, &deeper);
		craft_add(&f->entries, &file);
		craft_add(&f->entries, &side);
		below = craft_folder(&f->c, &f->entries);
	}
	struct hash id = craft_end(&f->c, &below, 3 * (uint64_t)levels + 10, 0);
	craft_begin(&f->c, &f->t);
	return id;
}

static struct rlimit few_descriptors(void) {
	struct rlimit before, few;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = DESCRIPTORS;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	return before;
}

/* P11: deeper than there are descriptors. On the way back up each folder is gone into again, and gets its attributes. */
static void deeper_than_descriptors(void **state) {
	struct fixture *f = *state;
	struct hash id = deep_tree(f, DEEP);
	struct rlimit before = few_descriptors();
	struct restore_result r = restore(f, &id);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	if (r.counts[RESTORE_NOT_DONE] + r.counts[RESTORE_NOT_COMPLETE]) fail_msg("%s", f->last);
	assert_int_equal(r.counts[RESTORE_FILES], DEEP + 1);
	assert_int_equal(r.counts[RESTORE_DIRECTORIES], 2 * DEEP + 1);
	int at = open(f->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int level = 0; level <= DEEP; level++) {
		struct stat file, side, deeper;
		assert_int_equal(fstatat(at, "f", &file, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(file.st_size, strlen("restored"));
		assert_int_equal(fstatat(at, "s", &side, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISDIR(side.st_mode));
		assert_int_equal(side.st_mtim.tv_sec, 1000000000);
		if (level == DEEP) break;
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		assert_true(next >= 0);
		assert_int_equal(fstat(next, &deeper), 0);
		assert_int_equal(deeper.st_mtim.tv_sec, 1000000000);
		assert_int_equal(deeper.st_mode & 07777, 0755);
		assert_int_equal(close(at), 0);
		at = next;
	}
	assert_int_equal(close(at), 0);
}

enum { SWAP_DEPTH = 400 };

struct impostor {
	struct fixture *f;
	bool is_link, done;
};

static struct impostor impostor;

/* When the deepest folder is made, the topmost one, which rests, is moved away, and something else is in its place. */
static void deepest(void *ctx, enum restore_note note, struct span path, const char *text) {
	struct fixture *f = impostor.f;
	char from[SCRATCH_MAX], to[SCRATCH_MAX];
	noted(ctx, note, path, text);
	if (note != RESTORE_ITEM || path.len != 2 * SWAP_DEPTH || impostor.done) return;
	impostor.done = true;
	(void)scratch_join(from, f->target, "d");
	if (rename(from, scratch_join(to, f->top, "moved"))) abort();
	if (impostor.is_link ? symlink(f->victim, from) : rename(f->victim, from)) abort();
}

/* P02: a folder that is gone into again is the one that was left, or it is left alone. */
static void another_in_its_place(void **state) {
	struct fixture *f = *state;
	struct hash id = deep_tree(f, SWAP_DEPTH);
	char path[SCRATCH_MAX];
	for (int is_link = 0; is_link < 2; is_link++) {
		struct restore_result r;
		impostor = (struct impostor){ .f = f, .is_link = is_link };
		struct rlimit before = few_descriptors();
		enum err e = restore_with(f, &id,
			(struct restore_options){ .overwrite = RESTORE_ALWAYS, .each = true, .noted = deepest },
			&r);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		if (e) fail_msg("%s", f->last);
		assert_true(impostor.done);
		assert_true(r.counts[RESTORE_NOT_DONE] > 0);
		assert_true(r.counts[RESTORE_NOT_COMPLETE] > 0);
		(void)scratch_join(path, f->target, "d");
		if (is_link) assert_int_equal(unlink(path), 0);
		else assert_int_equal(rename(path, f->victim), 0);
		victim_is_whole(f);
		scratch_remove(scratch_join(path, f->top, "moved"));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(child_through_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(planted_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(planted_above, set_up, tear_down),
		cmocka_unit_test_setup_teardown(link_groups, set_up, tear_down),
		cmocka_unit_test_setup_teardown(group_not_linked_to_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(exchanged_member, set_up, tear_down),
		cmocka_unit_test_setup_teardown(swapped_folders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rights, set_up, tear_down),
		cmocka_unit_test_setup_teardown(setuid_of_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(special_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(data_bomb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(holes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(folder_bomb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(last_chunk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(interrupted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deeper_than_descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_in_its_place, set_up, tear_down),
	};
	if (crypto_start()) return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
