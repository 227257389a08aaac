/* The public part of a chain entry (doc/spec/formats.md section 8.1). Points into its input. */
#ifndef FORMAT_ENTRYPUBLIC_H
#define FORMAT_ENTRYPUBLIC_H

#include "base/reader.h"
#include "base/writer.h"
#include "format/hashlist.h"
#include "format/limits.h"

enum entrypublic_kind {
	ENTRYPUBLIC_NONE = 0,
	ENTRYPUBLIC_CREATE = 1,
	ENTRYPUBLIC_ROTATE = 2,
	ENTRYPUBLIC_INTENT = 3,
	ENTRYPUBLIC_PURGE = 4,
	ENTRYPUBLIC_GRANT = 5, /* reserved: E_UNSUPPORTED */
	ENTRYPUBLIC_HOME = 6,
	ENTRYPUBLIC_VERSION = 7,      /* reserved: E_UNSUPPORTED */
	ENTRYPUBLIC_REVOKE_GRANT = 8, /* reserved: E_UNSUPPORTED */
};

/* The public keys of an epoch. */
struct entrypublic_keys {
	struct span kem;    /* 1,216 bytes */
	struct span reader; /* access keys, 32 bytes each */
	struct span writer;
	struct span admin;
	struct hash commitment;
	struct hash boxes; /* name of the boxes object */
};

/* Names of packs: here (1 to 1,024), or in a list object (more). */
struct entrypublic_packs {
	bool listed;
	struct hashlist names; /* if not listed; strictly ascending */
	uint64_t
		count; /* if listed: 1,025 to 524,000 (else ignored by write; read sets it to the number of names) */
	struct hash list; /* if listed: name of the list object */
};

struct entrypublic {
	uint8_t kind;
	struct hash birth;              /* create */
	struct entrypublic_keys keys;   /* create, rotate */
	uint64_t intent;                /* purge: sequence of the intent */
	struct entrypublic_packs packs; /* intent, purge */
	struct hash store;              /* home */
};

MUST_USE enum err entrypublic_decode(struct entrypublic *out,
	struct span in); /* E_FORMAT; E_UNSUPPORTED: reserved or unknown kind */
MUST_USE enum err entrypublic_encode(
	const struct entrypublic *p, struct buf *out); /* appends; E_USAGE, E_LIMIT, E_NOMEM */

/* As part of another object (summary state). */
void entrypublic_read_packs(struct reader *r, struct entrypublic_packs *out);
void entrypublic_write_packs(struct writer *w, const struct entrypublic_packs *p);

#endif
