/*
 * Reading a folder: its entries as they come, chunk by chunk, in memory that does not grow with it. Names that do not ascend
 * end it at once, so a folder that names a chunk again and again costs no more than that chunk. Belongs to one thread.
 */
#ifndef CLIENT_FOLDERREAD_H
#define CLIENT_FOLDERREAD_H

#include "client/streamread.h"
#include "format/dirreader.h"

struct folderread {
	struct streamread stream;
	struct dirreader_feed feed;
	struct fetch_chunk chunk;
};

/* E_UNSUPPORTED: chunks of another origin. Close it in any case. */
MUST_USE enum err folderread_open(
	struct folderread *r, struct fetch *f, const struct streamref *ref, struct why *why);
void folderread_close(struct folderread *r);

/*
 * The next entry, valid until the next call; at the end ${*more} is false. E_FORMAT: the folder is malformed; E_FORGED: a
 * chunk or list of it is missing, damaged, or not what its reference says; E_IO, E_NOMEM.
 */
MUST_USE enum err folderread_next(
	struct folderread *r, struct direntry *out, bool *more, struct why *why);

/*
 * Appends the folder to ${out}, up to its end or to the chunk with the first entry that is malformed: what reads ${out} comes
 * upon it. E_LIMIT where it does not fit, and what open and next give.
 */
MUST_USE enum err folderread_whole(
	struct fetch *f, const struct streamref *ref, struct buf *out, struct why *why);

/* Folders in a folder, kept until that is read to its end: their names and references. */
struct folderread_later {
	struct buf bytes;
	size_t read;
};

/* ${max}: bytes that may be kept. */
void folderread_later_init(struct folderread_later *l, size_t max);
void folderread_later_done(struct folderread_later *l);

/* E_NOMEM, E_LIMIT. */
MUST_USE enum err folderread_later_add(
	struct folderread_later *l, struct span name, const struct streamref *ref);

/* The next one, in order; its name is valid while nothing is added. False at the end. */
bool folderread_later_next(struct folderread_later *l, struct span *name, struct streamref *ref);

#endif
