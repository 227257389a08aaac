/*
 * Row X14 and its kin: two commands on one vault at once, in every order of their chain entries. No snapshot refers to a
 * pack that goes, all that was acknowledged is there, and check finds nothing.
 *
 *   fault_race [--long | LENGTH]      orders of so many entries (4; --long: 8)
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/check.h"
#include "client/checkstore.h"
#include "crypto/crypto.h"
#include "os/thread.h"
#include "rawstore.h"
#include "scratch.h"
#include "storesuite.h"
#include "testvault.h"

enum { TWO = 2, STUCK_SECONDS = 300 };

/* Whose turn it is to append. */
struct turns {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const char *order; /* 'a' and 'b'; behind its end everybody may */
	bool ended[TWO];
};

struct race {
	char folder[SCRATCH_MAX], home[SCRATCH_MAX], kept[SCRATCH_MAX], tree[SCRATCH_MAX];
	struct store *store;
	struct rawstore_copy *base;
	struct hash gone, stays;
	struct turns turns;
	uint64_t passed, failed;
	char label[128];
};

typedef enum err action(struct race *r, struct testvault *t, struct why *why);

static _Thread_local int who = -1;

/* Waits for this thread's turn; one whose partner has ended need not. */
static enum err appending(void *ctx, const struct hash *chain, uint64_t seq, struct span bytes) {
	struct turns *t = &((struct race *)ctx)->turns;
	struct timespec until;
	(void)chain;
	(void)seq;
	(void)bytes;
	if (who < 0) return OK;
	if (clock_gettime(CLOCK_REALTIME, &until)) abort();
	until.tv_sec += STUCK_SECONDS;
	pthread_mutex_lock(&t->lock);
	while (*t->order && *t->order != "ab"[who] && !t->ended[1 - who])
		if (pthread_cond_timedwait(&t->changed, &t->lock, &until))
			abort(); /* both wait: no order of ours */
	if (*t->order) t->order++;
	/* the other's turn begins when this append is done: it is, as far as anybody can see, with the next look */
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
	return OK;
}

struct runner {
	struct race *r;
	int number;
	action *what;
	enum err e;
	struct why why;
	struct thread thread;
};

static void run_one(void *ctx) {
	struct runner *n = ctx;
	struct testvault t;
	n->e = testvault_open(&t, n->r->store, "main", &n->why);
	who = n->number;
	if (!n->e) n->e = n->what(n->r, &t, &n->why);
	who = -1;
	if (n->e != E_NOMEM) testvault_close(&t);
	pthread_mutex_lock(&n->r->turns.lock);
	n->r->turns.ended[n->number] = true;
	pthread_cond_broadcast(&n->r->turns.changed);
	pthread_mutex_unlock(&n->r->turns.lock);
}

static enum err do_backup(struct race *r, struct testvault *t, struct why *why) {
	struct hash id;
	return testvault_backup(t, r->tree, "again", &id, why);
}

static enum err do_prune(struct race *r, struct testvault *t, struct why *why) {
	struct prune_result out;
	(void)r;
	return testvault_prune(t, &out, why);
}

static enum err decide_keep(void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct race *r = ctx;
	(void)v;
	(void)why;
	out->body =
		(struct vaultbody){ .type = VAULTBODY_FORGET, .forget = { .rows = hash_span(&r->stays) } };
	return OK;
}

static enum err do_forget(struct race *r, struct testvault *t, struct why *why) {
	return vault_append(&t->vault, decide_keep, r, why);
}

static enum err do_rotate(struct race *r, struct testvault *t, struct why *why) {
	(void)r;
	return vault_rotate(&t->vault, why);
}

static void file(const struct race *r, const char *name, size_t len, uint64_t seed) {
	char path[SCRATCH_MAX];
	uint8_t *bytes = malloc(len);
	if (!bytes) abort();
	storesuite_bytes(bytes, len, seed);
	scratch_write(scratch_join(path, r->tree, name), bytes, len);
	free(bytes);
}

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

/*
 * A forgotten snapshot had the file "back", which no other needs; the tree has it again. So a prune lets its packs go, and a
 * backup finds its chunks and refers to them.
 */
static void make(struct race *r) {
	char path[SCRATCH_MAX];
	struct kit_secret kit;
	struct testvault t;
	struct why why = { OK, "" };
	struct hash id = storesuite_id(6);
	scratch_make(r->folder);
	testvault_home(scratch_join(r->home, r->folder, "home"));
	(void)scratch_join(r->kept, r->folder, "kept");
	(void)scratch_join(r->tree, r->folder, "tree");
	if (mkdir(r->tree, 0700)) abort();
	file(r, "back", 60000, 1);
	file(r, "stays", 30000, 2);
	r->store = rawstore_new(&id);
	testvault_make(r->store, 0, &kit);
	testvault_must_open(&t, r->store);
	testvault_must(testvault_backup(&t, r->tree, NULL, &r->gone, &why), &why, "backup");
	if (unlink(scratch_join(path, r->tree, "back"))) abort();
	file(r, "new", 5000, 3);
	testvault_must(testvault_backup(&t, r->tree, NULL, &r->stays, &why), &why, "backup");
	testvault_must(testvault_forget(&t, &r->gone, &why), &why, "forget");
	testvault_close(&t);
	file(r, "back", 60000, 1);
	r->base = rawstore_copy(r->store);
	copy_folder(r->home, r->kept);
}

static void found(void *ctx, const struct checkreport_item *item) {
	struct why *why = ctx;
	if (!why->msg[0]) (void)snprintf(why->msg, sizeof why->msg, "check: %s", item->text);
}

/* Everything in force can be read whole, and check finds nothing. */
static enum err judge(struct race *r, struct why *why) {
	struct testvault t;
	struct checkreport report;
	struct why said = { OK, "" };
	struct check_options o = { .part = CHECKDATA_ALL, .threads = 1 };
	struct fetch *f = NULL;
	enum err e = testvault_open(&t, r->store, "main", why);
	if (e) return e;
	struct fetch_params p = { .vault = &t.vault, .threads = 1 };
	e = fetch_new(&f, &p, why);
	for (size_t i = 0; !e && i < t.vault.state.snapshot_count; i++) {
		struct testvault_seen seen;
		if (t.vault.state.snapshots[i].forgotten) continue;
		e = testvault_see(f, &t.vault.state.snapshots[i].id, &seen, why);
		if (!e && seen.errors) e = why_set(why, seen.first, "%s", seen.why.msg);
		testvault_seen_done(&seen);
	}
	fetch_free(f);
	checkreport_init(&report);
	report.found = found;
	report.ctx = &said;
	if (!e) e = checkstore_run(&report, r->store, &t.session.folder, why);
	if (!e) e = check_vault(&report, &t.vault, &o, why);
	if (!e && said.msg[0]) e = why_set(why, E_FORGED, "%s", said.msg);
	checkreport_done(&report);
	testvault_close(&t);
	return e;
}

static void one(struct race *r, action *a, action *b, const char *order) {
	struct runner n[TWO] = { { .r = r, .number = 0, .what = a },
		{ .r = r, .number = 1, .what = b } };
	struct why why = { OK, "" };
	rawstore_set(r->store, r->base);
	scratch_remove(r->home);
	copy_folder(r->kept, r->home);
	r->turns.order = order;
	r->turns.ended[0] = r->turns.ended[1] = false;
	for (int i = 0; i < TWO; i++)
		testvault_must(thread_start(&n[i].thread, run_one, &n[i], &why), &why, "a thread");
	for (int i = 0; i < TWO; i++) thread_join(&n[i].thread);
	enum err e = judge(r, &why);
	bool good = !e;
	for (int i = 0; i < TWO; i++) good = good && (!n[i].e || n[i].e == E_BUSY);
	if (good) {
		r->passed++;
		return;
	}
	r->failed++;
	printf("FAIL  %s, entries %s: a %s %s, b %s %s; afterwards %s\n", r->label, order,
		err_text(n[0].e), n[0].why.msg, err_text(n[1].e), n[1].why.msg, e ? why.msg : "clean");
	(void)fflush(stdout);
}

static void pair(struct race *r, const char *name, action *a, action *b, unsigned length) {
	(void)snprintf(r->label, sizeof r->label, "%s", name);
	for (unsigned bits = 0; bits < 1u << length; bits++) {
		char order[32] = "";
		for (unsigned i = 0; i < length; i++) order[i] = bits >> i & 1 ? 'b' : 'a';
		one(r, a, b, order);
	}
	printf("%s: %u orders\n", name, 1u << length);
	(void)fflush(stdout);
}

int main(int argc, char **argv) {
	static struct race r = { .turns = { .lock = PTHREAD_MUTEX_INITIALIZER,
								 .changed = PTHREAD_COND_INITIALIZER } };
	unsigned length = argc < 2           ? 4
		: strcmp(argv[1], "--long") == 0 ? 8
										 : (unsigned)strtoul(argv[1], NULL, 10);
	if (crypto_start() != OK || length == 0 || length > 16) return 2;
	make(&r);
	rawstore_on_append(r.store, appending, &r);
	pair(&r, "prune and backup", do_prune, do_backup, length);
	pair(&r, "prune and prune", do_prune, do_prune, length);
	pair(&r, "backup and backup", do_backup, do_backup, length);
	pair(&r, "prune and forget", do_prune, do_forget, length);
	pair(&r, "backup and forget", do_backup, do_forget, length);
	pair(&r, "rotate and backup", do_rotate, do_backup, length);
	rawstore_copy_free(r.base);
	store_free(r.store);
	scratch_remove(r.folder);
	printf(
		"%llu passed, %llu failed\n", (unsigned long long)r.passed, (unsigned long long)r.failed);
	return r.failed != 0;
}
