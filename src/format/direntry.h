/*
 * Entries of directories (doc/spec/formats.md section 5). A decoded entry points into its input and is valid as long.
 */
#ifndef FORMAT_DIRENTRY_H
#define FORMAT_DIRENTRY_H

#include "base/buf.h"
#include "base/span.h"
#include "format/moment.h"
#include "format/streamref.h"

enum direntry_type {
	DIRENTRY_FILE = 1,
	DIRENTRY_DIRECTORY = 2,
	DIRENTRY_SYMLINK = 3,
	DIRENTRY_FIFO = 4,
	DIRENTRY_CHAR = 5,
	DIRENTRY_BLOCK = 6,
	DIRENTRY_VAULT = 7, /* kept and shown, not restored; so are types not listed here */
};

enum direntry_flag {
	DIRENTRY_HAS_XATTRS = 1,
	DIRENTRY_HAS_HOLES = 2,
	DIRENTRY_HAS_LINK_GROUP = 4,
	DIRENTRY_CHANGED = 8, /* while it was read */
};

/* Attributes and holes: a count, and the items as they stand in the entry. See the iterators and builders below. */
struct direntry_items {
	uint32_t count;
	struct span items;
};

struct direntry {
	uint8_t type;
	struct span name;
	uint16_t mode;
	uint32_t uid, gid;
	struct moment mtime;
	uint8_t flags; /* enum direntry_flag */
	uint8_t link_group[SIZE_LINK_GROUP];
	struct direntry_items xattrs;
	struct streamref stream;     /* file, directory */
	struct direntry_items holes; /* file */
	uint64_t holes_total;        /* bytes in all holes; set by decode, ignored by encode */
	struct span target;          /* symbolic link */
	uint32_t major, minor;       /* devices */
	struct hash vault;           /* link to another vault */
	uint32_t epoch;
	struct span path;
	struct span rest; /* of an unknown type: everything behind the name */
};

/* ${body}: one entry without its length. E_FORMAT. */
MUST_USE enum err direntry_decode(struct direntry *out, struct span body);

/* Appends the entry with its length. E_USAGE (decode would refuse it), E_LIMIT (longer than an entry can be), E_NOMEM. */
MUST_USE enum err direntry_encode(const struct direntry *d, struct buf *out);

/* A file's size: data and holes. */
uint64_t direntry_size(const struct direntry *d);

bool direntry_type_is_known(uint8_t type); /* 1 to 6: what this program can restore */
bool direntry_name_ok(
	struct span name); /* not empty, `.`, `..`, too long; no slash, no zero byte */

/* Attributes in order: start with ${rest} = d.xattrs.items; false at the end. */
bool direntry_next_xattr(struct span *rest, struct span *name, struct span *value);

/* Appends an attribute to ${items} for an encoder (which checks that names ascend). E_LIMIT, E_NOMEM. */
MUST_USE enum err direntry_add_xattr(struct buf *items, struct span name, struct span value);

/* Holes in order: start with { .rest = d.holes.items }; false at the end. */
struct direntry_hole {
	struct span rest;
	uint64_t offset; /* of this hole in the file */
	uint64_t length;
};
bool direntry_next_hole(struct direntry_hole *hole);

/* Appends the hole at ${offset} to ${items}; ${end}: where the hole before ends (0 at first), updated. E_USAGE, E_LIMIT, E_NOMEM. */
MUST_USE enum err direntry_add_hole(
	struct buf *items, uint64_t *end, uint64_t offset, uint64_t length);

#endif
