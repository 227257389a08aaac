/*
 * The entries of a snapshot's tree, one behind another: a folder before what is in it, names in the order of their
 * bytes. Folders that come soon are fetched ahead by other threads; memory does not grow with the tree.
 */
#ifndef CLIENT_TREELIST_H
#define CLIENT_TREELIST_H

#include "client/fetch.h"
#include "format/direntry.h"

struct treelist;

struct treelist_params {
	struct fetch *fetch;
	const struct streamref *root; /* the folder to begin with; it is itself not listed */
	struct span prefix; /* its path, without a slash at the end: "" for the snapshot's root */
	unsigned ahead; /* threads that fetch ahead; 0: a folder is read only when it is gone into */
};

struct treelist_item {
	struct direntry entry; /* valid until the next call */
	struct span path;      /* "/a/b"; likewise */
};

MUST_USE enum err treelist_new(
	struct treelist **out, const struct treelist_params *p, struct why *why);
void treelist_free(struct treelist *t);

/*
 * The next entry; at the end ${*more} is false. E_FORGED and others: a folder could not be read, which the sentence names;
 * it is left out, and the list may be read on. E_NOMEM and E_CANCELLED end it.
 */
MUST_USE enum err treelist_next(
	struct treelist *t, struct treelist_item *out, bool *more, struct why *why);

/* After an error: the path of the folder that could not be read, or not to its end. Valid until the next call. */
struct span treelist_broken(const struct treelist *t);

/* Does not go into the folder that was given last, nor read it. */
void treelist_skip(struct treelist *t);

/*
 * The entry at ${path} ("/a/b", slashes as many as you like) below ${root}; it points into ${bytes}, which is filled.
 * ${*is_root}: the path names the root itself, which has no entry. E_NOTFOUND: there is none.
 */
MUST_USE enum err treelist_find(struct fetch *f, const struct streamref *root, struct span path,
	struct direntry *out, bool *is_root, struct buf *bytes, struct why *why);

#endif
