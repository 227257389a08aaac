/*
 * Reads directories: over a whole byte string (dirreader), or over pieces as they come (dirreader_feed), where an entry may
 * lie across two or more. Both enforce that names ascend strictly.
 */
#ifndef FORMAT_DIRREADER_H
#define FORMAT_DIRREADER_H

#include "format/direntry.h"

struct dirreader {
	struct span rest;
	struct span last; /* the name before */
};

struct dirreader dirreader_over(struct span directory);

/* The next entry to ${out}, valid while the directory's bytes are. At the end: OK with ${*more} false. E_FORMAT. */
MUST_USE enum err dirreader_next(struct dirreader *d, struct direntry *out, bool *more);

/* Pieces. Owns memory until done: at most one entry. */
struct dirreader_feed {
	struct span piece; /* what is left of the piece pushed last */
	struct buf carry;  /* the beginning of an entry that went on behind its piece */
	bool carry_used;   /* the carry holds the entry given last */
	uint16_t last_len;
	uint8_t last[LIMIT_NAME];
};

void dirreader_feed_init(struct dirreader_feed *f);
void dirreader_feed_done(struct dirreader_feed *f);

/* Gives the next piece; it must stay until feed_next has answered "none". Only when there is nothing left of the piece before. */
void dirreader_feed_push(struct dirreader_feed *f, struct span piece);

/*
 * The next entry to ${out}, valid until the next call of next or push; ${*have} false: all complete entries are out, push
 * more or end. E_FORMAT, E_NOMEM.
 */
MUST_USE enum err dirreader_feed_next(struct dirreader_feed *f, struct direntry *out, bool *have);

/* After the last piece: E_FORMAT if an entry is incomplete. */
MUST_USE enum err dirreader_feed_end(const struct dirreader_feed *f);

#endif
