/*
 * Memory that runs out at each allocation of opening a vault and of a backup, a restore, a prune and a check: an error that
 * says so or success, never a crash or a leak (under ASan), and the store stays clean.
 *
 *   fault_alloc [--long | STEP]     every STEPth allocation (default: about 60 of each); --long: every one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/check.h"
#include "client/checkstore.h"
#include "client/restore.h"
#include "crypto/crypto.h"
#include "rawstore.h"
#include "scratch.h"
#include "storesuite.h"
#include "testvault.h"

struct alloc_place {
	char folder[SCRATCH_MAX], home[SCRATCH_MAX], kept[SCRATCH_MAX], tree[SCRATCH_MAX],
		out[SCRATCH_MAX];
	struct store *store;
	struct rawstore_copy *base;
	struct hash snapshot, old;
	uint64_t passed, failed;
};

static void remove_all(const char *path) {
	if (access(path, F_OK) == 0) scratch_remove(path);
}

/* A copy of a folder with all that is in it. */
static void copy_folder(const char *from, const char *to) {
	pid_t child = fork();
	int status;
	if (child < 0) abort();
	if (child == 0) {
		(void)execlp("cp", "cp", "-a", from, to, (char *)NULL);
		_exit(1);
	}
	if (waitpid(child, &status, 0) != child || status != 0) abort();
}

static void file(const struct alloc_place *p, const char *name, size_t len, uint64_t seed) {
	char path[SCRATCH_MAX];
	uint8_t *bytes = malloc(len + 1);
	if (!bytes) abort();
	storesuite_bytes(bytes, len, seed);
	scratch_write(scratch_join(path, p->tree, name), bytes, len);
	free(bytes);
}

static void make(struct alloc_place *p) {
	char path[SCRATCH_MAX];
	struct kit_secret kit;
	struct testvault t;
	struct why why = { OK, "" };
	struct hash id = storesuite_id(5);
	scratch_make(p->folder);
	testvault_home(scratch_join(p->home, p->folder, "home"));
	(void)scratch_join(p->kept, p->folder, "kept");
	(void)scratch_join(p->tree, p->folder, "tree");
	(void)scratch_join(p->out, p->folder, "out");
	if (mkdir(p->tree, 0700) || mkdir(scratch_join(path, p->tree, "sub"), 0700)) abort();
	file(p, "gone", 30000, 1);
	file(p, "stays", 40000, 2);
	file(p, "sub/small", 100, 3);
	if (symlink("small", scratch_join(path, p->tree, "sub/link"))) abort();
	p->store = rawstore_new(&id);
	testvault_make(p->store, 0, &kit);
	testvault_must_open(&t, p->store);
	testvault_must(testvault_backup(&t, p->tree, NULL, &p->old, &why), &why, "backup");
	if (unlink(scratch_join(path, p->tree, "gone"))) abort();
	file(p, "new", 20000, 4);
	testvault_must(testvault_backup(&t, p->tree, NULL, &p->snapshot, &why), &why, "backup");
	testvault_must(testvault_forget(&t, &p->old, &why), &why, "forget");
	testvault_close(&t);
	file(p, "newer", 9000, 5);
	p->base = rawstore_copy(p->store);
	copy_folder(p->home, p->kept);
}

/* Store and state as they were. */
static void set_back(struct alloc_place *p) {
	rawstore_set(p->store, p->base);
	remove_all(p->home);
	remove_all(p->out);
	copy_folder(p->kept, p->home);
}

static enum err do_backup(struct alloc_place *p, struct testvault *t, struct why *why) {
	struct hash id;
	return testvault_backup(t, p->tree, "tag", &id, why);
}

static enum err do_restore(struct alloc_place *p, struct testvault *t, struct why *why) {
	struct restore_options o = {
		.snapshot = p->snapshot, .target = p->out, .threads = 1, .overwrite = RESTORE_ALWAYS
	};
	struct restore_result r;
	enum err e = restore_run(&t->vault, &o, &r, why);
	if (!e && (r.counts[RESTORE_NOT_READ] || r.counts[RESTORE_NOT_KNOWN]))
		e = why_set(why, E_FORGED, "a restore without memory called the store damaged");
	return e;
}

static enum err do_prune(struct alloc_place *p, struct testvault *t, struct why *why) {
	struct prune_result r;
	(void)p;
	return testvault_prune(t, &r, why);
}

struct findings {
	uint64_t count;
	char text[256];
};

static void found(void *ctx, const struct checkreport_item *item) {
	struct findings *f = ctx;
	if (!f->count++) (void)snprintf(f->text, sizeof f->text, "%s", item->text);
}

static enum err check(struct alloc_place *p, struct testvault *t, struct why *why) {
	struct checkreport r;
	struct findings f = { .count = 0 };
	struct check_options o = { .part = CHECKDATA_ALL, .threads = 1 };
	checkreport_init(&r);
	r.found = found;
	r.ctx = &f;
	enum err e = checkstore_run(&r, p->store, &t->session.folder, why);
	if (!e) e = check_vault(&r, &t->vault, &o, why);
	checkreport_done(&r);
	if (!e && f.count) e = why_set(why, E_FORGED, "check: %s", f.text);
	return e;
}

typedef enum err flow(struct alloc_place *p, struct testvault *t, struct why *why);

static enum err run(struct alloc_place *p, flow *f, struct why *why) {
	struct testvault t;
	enum err e = testvault_open(&t, p->store, "main", why);
	if (e) return e;
	e = f(p, &t, why);
	testvault_close(&t);
	return e;
}

/* What must be true afterwards. */
static enum err judge(struct alloc_place *p, struct why *why) {
	struct testvault t;
	enum err e = testvault_open(&t, p->store, "main", why);
	if (e) return e;
	const struct vault_snapshot *s = vaultstate_snapshot(&t.vault.state, &p->snapshot);
	if (!s || s->forgotten) e = why_set(why, E_NOTFOUND, "the snapshot is lost");
	if (!e) e = check(p, &t, why);
	testvault_close(&t);
	return e;
}

static void one(struct alloc_place *p, const char *name, flow *f, uint64_t n) {
	struct why why = { OK, "" }, after = { OK, "" };
	set_back(p);
	mem_fail_at(n);
	enum err e = run(p, f, &why);
	mem_fail_at(0);
	enum err then = judge(p, &after);
	if ((!e || e == E_NOMEM) && !then) {
		p->passed++;
		return;
	}
	p->failed++;
	printf("FAIL  %s, allocation %llu: %s (%s); afterwards %s\n", name, (unsigned long long)n,
		e ? why.msg : "", err_text(e), then ? after.msg : "clean");
	(void)fflush(stdout);
}

static void sweep(struct alloc_place *p, const char *name, flow *f, uint64_t step) {
	struct why why = { OK, "" };
	set_back(p);
	uint64_t before = mem_count();
	testvault_must(run(p, f, &why), &why, name);
	uint64_t count = mem_count() - before, cases = 0;
	if (!step) step = count / 60 + 1;
	/* a few more than were counted: threads may take turns otherwise */
	for (uint64_t n = 1; n <= count + 5; n += step, cases++) one(p, name, f, n);
	printf("%s: %llu of %llu allocations\n", name, (unsigned long long)cases,
		(unsigned long long)count);
	(void)fflush(stdout);
}

int main(int argc, char **argv) {
	static struct alloc_place p;
	uint64_t step = argc < 2 ? 0 : strcmp(argv[1], "--long") == 0 ? 1 : strtoull(argv[1], NULL, 10);
	if (crypto_start() != OK) return 2;
	make(&p);
	sweep(&p, "backup", do_backup, step);
	sweep(&p, "restore", do_restore, step);
	sweep(&p, "prune", do_prune, step);
	sweep(&p, "check", check, step);
	rawstore_copy_free(p.base);
	store_free(p.store);
	scratch_remove(p.folder);
	printf(
		"%llu passed, %llu failed\n", (unsigned long long)p.passed, (unsigned long long)p.failed);
	return p.failed != 0;
}
