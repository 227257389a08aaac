#include "client/backupmerge.h"

enum {
	/* a file changed this shortly before it was seen may change again without showing it */
	RACY_NS = 20 * 1000 * 1000,
	COARSE_NS = 2000 * 1000 * 1000,
};

static int64_t ns_of(struct timespec t) {
	return (int64_t)((uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec);
}

struct treecache_print backupmerge_print(const struct backupwalk *w, const struct stat *st) {
	int64_t ctime = ns_of(st->st_ctim);
	int64_t grain = st->st_ctim.tv_nsec ? RACY_NS : COARSE_NS;
	/* the clock is read once a walk: a later change is later than that, or its file is read */
	if (ctime > w->started_ns - grain) return (struct treecache_print){ .inode = 0 };
	return (struct treecache_print){
		.inode = st->st_ino,
		.ctime_ns = ctime,
		.mtime_ns = ns_of(st->st_mtim),
		.size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
		.mode = st->st_mode,
		/* what is kept of a file with several names is made of its device's number, which may change */
		.device = st->st_nlink > 1 && !S_ISDIR(st->st_mode)
			? (uint32_t)(st->st_dev ^ (uint64_t)st->st_dev >> 32)
			: 0,
	};
}

bool backupmerge_equal(const struct treecache_print *a, const struct treecache_print *b) {
	return a->inode && a->inode == b->inode && a->ctime_ns == b->ctime_ns &&
		a->mtime_ns == b->mtime_ns && a->size == b->size && a->mode == b->mode &&
		a->device == b->device;
}

void backupmerge_compare(const struct backupnode *n, bool *same_stream, bool *same_record) {
	size_t kept = 0;
	*same_stream = *same_record = n->has_cache;
	for (size_t i = 0; i < n->count; i++) {
		const struct backupnode_item *item = &n->items[i];
		if (!item->body.ptr) continue;
		kept++;
		if (item->body.ptr != item->cached.ptr &&
			!(item->cached.ptr && span_equal(item->body, item->cached)))
			*same_stream = false;
		if (!item->print_same || item->folder != item->cached_folder) *same_record = false;
	}
	if (!n->has_cache || kept != n->cache.count) *same_stream = false;
	if (!*same_stream) *same_record = false;
}

enum err backupmerge_write(struct backupnode *n, struct span ref, uint64_t *record) {
	struct buf b;
	uint32_t kept = 0;
	for (size_t i = 0; i < n->count; i++) kept += n->items[i].body.ptr != NULL;
	buf_init(&b, TREECACHE_RECORD_MAX);
	enum err e = treecache_record_begin(&b, ref, kept);
	for (size_t i = 0; i < n->count && !e; i++) {
		const struct backupnode_item *item = &n->items[i];
		if (item->body.ptr) e = treecache_record_add(&b, &item->print, item->folder, item->body);
	}
	if (!e) e = treecache_append(n->w->cache, &b, record);
	else *record = 0; /* no record: the folder is read anew next time */
	buf_free(&b);
	return e == E_LIMIT ? OK : e;
}

void backupmerge_open(struct backupnode *n, uint64_t record) {
	n->has_cache = record && treecache_folder_open(n->w->cache, record, &n->cache) == OK;
	n->cache_record = n->has_cache ? record : 0;
}
