#include "client/restore.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/restorelinks.h"
#include "client/restoreplan.h"
#include "client/treewalk.h"
#include "format/limits.h"
#include "os/file.h"
#include "os/process.h"
#include "os/thread.h"

enum { DESCRIPTORS_KEPT = 160 }; /* for packs, and all else */

static void warn(void *ctx, const struct why *why) {
	restorerun_note_path(ctx, RESTORE_WARNING, span_text("/"), why->msg);
}

static enum err read_groups(struct restorerun *r, struct why *why) {
	int n = r->uid == 0 ? 0 : getgroups(0, NULL);
	if (n <= 0) return OK;
	r->groups = mem_array((size_t)n + 1, sizeof *r->groups);
	if (!r->groups) return why_err(why, E_NOMEM, "restoring");
	n = getgroups(n, r->groups);
	r->group_count = n > 0 ? (size_t)n : 0;
	r->groups[r->group_count++] = r->gid;
	return OK;
}

static enum err run_init(
	struct restorerun *r, struct vault *v, const struct restore_options *o, struct why *why) {
	unsigned long files = process_files_max();
	files = files > 2 * DESCRIPTORS_KEPT ? files - DESCRIPTORS_KEPT : DESCRIPTORS_KEPT;
	memset(r, 0, sizeof *r);
	r->options = o;
	r->vault = v;
	r->uid = geteuid();
	r->gid = getegid();
	r->dirs_max = files / 2;
	r->late_max = r->files_max = files / 8;
	mutex_init(&r->lock);
	mutex_init(&r->files);
	mutex_cond_init(&r->moved);
	return read_groups(r, why);
}

static void run_done(struct restorerun *r) {
	fetch_free(r->fetch);
	mem_free(r->groups);
	mem_free(r->late);
	mutex_cond_done(&r->moved);
	mutex_done(&r->files);
	mutex_done(&r->lock);
}

static enum err found_something(void *ctx, const struct dirent *entry, struct why *why) {
	bool *found = ctx;
	(void)entry;
	(void)why;
	*found = true;
	return E_EXISTS;
}

/* A snapshot that cannot fit into an empty target is not begun. */
static enum err check_space(
	struct restorerun *r, const struct snapshot *s, bool whole, struct why *why) {
	struct statvfs fs;
	bool found = false;
	if (!whole || r->options->sparse || fstatvfs(r->root->fd, &fs)) return OK;
	uint64_t free = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (s->bytes <= free) return OK;
	err_ignore(file_list(
		r->root->fd, ".", found_something, &found, NULL)); /* says only whether there is anything */
	err_ignore(why_set(why, E_LIMIT, "the snapshot has %llu bytes, and %s has %llu free",
		(unsigned long long)s->bytes, r->options->target, (unsigned long long)free));
	if (!found) return E_LIMIT;
	restorerun_note_path(
		r, RESTORE_WARNING, span_text("/"), why->msg); /* some of it may be there already */
	return OK;
}

/* The walk, and the threads beside it. */
static enum err walk_and_write(
	struct restorerun *r, struct restoreplan *plan, unsigned threads, struct why *why) {
	enum err e = restoretree_root(r, &r->root, why);
	if (!e) e = check_space(r, plan->snapshot, plan->select->all, why);
	if (!e) e = restorelinks_new(&r->links, r, why);
	/* modes are what the snapshot says; nothing else is made by this process meanwhile */
	mode_t mask = umask(0);
	if (!e) e = restorewindow_start(&plan->line, r, threads, why);
	if (!e) {
		e = restoreplan_walk(plan, why);
		if (e) restorerun_end(r, e, why);
	}
	restorewindow_end(plan->line);
	restorelinks_free(r->links);
	r->links = NULL;
	restoretree_finish_late(r);
	if (r->root) restoretree_leave(r->root);
	r->root = NULL;
	umask(mask);
	return e;
}

static enum err restore_snapshot(struct restorerun *r, const struct snapshot *s,
	struct restoreselect *select, unsigned threads, struct why *why) {
	struct restoreowner owner;
	const struct restore_options *o = r->options;
	enum err e = restoreowner_init(&owner, s, why);
	if (e) return e;
	struct restoreplan plan = { .run = r, .select = select, .owner = &owner, .snapshot = s };
	if (o->expected && select->all) o->expected(o->ctx, s->files + s->others, s->bytes);
	e = o->dry_run ? restoreplan_walk(&plan, why) : walk_and_write(r, &plan, threads, why);
	restoreowner_done(&owner);
	return e;
}

/* A snapshot that the chain does not know was never made, or is another vault's. */
static enum err read_snapshot(
	struct restorerun *r, struct snapshot *s, struct buf *bytes, struct why *why) {
	return treewalk_snapshot(r->fetch, &r->options->snapshot, s, bytes, why);
}

enum err restore_run(
	struct vault *v, const struct restore_options *o, struct restore_result *out, struct why *why) {
	struct restorerun r;
	struct restoreselect select = { .options = o };
	struct snapshot snapshot;
	struct buf bytes;
	unsigned threads = o->threads ? o->threads : thread_cpus();
	buf_init(&bytes, LIMIT_SNAPSHOT);
	memset(out, 0, sizeof *out);
	enum err e = run_init(&r, v, o, why);
	struct fetch_params params = { .vault = v, .threads = threads + 1, .warn = warn, .ctx = &r };
	if (!e) e = restoreselect_init(&select, o, why);
	if (!e) e = fetch_new(&r.fetch, &params, why);
	if (!e) e = read_snapshot(&r, &snapshot, &bytes, why);
	if (!e) e = restore_snapshot(&r, &snapshot, &select, threads, why);
	if (!e && r.failed) {
		e = r.failed;
		if (why) *why = r.why;
	}
	for (size_t i = 0; i < RESTORE_COUNTS; i++) out->counts[i] = atomic_load(&r.counts[i]);
	out->paths_missing = restoreselect_missing(&select);
	restoreselect_done(&select);
	buf_free(&bytes);
	run_done(&r);
	return e;
}
