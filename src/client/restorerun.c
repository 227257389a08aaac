#include "client/restorerun.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/restoretree.h"
#include "os/signals.h"

static const size_t path_max = (size_t)64 << 20;

void restorerun_count(struct restorerun *r, enum restore_count what) {
	atomic_fetch_add_explicit(&r->counts[what], 1, memory_order_relaxed);
}

void restorerun_note_path(
	struct restorerun *r, enum restore_note note, struct span path, const char *text) {
	switch (note) {
	case RESTORE_DAMAGED: restorerun_count(r, RESTORE_NOT_READ); break;
	case RESTORE_FAILED: restorerun_count(r, RESTORE_NOT_DONE); break;
	case RESTORE_INCOMPLETE: restorerun_count(r, RESTORE_NOT_COMPLETE); break;
	case RESTORE_UNKNOWN: restorerun_count(r, RESTORE_NOT_KNOWN); break;
	case RESTORE_ITEM:
	case RESTORE_ITEM_KEPT:
	case RESTORE_WARNING: break;
	}
	if (!r->options->noted) return;
	mutex_lock(&r->lock);
	r->options->noted(r->options->ctx, note, path, text);
	mutex_unlock(&r->lock);
}

void restorerun_note(struct restorerun *r, enum restore_note note,
	const struct restoretree_dir *dir, const char *name, const char *text) {
	struct buf path;
	buf_init(&path, path_max);
	/* without memory for a path the note comes without one */
	if (restoretree_path(dir, &path) ||
		(name && (buf_add(&path, span_text("/")) || buf_add(&path, span_text(name)))))
		buf_clear(&path);
	restorerun_note_path(r, note, path.len ? buf_span(&path) : span_text("/"), text);
	buf_free(&path);
}

void restorerun_item(struct restorerun *r, enum restore_note note,
	const struct restoretree_dir *dir, const char *name) {
	if (r->options->each) restorerun_note(r, note, dir, name, "");
}

void restorerun_broken(struct restorerun *r, enum err e, const struct why *why,
	const struct restoretree_dir *dir, const char *name) {
	if (e == E_NOMEM || e == E_CANCELLED) restorerun_end(r, e, why);
	else
		restorerun_note(
			r, e == E_UNSUPPORTED ? RESTORE_FAILED : RESTORE_DAMAGED, dir, name, why->msg);
}

enum err restorerun_failed(
	struct restorerun *r, const struct restoretree_dir *dir, const char *name, const char *what) {
	int error = errno;
	struct why why = { OK, "" };
	if (error == ENOSPC || error == EDQUOT) {
		errno = error;
		enum err e = why_errno(&why, "writing to %s", r->options->target);
		restorerun_end(r, e, &why);
		return e;
	}
	errno = error;
	err_ignore(why_errno(&why, "%s", what)); /* only the sentence counts */
	restorerun_note(r, RESTORE_FAILED, dir, name, why.msg);
	return E_IO;
}

void restorerun_end(struct restorerun *r, enum err e, const struct why *why) {
	mutex_lock(&r->lock);
	if (!r->failed) {
		r->failed = e;
		if (why) r->why = *why;
	}
	atomic_store(&r->stop, true);
	mutex_wake_all(&r->moved);
	mutex_unlock(&r->lock);
}

bool restorerun_stopped(struct restorerun *r) {
	if (atomic_load_explicit(&r->stop, memory_order_relaxed)) return true;
	if (!signals_asked()) return false;
	struct why why = { E_CANCELLED, "interrupted" };
	restorerun_end(r, E_CANCELLED, &why);
	return true;
}
