#include "client/backup.h"

#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/backupavoid.h"
#include "client/backuplook.h"
#include "client/backupsame.h"
#include "client/backupscan.h"
#include "client/backupsources.h"
#include "client/backupwalk.h"
#include "client/indexmerge.h"
#include "client/intents.h"
#include "client/runrecord.h"
#include "crypto/derive.h"
#include "crypto/label.h"
#include "format/snapshot.h"
#include "os/clock.h"
#include "os/signals.h"
#include "os/thread.h"

enum { ATTEMPTS = 5, TICK_MS = 100 };

static const char program[] = "broch 0.1";

/* Everything one attempt holds. */
struct attempt {
	struct vault *v;
	const struct backup_options *o;
	struct backup_result *out;
	struct head start;
	uint64_t start_events; /* intents and purges before */
	char host[LIMIT_TEXT + 1];
	char branch[LIMIT_TEXT + 1];
	struct backupsources sources;
	struct moment started;
	struct fetch *fetch;
	struct buf avoid;
	bool packs_missing;
	bool again;              /* what the run before found missing is stored again */
	struct indexplan *found; /* what earlier runs stored */
	struct runrecord *record;
	struct packrun *run;
	struct treecache *cache;
	struct storing_shared storing;
	struct backupwalk walk;
	bool walk_started;
	struct backupscan *scan; /* NULL: nothing is counted ahead */
	/* by value: entries that are read on the way move what the vault's state holds */
	struct {
		bool known;
		struct hash id;
		uint64_t files, bytes;
	} parent;
	struct buf locations; /* of indexes that the next entry is to name */
	struct buf snapshot;
	uint64_t last_checkpoint;
};

static struct moment now_moment(void) {
	int64_t now = clock_real_ns();
	return (struct moment){ .seconds = now / 1000000000, .nanos = (uint32_t)(now % 1000000000) };
}

static int by_text(const void *a, const void *b) {
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static void missed(void *ctx, const char *path, const struct why *why) {
	struct attempt *a = ctx;
	atomic_fetch_add(&a->walk.unreadable, 1);
	if (a->o->noted) a->o->noted(a->o->ctx, BACKUP_UNREADABLE, path, why->msg);
}

static enum err read_sources(struct attempt *a, struct why *why) {
	const struct backup_options *o = a->o;
	struct utsname name;
	if (o->host) (void)snprintf(a->host, sizeof a->host, "%s", o->host);
	else (void)snprintf(a->host, sizeof a->host, "%s", uname(&name) ? "localhost" : name.nodename);
	enum err e = o->stdin_fd >= 0
		? backupsources_single(&a->sources, o->stdin_name, why)
		: backupsources_read(&a->sources, o->paths, o->path_count, missed, a, why);
	if (e) return e;
	if (!o->branch)
		return why_err(
			why, backupsources_branch(&a->sources, a->host, a->branch), "naming the branch");
	(void)snprintf(a->branch, sizeof a->branch, "%s", o->branch);
	return OK;
}

static void warned(void *ctx, const struct why *why) {
	struct attempt *a = ctx;
	if (a->walk_started) backupwalk_note(&a->walk, BACKUP_WARNING, "", why->msg);
	else if (a->o->noted) a->o->noted(a->o->ctx, BACKUP_WARNING, "", why->msg);
}

static void pack_named(void *ctx, const struct hash *name, uint32_t size) {
	struct attempt *a = ctx;
	runrecord_add(a->record, name, size);
}

static enum err start_run(struct attempt *a, struct why *why) {
	struct session *s = a->v->session;
	struct fetch_params fp = {
		.vault = a->v, .threads = a->walk.worker_count, .warn = warned, .ctx = a
	};
	enum err e = fetch_new(&a->fetch, &fp, why);
	if (!e) e = backupavoid_find(a->v, fetch_places(a->fetch), &a->avoid, &a->packs_missing, why);
	if (!e && a->packs_missing) {
		struct why text;
		err_ignore(why_set(&text, E_NOTFOUND,
			"packs are missing from the store or too short: all files are read again, and what is missing is stored again"));
		warned(a, &text);
	}
	if (!e) e = why_err(why, indexplan_new(&a->found), "starting a run");
	if (!e && !a->o->dry_run)
		e = runrecord_open(&a->record, s->folder.state, &a->v->id, s->store, fetch_packs(a->fetch),
			fetch_places(a->fetch), buf_span(&a->avoid), a->found, why);
	if (e) return e;
	indexplan_sort(a->found);
	places_borrow(fetch_places(a->fetch), a->found);
	struct packrun_params p = {
		.store = s->store,
		.vault = a->v->id,
		.epoch = vault_epoch(a->v),
		.epoch_public = epochring_kem_public(a->v->chain.ring, vault_epoch(a->v)),
		.start_sequence = a->start.seq,
		.start_head = a->start.hash,
		.writer = s->secrets->actor.id,
		.fresh = &s->secrets->fresh,
		.named = a->o->dry_run ? NULL : pack_named,
		.ctx = a,
		.pack_limit = a->o->pack_limit,
	};
	return packrun_new(&a->run, &p, why);
}

/* The newest snapshot of the branch. */
static void find_parent(struct attempt *a) {
	const struct vaultstate *s = &a->v->state;
	for (size_t i = s->snapshot_count; i > 0 && !a->parent.known; i--) {
		const struct vault_snapshot *v = &s->snapshots[i - 1];
		if (v->forgotten || !span_equal(v->stamp.branch, span_text(a->branch))) continue;
		a->parent.known = true;
		a->parent.id = v->id;
		a->parent.files = v->stamp.files;
		a->parent.bytes = v->stamp.bytes;
	}
}

/* The tree cache of this branch, if it describes a snapshot that is still there, with all it needs in packs that stay. */
static enum err open_cache(struct attempt *a, struct why *why) {
	struct derive d;
	uint8_t key[HASH_SIZE];
	struct hash branch, snapshot;
	char vault_hex[HASH_HEX], branch_hex[HASH_HEX], name[64];
	if (a->v->session->folder.cache < 0 || a->o->dry_run) return OK;
	hash_of(&branch, span_text(a->branch));
	hash_hex(vault_hex, &a->v->id);
	hash_hex(branch_hex, &branch);
	(void)snprintf(name, sizeof name, "tree-%.16s-%.16s", vault_hex, branch_hex);
	derive_start(&d, LABEL_LOCAL_TREE_CACHE, span_of(a->v->secrets->root.b, KEY_SIZE));
	derive_hash(&d, &a->v->session->secrets->actor.id);
	derive_done(&d, key, sizeof key);
	enum err e = treecache_open(&a->cache, a->v->session->folder.cache, name, key, why);
	mem_wipe(key, sizeof key);
	if (e) return e;
	uint64_t root;
	if (treecache_root(a->cache, &snapshot, &root) && !a->o->force && !a->packs_missing &&
		!places_damaged(fetch_places(a->fetch))) {
		const struct vault_snapshot *known = vaultstate_snapshot(&a->v->state, &snapshot);
		if (known && !known->forgotten && !intents_threaten(a->v, known)) {
			a->walk.use_cache = true;
			a->walk.cache_root = root;
		}
	}
	return OK;
}

static enum err start_walk(struct attempt *a, struct why *why) {
	struct backupwalk *w = &a->walk;
	a->storing = (struct storing_shared){
		.vault = a->v,
		.run = a->run,
		.fetch = a->fetch,
		.avoid = (const struct hash *)(const void *)a->avoid.ptr,
		.avoid_count = a->avoid.len / HASH_SIZE,
		.dry = a->o->dry_run,
		.read_back = a->o->read_back,
		.salt = (uint32_t)clock_mono_ns(),
		.squeeze = a->o->compression,
		.pack_limit = a->o->pack_limit,
	};
	w->options = a->o;
	w->storing = &a->storing;
	w->cache = a->cache;
	w->started_ns = clock_real_ns();
	backupomit_own(&w->omit, a->v->session->folder.state, a->v->session->folder.cache);
	backuplinks_init(&w->links);
	mutex_init(&w->lock);
	backupfolder_begin(&w->folders);
	a->walk_started = true;
	w->workers = mem_array(w->worker_count, sizeof *w->workers);
	if (!w->workers) return why_err(why, E_NOMEM, "starting a backup");
	enum err e = OK;
	for (unsigned i = 0; i < w->worker_count && !e; i++)
		e = backupwalk_worker_init(&w->workers[i], &a->storing, why);
	if (!e) e = taskpool_new(&w->pool, w->worker_count, why);
	return e;
}

static void take_counts(struct attempt *a, struct backup_progress *p) {
	struct backupwalk *w = &a->walk;
	p->files = atomic_load(&w->files);
	p->directories = atomic_load(&w->directories);
	p->others = atomic_load(&w->others);
	p->files_new = atomic_load(&w->files_new);
	p->files_unchanged = atomic_load(&w->files_unchanged);
	p->bytes = atomic_load(&w->bytes);
	p->bytes_new = atomic_load(&a->storing.new_bytes);
	p->stored = packrun_bytes(a->run);
	p->expect_files = a->parent.files;
	p->expect_bytes = a->parent.bytes;
	if (a->scan) (void)backupscan_counted(a->scan, &p->expect_files, &p->expect_bytes);
	mutex_lock(&w->lock);
	memcpy(p->current, w->current, sizeof p->current);
	mutex_unlock(&w->lock);
	atomic_store_explicit(&w->want_current, true, memory_order_relaxed);
}

static void tick(struct attempt *a) {
	struct backup_progress p = { .files = 0 };
	if (!a->o->ticked) return;
	take_counts(a, &p);
	a->o->ticked(a->o->ctx, &p);
}

struct flushing {
	struct backupwalk *w;
	unsigned number;
};

static void flush_one(void *ctx, unsigned worker) {
	struct flushing *f = ctx;
	struct why why = { OK, "" };
	(void)worker;
	enum err e = storing_flush(f->w->workers[f->number].storing, &why);
	if (e) backupwalk_fail(f->w, e, &why);
}

static enum err walk_failed(struct attempt *a, struct why *why) {
	if (a->walk.failed && why) *why = a->walk.why;
	return a->walk.failed;
}

static enum err flush_all(struct attempt *a, struct why *why) {
	struct backupwalk *w = &a->walk;
	struct flushing *f = mem_array(w->worker_count, sizeof *f);
	if (!f) return why_err(why, E_NOMEM, "ending a backup");
	for (unsigned i = 0; i < w->worker_count; i++) {
		f[i] = (struct flushing){ .w = w, .number = i };
		if (taskpool_push(w->pool, flush_one, &f[i])) flush_one(&f[i], i);
	}
	while (!taskpool_wait(w->pool, TICK_MS)) tick(a);
	mem_free(f);
	return walk_failed(a, why);
}

static enum err decide_checkpoint(
	void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	const struct buf *locations = ctx;
	(void)v;
	(void)why;
	out->body = (struct vaultbody){
		.type = VAULTBODY_INDEX,
		.added = { .rows = buf_span(locations) },
	};
	return OK;
}

/*
 * A long run names what it has stored, every so often. If that fails, the run's end will say so, or name it: an index that
 * was written and is not named stays among the locations.
 */
static void checkpoint_if_due(struct attempt *a) {
	struct why ignored;
	uint64_t now = clock_mono_ns(), each = a->o->checkpoint_seconds * UINT64_C(1000000000);
	if (!each || a->o->dry_run || now - a->last_checkpoint < each) return;
	if (a->locations.len > a->locations.max / 2) return; /* nothing can be named: no more of them */
	enum err e = packrun_checkpoint(a->run, &a->locations, &ignored);
	if (!e && a->locations.len) e = vault_append(a->v, decide_checkpoint, &a->locations, &ignored);
	if (!e) buf_clear(&a->locations);
	err_ignore(e);
	a->last_checkpoint = clock_mono_ns();
}

/* What it counted is what there is to do from now on too. */
static void end_scan(struct attempt *a) {
	if (a->scan) (void)backupscan_counted(a->scan, &a->parent.files, &a->parent.bytes);
	backupscan_free(a->scan);
	a->scan = NULL;
}

static enum err walk(struct attempt *a, struct why *why) {
	struct backupwalk *w = &a->walk;
	enum err e;
	struct why ignored; /* progress without an end is no reason not to go on */
	if (a->o->count_ahead && a->sources.root && !a->parent.known)
		err_ignore(backupscan_start(&a->scan, a->o, a->sources.root, &w->omit, &ignored));
	if (a->sources.root) e = backupwalk_start(w, a->sources.root, why);
	else e = backupwalk_stdin(w, why);
	while (!taskpool_wait(w->pool, TICK_MS)) {
		tick(a);
		checkpoint_if_due(a);
	}
	end_scan(a);
	if (!e) e = walk_failed(a, why);
	if (!e && a->o->stdin_fd < 0 &&
		atomic_load(&w->files) + atomic_load(&w->others) + atomic_load(&w->directories) == 0)
		e = why_set(why, E_IO, "nothing could be read");
	return e ? e : flush_all(a, why);
}

static enum err make_list(
	const char *const *items, size_t count, bool sorted, struct bytelist_build *b) {
	enum err e = OK;
	bytelist_build_init(b);
	for (size_t i = 0; i < count && !e; i++) {
		if (sorted && i && strcmp(items[i - 1], items[i]) == 0) continue;
		e = bytelist_build_add(b, span_text(items[i]));
	}
	return e;
}

/* What the snapshot object and the entry's stamp share. */
struct lists {
	struct bytelist_build paths, tags;
	struct backupowners owners;
	const char **sorted_tags;
};

static enum err encode_snapshot(struct attempt *a, struct lists *l, struct why *why) {
	const struct backup_options *o = a->o;
	const struct passwd *me = getpwuid(geteuid());
	struct backup_progress *c = &a->out->counts;
	struct snapshot s = {
		.started = a->started,
		.ended = now_moment(),
		.host = span_text(a->host),
		.user = span_text(me && strlen(me->pw_name) <= LIMIT_TEXT ? me->pw_name : ""),
		.program = span_text(program),
		.branch = span_text(a->branch),
		.root = a->walk.root,
		.files = c->files,
		.directories = c->directories,
		.others = c->others,
		.bytes = c->bytes,
		.unreadable = a->out->unreadable,
		.changed = a->out->changed,
	};
	s.parent = a->parent.id;
	l->sorted_tags = mem_array(o->tag_count + 1, sizeof(char *));
	enum err e = l->sorted_tags ? OK : E_NOMEM;
	if (!e && o->tag_count) {
		memcpy(l->sorted_tags, o->tags, o->tag_count * sizeof(char *));
		qsort(l->sorted_tags, o->tag_count, sizeof(char *), by_text);
	}
	bytelist_build_init(&l->paths);
	bytelist_build_init(&l->tags);
	if (!e)
		e = make_list((const char *const *)a->sources.paths, a->sources.count, false, &l->paths);
	if (!e) e = make_list(l->sorted_tags, o->tag_count, true, &l->tags);
	for (unsigned i = 0; a->walk.workers && i < a->walk.worker_count && !e; i++)
		e = backupowners_add(&l->owners, &a->walk.workers[i].owners);
	if (!e) e = backupowners_names(&l->owners, &s.users, &s.groups);
	s.paths = bytelist_build_list(&l->paths);
	s.tags = bytelist_build_list(&l->tags);
	if (!e) e = snapshot_encode(&s, &a->snapshot);
	return why_err(why, e, "making the snapshot (a path, a tag or a name in it may be too long)");
}

static void lists_init(struct lists *l) {
	memset(l, 0, sizeof *l);
	backupowners_init(&l->owners);
}

static void lists_done(struct lists *l) {
	bytelist_build_done(&l->paths);
	bytelist_build_done(&l->tags);
	backupowners_done(&l->owners);
	mem_free(l->sorted_tags);
}

/* Stores the snapshot object and the index of everything new. */
static enum err store_snapshot(struct attempt *a, struct why *why) {
	struct storing *k = a->walk.workers[0].storing;
	enum err e =
		storing_chunk(k, CHUNKTYPE_SNAPSHOT, buf_span(&a->snapshot), &a->out->snapshot, why);
	if (!e) e = storing_flush(k, why);
	if (!e) e = packrun_index(a->run, a->found, &a->locations, why);
	return e;
}

struct committing {
	struct attempt *a;
	struct lists *lists;
	uint64_t looked; /* intents and purges that the last look has seen */
};

static enum err decide_snapshot(
	void *ctx, struct vault *v, struct vault_entry *out, struct why *why) {
	struct committing *c = ctx;
	struct attempt *a = c->a;
	if (v->state.purge_events != c->looked) {
		c->looked = v->state.purge_events;
		const struct backuplook look = {
			.vault = v,
			.run = a->run,
			.shared = &a->storing,
			.storing = a->walk.workers[0].storing,
			.snapshot = &a->out->snapshot,
			.root = &a->walk.root,
			.locations = &a->locations,
		};
		enum err e = backuplook_take(&look, why);
		if (e) return e == E_BUSY ? E_CANCELLED : e; /* not to be repeated here */
	}
	out->body = (struct vaultbody){
		.type = VAULTBODY_SNAPSHOT,
		.snapshot = a->out->snapshot,
		.stamp = {
			.time = a->o->has_time ? a->o->time : a->started,
			.host = span_text(a->host),
			.branch = span_text(a->branch),
			.tags = bytelist_build_list(&c->lists->tags),
			.files = a->out->counts.files,
			.bytes = a->out->counts.bytes,
			.added = packrun_bytes(a->run),
		},
		.added = { .rows = buf_span(&a->locations) },
	};
	out->body.stamp.parent = a->parent.id;
	return OK;
}

static enum err commit(struct attempt *a, struct why *why) {
	struct lists l;
	struct committing c = { .a = a, .lists = &l, .looked = a->start_events };
	lists_init(&l);
	enum err e = encode_snapshot(a, &l, why);
	if (!e) e = store_snapshot(a, why);
	if (!e) e = vault_append(a->v, decide_snapshot, &c, why);
	lists_done(&l);
	return e;
}

/* What could not be said at the end is refused at the beginning: more sources or tags, or longer ones, than there can be. */
static enum err check_request(struct attempt *a, struct why *why) {
	struct lists l;
	lists_init(&l);
	enum err e = encode_snapshot(a, &l, why);
	lists_done(&l);
	buf_clear(&a->snapshot);
	if (e != E_LIMIT && e != E_USAGE) return e;
	return why_set(why, E_USAGE,
		"more than one snapshot can say: it has at most %d sources, and %d tags of %d bytes",
		LIMIT_PATHS, LIMIT_TAGS, LIMIT_TEXT);
}

static void attempt_done(struct attempt *a, bool committed) {
	struct backupwalk *w = &a->walk;
	taskpool_free(w->pool);
	backupscan_free(a->scan);
	for (unsigned i = 0; w->workers && i < w->worker_count; i++)
		backupwalk_worker_done(&w->workers[i]);
	mem_free(w->workers);
	if (a->walk_started) {
		backuplinks_done(&w->links);
		backupfolder_end(&w->folders);
		mutex_done(&w->lock);
	}
	treecache_free(a->cache);
	packrun_free(a->run);
	runrecord_close(a->record, committed);
	fetch_free(a->fetch);
	indexplan_free(a->found);
	backupsources_free(&a->sources);
	buf_free(&a->avoid);
	buf_free(&a->locations);
	buf_free(&a->snapshot);
}

static void take_results(struct attempt *a) {
	struct backup_result *r = a->out;
	take_counts(a, &r->counts);
	r->unreadable = atomic_load(&a->walk.unreadable);
	r->incomplete = atomic_load(&a->walk.incomplete);
	r->changed = atomic_load(&a->walk.changed);
	r->chunks_new = atomic_load(&a->storing.new_chunks);
	r->chunks_reused = atomic_load(&a->storing.reused_chunks);
}

/*
 * Whether the sources are, entry by entry, the parent's. A parent that can't be read, or is forgotten by now, is another tree; and
 * what was stored again because it was missing is kept only by an entry that names it.
 */
static bool is_unchanged(struct attempt *a) {
	struct why ignored; /* what is wrong is met again when the snapshot is appended */
	if (a->again || a->packs_missing || places_damaged(fetch_places(a->fetch))) return false;
	if (atomic_load(&a->storing.new_chunks) != atomic_load(&a->walk.above_chunks)) return false;
	if (!a->o->skip_unchanged || !a->parent.known || vault_refresh(a->v, &ignored)) return false;
	const struct vault_snapshot *known = vaultstate_snapshot(&a->v->state, &a->parent.id);
	if (!known || known->forgotten) return false;
	return backupsame_as(a->fetch, &a->parent.id, &a->sources, &a->walk.root);
}

static enum err attempt_run(struct attempt *a, struct why *why) {
	enum err e = OK;
	if (!a->o->dry_run) e = vault_prepare_write(a->v, why);
	a->start = vault_head(a->v);
	a->start_events = a->v->state.purge_events;
	a->started = now_moment();
	a->last_checkpoint = clock_mono_ns();
	a->walk.worker_count = a->o->threads ? a->o->threads : thread_cpus();
	buf_init(&a->avoid, (size_t)1 << 34);
	buf_init(&a->locations, (size_t)LIMIT_INDEXES_ADDED * SIZE_LOCATION);
	buf_init(&a->snapshot, LIMIT_SNAPSHOT);
	if (!e) e = read_sources(a, why);
	if (!e) e = check_request(a, why);
	if (!e) e = start_run(a, why);
	if (!e) find_parent(a);
	if (!e) e = open_cache(a, why);
	if (!e) e = start_walk(a, why);
	if (!e) e = walk(a, why);
	if (e) return e;
	take_results(a);
	if (a->o->dry_run) return OK;
	if (is_unchanged(a)) {
		a->out->unchanged = true;
		a->out->snapshot = a->parent.id;
		if (a->cache) treecache_commit(a->cache, &a->parent.id, a->walk.root_record);
		return OK;
	}
	e = commit(a, why);
	a->out->counts.stored = packrun_bytes(a->run);
	if (!e && a->cache) treecache_commit(a->cache, &a->out->snapshot, a->walk.root_record);
	return e;
}

enum err backup_run(
	struct vault *v, const struct backup_options *o, struct backup_result *out, struct why *why) {
	enum err e = OK;
	for (int i = 0; i < ATTEMPTS; i++) {
		struct attempt a = { .v = v, .o = o, .out = out };
		memset(out, 0, sizeof *out);
		struct backup_options again = *o;
		if (i > 0) {
			again.force = a.again = true; /* the cache's word is not enough any more */
			a.o = &again;
		}
		e = attempt_run(&a, why);
		attempt_done(&a, !e && !o->dry_run && !out->unchanged);
		if (e != E_CANCELLED || signals_asked()) break;
		if (o->stdin_fd >= 0) {
			/* it has been read, and can't be read again */
			e = why_set(why, E_BUSY,
				"another device purged what this backup needs, and its input is used up: run it again");
			break;
		}
		e = vault_refresh(v, why);
		if (e) break;
		e = E_BUSY;
	}
	if (!e && !o->dry_run) {
		/* a merge that fails costs nothing but speed later */
		struct why ignored;
		err_ignore(indexmerge_if_many(v, &ignored));
	}
	return e;
}
