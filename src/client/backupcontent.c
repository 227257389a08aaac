#include "client/backupcontent.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

void backupcontent_count(struct backupwalk *w, _Atomic uint64_t *counted, size_t n) {
	atomic_fetch_add_explicit(&w->bytes, n, memory_order_relaxed);
	if (counted) atomic_fetch_add_explicit(counted, n, memory_order_relaxed);
}

ssize_t backupcontent_read(const struct backupcontent *s, uint64_t offset, uint8_t *to, size_t n) {
	size_t done = 0, i = 0;
	if (offset >= s->length) return 0;
	if (n > s->length - offset) n = (size_t)(s->length - offset);
	while (s->extents && i < s->count && s->extents[i].stream + s->extents[i].length <= offset) i++;
	while (done < n) {
		uint64_t at = offset + done;
		size_t want = n - done;
		if (s->extents) {
			while (i < s->count && s->extents[i].stream + s->extents[i].length <= at) i++;
			if (i == s->count) break;
			uint64_t inside = at - s->extents[i].stream;
			if (want > s->extents[i].length - inside)
				want = (size_t)(s->extents[i].length - inside);
			at = s->extents[i].offset + inside;
		}
		ssize_t got = pread(s->fd, to + done, want, (off_t)at);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return -1;
		if (got == 0) break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

enum err backupcontent_error(struct why *why) {
	enum err e = why_errno(why, "reading");
	return e == E_NOMEM ? E_NOMEM : E_IO;
}

size_t backupcontent_next(struct backupwalk *w, struct backupwalk_worker *k,
	const struct foreknown *old, size_t *cursor, size_t at, size_t have, bool final,
	struct hash *id) {
	size_t len = old ? foreknown_next(old, k->storing, cursor, k->buffer + at, have - at, id) : 0;
	if (len) return len;
	len = chunker_next(w->storing->vault->chunker, k->buffer + at, have - at, final);
	if (!len) return 0;
	storing_id(k->storing, CHUNKTYPE_CONTENT, span_of(k->buffer + at, len), id);
	if (old) *cursor = foreknown_find(old, id);
	return len;
}
