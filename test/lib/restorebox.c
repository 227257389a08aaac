#include "restorebox.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"
#include "store/memory.h"

enum { LARGE = 3 << 20, ITEMS_MOST = 200000 };

int restorebox_setup(void **state) {
	struct restorebox *f = calloc(1, sizeof *f);
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

int restorebox_teardown(void **state) {
	struct restorebox *f = *state;
	craft_drop(&f->c);
	testvault_close(&f->t);
	store_free(f->store);
	buf_free(&f->entries);
	scratch_remove(f->top);
	free(f);
	return 0;
}

void restorebox_noted(void *ctx, enum restore_note note, struct span path, const char *text) {
	struct restorebox *f = ctx;
	if (note == RESTORE_ITEM && ++f->items > ITEMS_MOST) abort(); /* a tree without end */
	if (note == RESTORE_ITEM) return;
	(void)snprintf(f->last, sizeof f->last, "%s", text);
	(void)snprintf(f->noted, sizeof f->noted, "%.*s", (int)(path.len > 400 ? 400 : path.len),
		(const char *)path.ptr);
}

enum err restorebox_try(struct restorebox *f, const struct hash *id, struct restore_options o,
	struct restore_result *r) {
	struct why why = { OK, "" };
	o.snapshot = *id;
	o.target = f->target;
	o.threads = 2;
	if (!o.noted) o.noted = restorebox_noted;
	o.ctx = f;
	enum err e = restore_run(&f->t.vault, &o, r, &why);
	if (e) (void)snprintf(f->last, sizeof f->last, "%s", why.msg);
	return e;
}

struct restore_result restorebox_run(struct restorebox *f, const struct hash *id) {
	struct restore_result r;
	enum err e = restorebox_try(f, id, (struct restore_options){ .overwrite = RESTORE_ALWAYS }, &r);
	if (e) fail_msg("restore: %s", f->last);
	return r;
}

struct hash restorebox_snapshot(struct restorebox *f) {
	struct streamref root = craft_folder(&f->c, &f->entries);
	struct hash id = craft_end(&f->c, &root, 100, 0);
	buf_clear(&f->entries);
	craft_begin(&f->c, &f->t);
	return id;
}

bool restorebox_is_there(const char *folder, const char *name) {
	char path[SCRATCH_MAX];
	struct stat st;
	return lstat(scratch_join(path, folder, name), &st) == 0;
}

void restorebox_has_text(const char *folder, const char *name, const char *text) {
	char path[SCRATCH_MAX], got[64] = "";
	int fd = open(scratch_join(path, folder, name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) fail_msg("%s is not there", path);
	ssize_t n = read(fd, got, sizeof got - 1);
	assert_int_equal(n, strlen(text));
	assert_string_equal(got, text);
	assert_int_equal(close(fd), 0);
}

void restorebox_victim_is_whole(const struct restorebox *f) {
	char path[SCRATCH_MAX];
	struct stat st;
	assert_int_equal(scratch_count(f->victim), 1);
	restorebox_has_text(f->victim, "secret", "secret");
	assert_int_equal(stat(scratch_join(path, f->victim, "secret"), &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(f->victim, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

int restorebox_temps(const char *folder) {
	char command[SCRATCH_MAX + 64], line[64] = "";
	(void)snprintf(command, sizeof command, "find '%s' -name '.broch-*' | wc -l", folder);
	FILE *p = popen(command, "r");
	if (!p || !fgets(line, sizeof line, p)) abort();
	(void)pclose(p);
	return (int)strtol(line, NULL, 10);
}
