#include "client/backupfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/backupsegments.h"
#include "os/file.h"
#include "os/signals.h"

enum {
	TRIES = 3,
	PARALLEL_FROM = 3 * BACKUPWALK_SEGMENT,
	EXTENTS_MAX = LIMIT_HOLES,
	FORESEE_FROM = 4 << 20,
	HOLES_FROM = 1
		<< 20, /* a file with all its blocks may have holes as well, where they were allocated beforehand */
};

static void source_done(struct backupcontent *s) {
	foreknown_free(s->old);
	mem_free(s->extents);
	file_close(&s->fd);
}

/* What was read is not what is stored. */
static void uncount(struct backupwalk *w, struct backupcontent *s) {
	atomic_fetch_sub(&w->bytes, atomic_exchange(&s->counted, 0));
}

/* Owners may not always be asked not to touch the access time. */
static int open_quietly(int at, const char *name) {
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd = openat(at, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM) fd = openat(at, name, flags);
	return fd;
}

static bool same_time(struct timespec a, struct timespec b) {
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b) {
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_mode == b->st_mode &&
		a->st_size == b->st_size && same_time(a->st_mtim, b->st_mtim) &&
		same_time(a->st_ctim, b->st_ctim);
}

static enum err add_extent(
	struct backupcontent *s, size_t *room, uint64_t offset, uint64_t length) {
	if (s->count == *room) {
		size_t more = *room ? *room * 2 : 16;
		struct backupcontent_extent *e = mem_resize(s->extents, more, sizeof *e);
		if (!e) return E_NOMEM;
		s->extents = e;
		*room = more;
	}
	s->extents[s->count++] =
		(struct backupcontent_extent){ .offset = offset, .length = length, .stream = s->length };
	s->length += length;
	return OK;
}

/* Finds the holes; a file without any gets no extents. Where the file system cannot tell, or there are too many, what is left counts as data. */
static enum err find_extents(struct backupcontent *s, uint64_t size) {
	size_t room = 0;
	uint64_t at = 0;
	s->length = 0;
	while (at < size) {
		off_t data = lseek(s->fd, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO) break; /* a hole up to the end */
		if (data < 0 || s->count == EXTENTS_MAX - 1) data = (off_t)at;
		off_t hole = s->count == EXTENTS_MAX - 1 ? (off_t)size : lseek(s->fd, data, SEEK_HOLE);
		if (hole <= data || (uint64_t)hole > size) hole = (off_t)size;
		if ((uint64_t)data >= size) break;
		enum err e = add_extent(s, &room, (uint64_t)data, (uint64_t)(hole - data));
		if (e) return e;
		at = (uint64_t)hole;
	}
	if (s->length == size) {
		mem_free(s->extents);
		s->extents = NULL;
		s->count = 0;
		return OK;
	}
	if (!s->extents) {
		s->extents = mem_alloc(sizeof *s->extents); /* all hole: no extent, but not "no holes" */
		if (!s->extents) return E_NOMEM;
	}
	return OK;
}

/* A small file is one chunk. */
static enum err store_small(
	struct backupwalk_worker *k, struct span bytes, struct streamref *ref, struct why *why) {
	*ref = (struct streamref){ .length = bytes.len };
	if (!bytes.len) return OK;
	return storing_chunk(k->storing, CHUNKTYPE_CONTENT, bytes, &ref->id, why);
}

/* Chunk by chunk through the worker's buffer. ${next} reads on; ${*total} gets how much there was. */
typedef ssize_t next_bytes(void *ctx, uint64_t offset, uint8_t *to, size_t n);

static enum err store_in_order(struct backupwalk *w, struct backupwalk_worker *k, next_bytes *next,
	void *ctx, struct backupcontent *source, struct streamref *ref, struct why *why) {
	const struct foreknown *old = source ? source->old : NULL;
	struct storing_stream stream;
	size_t have = 0, at = 0, cursor = 0;
	uint64_t offset = 0;
	bool end = false;
	enum err e = OK;
	storing_stream_init(&stream);
	while (!e && (!end || at < have)) {
		if (backupwalk_stopped(w)) e = E_CANCELLED;
		if (!e && !end && have - at < LIMIT_CHUNK) {
			memmove(k->buffer, k->buffer + at, have - at);
			have -= at;
			at = 0;
			ssize_t n = next(ctx, offset, k->buffer + have, BACKUPWALK_BUFFER - have);
			if (n < 0) {
				e = backupwalk_stopped(w) ? E_CANCELLED : backupcontent_error(why);
			} else {
				end = (size_t)n < BACKUPWALK_BUFFER - have;
				have += (size_t)n;
				offset += (uint64_t)n;
			}
		}
		if (e || at == have) continue;
		struct hash id;
		size_t len = backupcontent_next(w, k, old, &cursor, at, have, end, &id);
		e = storing_named(k->storing, CHUNKTYPE_CONTENT, span_of(k->buffer + at, len), &id, why);
		if (!e) e = storing_stream_add(k->storing, &stream, &id, (uint32_t)len, why);
		at += len;
		backupcontent_count(w, source ? &source->counted : NULL, len);
	}
	if (!e) e = storing_stream_end(k->storing, &stream, ref, why);
	storing_stream_done(&stream);
	return e;
}

static ssize_t next_of_source(void *ctx, uint64_t offset, uint8_t *to, size_t n) {
	return backupcontent_read(ctx, offset, to, n);
}

static ssize_t next_of_pipe(void *ctx, uint64_t offset, uint8_t *to, size_t n) {
	const int *fd = ctx;
	size_t done = 0;
	(void)offset;
	while (done < n) {
		ssize_t got = read(*fd, to + done, n - done);
		if (got < 0 && errno == EINTR && !signals_asked()) continue;
		if (got < 0) return -1;
		if (got == 0) break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

enum err backupfile_pipe(struct backupwalk *w, struct backupwalk_worker *k, int fd,
	struct streamref *ref, struct why *why) {
	return store_in_order(w, k, next_of_pipe, &fd, NULL, ref, why);
}

/* The stream of an opened file. Several threads need it at its length; the ${last} time it is taken as it comes. */
static enum err store_source(struct backupwalk *w, unsigned worker, struct backupcontent *s,
	bool last, struct streamref *ref, struct why *why) {
	struct backupwalk_worker *k = &w->workers[worker];
	if (!last && s->length >= PARALLEL_FROM && w->worker_count > 1)
		return backupsegments_store(w, worker, s, ref, why);
	return store_in_order(w, k, next_of_source, s, s, ref, why);
}

/*
 * The file was cut short while it was read: what its extents have beyond the ${length} that came is taken back. Its size
 * then, where it had ${size} and has ${now}.
 */
static uint64_t cut_extents(struct backupcontent *s, uint64_t length, uint64_t size, uint64_t now) {
	uint64_t end = 0;
	size_t n = 0;
	while (n < s->count && s->extents[n].stream < length) {
		struct backupcontent_extent *x = &s->extents[n++];
		if (x->length > length - x->stream) x->length = length - x->stream;
		end = x->offset + x->length;
	}
	s->count = n;
	if (now < size) size = now;
	return size > end ? size : end;
}

static enum err encode_holes(
	struct backupwalk_worker *k, const struct backupcontent *s, uint64_t size, struct direntry *d) {
	uint64_t at = 0, end = 0;
	enum err e = OK;
	buf_clear(&k->holes);
	d->holes.count = 0;
	for (size_t i = 0; i <= s->count && !e; i++) {
		uint64_t data = i < s->count ? s->extents[i].offset : size;
		if (data > at) {
			e = direntry_add_hole(&k->holes, &end, at, data - at);
			d->holes.count++;
		}
		if (i < s->count) at = s->extents[i].offset + s->extents[i].length;
	}
	d->holes.items = buf_span(&k->holes);
	if (d->holes.count) d->flags |= DIRENTRY_HAS_HOLES;
	return e;
}

/* One attempt. ${*changed}: the file is not what ${st} said; ${st} is then what it is now. */
static enum err read_once(struct backupwalk *w, unsigned worker, struct backupcontent *s,
	struct stat *st, bool last, struct direntry *d, bool *changed, struct why *why) {
	struct backupwalk_worker *k = &w->workers[worker];
	struct stat after;
	uint64_t size = (uint64_t)st->st_size;
	enum err e = OK;
	*changed = false;
	d->flags &= (uint8_t)~DIRENTRY_HAS_HOLES;
	s->length = size;
	if (size >= HOLES_FROM || (uint64_t)st->st_blocks * 512 < size)
		e = why_err(why, find_extents(s, size), "finding holes");
	bool small =
		!s->extents && size <= w->storing->vault->state.chunk_min && size < BACKUPWALK_BUFFER;
	ssize_t have = 0;
	if (!e && small) {
		s->length = size + 1; /* one more, so that a file that has more than it says is noticed */
		have = backupcontent_read(s, 0, k->buffer, (size_t)size + 1);
		if (have < 0) e = backupcontent_error(why);
	} else if (!e) {
		e = store_source(w, worker, s, last, &d->stream, why);
		if (e == E_IO && !last && fstat(s->fd, &after) == 0 && !same_file(st, &after)) e = OK;
	}
	if (e) return e;
	if (fstat(s->fd, &after)) return backupcontent_error(why);
	*changed = !same_file(st, &after) || (small && (uint64_t)have != size);
	if (!S_ISREG(after.st_mode))
		return why_set(why, E_IO, "it was a file, and is now something else");
	if (*changed) *st = after;
	if (*changed && !last) return OK;
	if (small) {
		e = store_small(k, span_of(k->buffer, (size_t)have), &d->stream, why);
		backupcontent_count(w, &s->counted, (size_t)have);
	}
	if (!e && s->extents && d->stream.length < s->length)
		size = cut_extents(s, d->stream.length, size, (uint64_t)after.st_size);
	if (!e && s->extents) e = why_err(why, encode_holes(k, s, size, d), "finding holes");
	return e;
}

enum err backupfile_read(struct backupwalk *w, unsigned worker, int at, const char *name,
	const struct backupnode *n, struct stat *st, const struct streamref *old, struct direntry *d,
	struct why *why) {
	struct backupwalk_worker *k = &w->workers[worker];
	struct backupcontent s = { .fd = open_quietly(at, name) };
	if (s.fd < 0) return why_errno(why, "opening");
	struct stat now;
	enum err e = OK;
	/* what was a file when the walk saw it may be a device by now: that is never read */
	if (fstat(s.fd, &now)) e = backupcontent_error(why);
	if (!e && !S_ISREG(now.st_mode))
		e = why_set(why, E_IO, "it was a file, and is now something else");
	if (!e) *st = now;
	bool changed = false;
	if (!e && old && st->st_size >= FORESEE_FROM)
		e = why_err(
			why, foreknown_new(&s.old, w->storing->fetch, old), "reading what is known of a file");
	for (int i = 0; i < TRIES && !e; i++) {
		mem_free(s.extents);
		s.extents = NULL;
		s.count = 0;
		uncount(w, &s);
		e = read_once(w, worker, &s, st, i + 1 == TRIES, d, &changed, why);
		if (!changed) break;
	}
	if (!e && changed) {
		d->flags |= DIRENTRY_CHANGED;
		atomic_fetch_add(&w->changed, 1);
		backupnode_note(k, n, name, BACKUP_CHANGED,
			"it changed each time it was read: what was read is stored");
	}
	if (!e) e = backupfile_xattrs(w, k, s.fd, -1, name, n, d, why);
	if (e) uncount(w, &s);
	source_done(&s);
	return e;
}

static void note_incomplete(struct backupwalk *w, struct backupwalk_worker *k,
	const struct backupnode *n, const char *name, const char *text) {
	k->incomplete = true;
	atomic_fetch_add(&w->incomplete, 1);
	backupnode_note(k, n, name, BACKUP_INCOMPLETE, text);
}

static int by_text(const void *a, const void *b) {
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static ssize_t list_names(int fd, const char *proc, char *out) {
	return fd >= 0 ? flistxattr(fd, out, BACKUPWALK_XATTRS)
				   : llistxattr(proc, out, BACKUPWALK_XATTRS);
}

static ssize_t get_value(int fd, const char *proc, const char *name, uint8_t *out) {
	return fd >= 0 ? fgetxattr(fd, name, out, LIMIT_XATTR_VALUE)
				   : lgetxattr(proc, name, out, LIMIT_XATTR_VALUE);
}

/* Whose attributes: an open file's, or by a path; and what it is called in messages. */
struct attributes {
	int fd;
	const char *proc, *name;
	const struct backupnode *n;
};

/* Adds the attributes called ${names}, sorted. What cannot be read is noted and left out. */
static enum err add_values(struct backupwalk *w, struct backupwalk_worker *k,
	const struct attributes *a, char **names, size_t count, struct direntry *d, struct why *why) {
	buf_clear(&k->xattrs);
	for (size_t i = 0; i < count; i++) {
		ssize_t len = get_value(a->fd, a->proc, names[i], k->xattr_value);
		if (len < 0 && errno == ENODATA) continue;
		if (len < 0 || strlen(names[i]) > LIMIT_XATTR_NAME || d->xattrs.count == LIMIT_XATTRS ||
			k->xattrs.len + (size_t)len > LIMIT_DIRENTRY / 2) {
			note_incomplete(
				w, k, a->n, a->name, "an extended attribute could not be read, or is too large");
			continue;
		}
		enum err e = direntry_add_xattr(
			&k->xattrs, span_text(names[i]), span_of(k->xattr_value, (size_t)len));
		if (e) return why_err(why, e, "reading attributes");
		d->xattrs.count++;
	}
	d->xattrs.items = buf_span(&k->xattrs);
	if (d->xattrs.count) d->flags |= DIRENTRY_HAS_XATTRS;
	return OK;
}

/* What is said of an entry whose attributes can't be listed, which is what errno says; NULL: it has none, or is gone. */
static const char *not_listed(int fd) {
	bool by_path = fd < 0 && errno == ENOENT;
	if (errno == ENOTSUP || errno == EPERM) return NULL;
	if (by_path && access("/proc/self/fd", F_OK) == 0) return NULL; /* gone since it was listed */
	if (by_path)
		return "its extended attributes could not be read: /proc is not mounted, through which "
			   "those of links, FIFOs and devices are";
	return errno == ENOENT ? NULL : "its extended attributes could not be listed";
}

enum err backupfile_xattrs(struct backupwalk *w, struct backupwalk_worker *k, int fd, int at,
	const char *name, const struct backupnode *n, struct direntry *d, struct why *why) {
	char proc[64 + 256] = "";
	struct attributes a = { .fd = fd, .proc = proc, .name = name, .n = n };
	d->xattrs = (struct direntry_items){ .count = 0 };
	k->incomplete = false;
	if (fd < 0) (void)snprintf(proc, sizeof proc, "/proc/self/fd/%d/%s", at, name);
	ssize_t len = list_names(fd, proc, k->xattr_names);
	if (len <= 0) {
		const char *text = len < 0 ? not_listed(fd) : NULL;
		if (text) note_incomplete(w, k, n, name, text);
		return OK;
	}
	size_t count = 0;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(k->xattr_names + i) + 1) count++;
	char **names = mem_array(count, sizeof *names);
	if (!names) return why_err(why, E_NOMEM, "reading attributes");
	count = 0;
	for (ssize_t i = 0; i < len; i += (ssize_t)strlen(k->xattr_names + i) + 1)
		names[count++] = k->xattr_names + i;
	qsort(names, count, sizeof *names, by_text);
	enum err e = add_values(w, k, &a, names, count, d, why);
	mem_free(names);
	return e;
}
