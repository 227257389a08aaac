#include "client/backupscan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/backupfolder.h"
#include "client/backuplinks.h"
#include "os/file.h"
#include "os/thread.h"

enum {
	NICE = 10,
	PATH_ROOM = 1 << 30,
	NAMES_ROOM = 1 << 30,
	EXTENTS_MAX = 1000, /* of one file: what is behind them counts as data */
	LOOK_EVERY = 256,   /* names between two looks whether to stop */
};

/* A folder that is being gone through: those in it come one after another. */
struct folder {
	struct backupfolder folder;
	struct folder *above;
	struct backupsources_node *source; /* not NULL: only its children */
	struct buf names;                  /* of the folders in it, NUL-terminated */
	size_t next;
	dev_t device; /* of the source, for --one-file-system */
	size_t path_len;
};

struct backupscan {
	const struct backup_options *options;
	struct backupsources_node *root;
	const struct backupomit *omit;
	struct thread thread;
	struct backupfolders folders;
	struct backuplinks links;
	struct listing listing;
	struct buf path; /* of the folder gone through; for patterns */
	uint64_t files, bytes;
	_Atomic bool stop, done;
};

/* The data of a file that has holes, or may have. */
static uint64_t data_of(int at, const char *name, const struct stat *st) {
	uint64_t size = (uint64_t)st->st_size, sum = 0, from = 0;
	if ((uint64_t)st->st_blocks * 512 >= size) return size;
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	for (int i = 0; i < EXTENTS_MAX && fd >= 0 && from < size; i++) {
		off_t data = lseek(fd, (off_t)from, SEEK_DATA);
		off_t hole = data < 0 ? data : lseek(fd, data, SEEK_HOLE);
		if (data < 0) from = size; /* a hole up to the end */
		if (hole <= data) break;
		sum += (uint64_t)(hole - data);
		from = (uint64_t)hole;
	}
	file_close(&fd);
	return from < size ? sum + size - from : sum;
}

static bool is_excluded(struct backupscan *s, const struct folder *f, const char *name) {
	const struct pattern_set *set = s->options->exclude;
	s->path.len = f->path_len;
	if (!set || f->source) return false;
	if (buf_add(&s->path, span_text("/")) || buf_add(&s->path, span_text(name))) return false;
	bool matched = pattern_set_match(set, buf_span(&s->path)).matched;
	s->path.len = f->path_len;
	return matched;
}

static enum err count_name(
	struct backupscan *s, struct folder *f, const char *name, uint8_t kind, bool leads) {
	struct stat st = { .st_mode = 0 };
	if (kind != DT_UNKNOWN && kind != DT_REG && kind != DT_DIR) return OK;
	if (kind == DT_DIR) st.st_mode = S_IFDIR;
	else if (fstatat(f->folder.fd, name, &st, leads ? 0 : AT_SYMLINK_NOFOLLOW)) return OK;
	if ((!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) || is_excluded(s, f, name)) return OK;
	if (S_ISDIR(st.st_mode)) return buf_add(&f->names, span_of(name, strlen(name) + 1));
	s->files++;
	if (!backuplinks_count(&s->links, &st)) s->bytes += data_of(f->folder.fd, name, &st);
	return OK;
}

static enum err count_listed(struct backupscan *s, struct folder *f) {
	const struct backup_options *o = s->options;
	struct listing *l = &s->listing;
	enum err e = OK;
	if (o->one_file_system && f->above && f->folder.st.st_dev != f->device) return OK;
	if (listing_read(l, f->folder.fd, NULL)) return OK;
	if (backupomit_reason(s->omit, f->folder.fd, &f->folder.st, l)) return OK;
	bool only_tag = o->exclude_caches && backupomit_is_cache(f->folder.fd, l);
	for (size_t i = 0; i < l->count && !e; i++) {
		if (i % LOOK_EVERY == 0 && atomic_load(&s->stop)) break;
		if (only_tag && strcmp(l->names[i].name, "CACHEDIR.TAG") != 0) continue;
		e = count_name(s, f, l->names[i].name, l->names[i].kind, false);
	}
	return e;
}

/* A folder that can't be opened or listed has no files. */
static enum err count_folder(struct backupscan *s, struct folder *f) {
	enum err e = OK;
	if (backupfolder_hold(&s->folders, &f->folder, NULL)) return OK;
	const struct backupsources_node *c = f->source ? f->source->children : NULL;
	for (; c && !e; c = c->next) e = count_name(s, f, c->name, DT_UNKNOWN, !c->whole);
	if (!f->source) e = count_listed(s, f);
	backupfolder_let(&s->folders, &f->folder);
	return e;
}

static void pop(struct backupscan *s, struct folder **top) {
	struct folder *f = *top;
	*top = f->above;
	backupfolder_close(&s->folders, &f->folder);
	buf_free(&f->names);
	mem_free(f);
}

static struct backupsources_node *source_called(struct folder *above, const char *name) {
	struct backupsources_node *c = above->source ? above->source->children : NULL;
	while (c && strcmp(c->name, name) != 0) c = c->next;
	return c;
}

/* Goes into the folder ${name} of the one on top. */
static enum err push(struct backupscan *s, struct folder **top, const char *name) {
	struct folder *above = *top, *f = mem_zalloc(sizeof *f);
	if (!f) return E_NOMEM;
	struct backupsources_node *source = above ? source_called(above, name) : s->root;
	buf_init(&f->names, NAMES_ROOM);
	f->above = above;
	f->source = source && !source->whole ? source : NULL;
	backupfolder_init(&f->folder, above ? &above->folder : NULL, name, f->source != NULL);
	*top = f;
	s->path.len = above ? above->path_len : 0;
	enum err e = above ? buf_add(&s->path, span_text("/")) : OK;
	if (!e) e = buf_add(&s->path, span_text(name));
	f->path_len = s->path.len;
	if (!e && backupfolder_hold(&s->folders, &f->folder, NULL) == OK) {
		bool begins = !above || (source && source->whole);
		f->device = begins ? f->folder.st.st_dev : above->device;
		backupfolder_let(&s->folders, &f->folder);
		e = count_folder(s, f);
	}
	return e;
}

static void run(void *ctx) {
	struct backupscan *s = ctx;
	struct folder *top = NULL;
	/* of this thread alone */
	if (getpriority(PRIO_PROCESS, 0) < NICE) (void)setpriority(PRIO_PROCESS, 0, NICE);
	enum err e = push(s, &top, "");
	while (top && !e && !atomic_load(&s->stop)) {
		if (top->next == top->names.len) {
			pop(s, &top);
			continue;
		}
		const char *name = (const char *)top->names.ptr + top->next;
		top->next += strlen(name) + 1;
		e = push(s, &top, name);
	}
	if (!e && !top) atomic_store(&s->done, true);
	while (top) pop(s, &top);
}

enum err backupscan_start(struct backupscan **out, const struct backup_options *o,
	struct backupsources_node *root, const struct backupomit *omit, struct why *why) {
	struct backupscan *s = mem_zalloc(sizeof *s);
	if (!s) return why_err(why, E_NOMEM, "counting files");
	s->options = o;
	s->root = root;
	s->omit = omit;
	backupfolder_begin(&s->folders);
	backuplinks_init(&s->links);
	listing_init(&s->listing);
	buf_init(&s->path, PATH_ROOM);
	enum err e = thread_start(&s->thread, run, s, why);
	if (e) backupscan_free(s);
	else *out = s;
	return e;
}

void backupscan_free(struct backupscan *s) {
	if (!s) return;
	atomic_store(&s->stop, true);
	thread_join(&s->thread);
	backupfolder_end(&s->folders);
	backuplinks_done(&s->links);
	listing_done(&s->listing);
	buf_free(&s->path);
	mem_free(s);
}

bool backupscan_counted(const struct backupscan *s, uint64_t *files, uint64_t *bytes) {
	if (!atomic_load(&s->done)) return false;
	*files = s->files;
	*bytes = s->bytes;
	return true;
}
