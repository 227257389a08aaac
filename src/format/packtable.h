/* The table of a pack: which blocks lie where, and which chunks are in them (doc/spec/formats.md section 3). */
#ifndef FORMAT_PACKTABLE_H
#define FORMAT_PACKTABLE_H

#include "base/buf.h"
#include "base/span.h"
#include "format/chunkorigin.h"
#include "format/hashlist.h"

struct packtable {
	uint8_t run[16];
	uint64_t start_sequence;
	struct hash start_head;
	struct hash writer; /* device id */
	struct chunkorigin origin;
	bool continues; /* the first record is the rest of the last block of the pack ${previous} */
	struct hash previous; /* zero if not */
	uint32_t count;       /* blocks, 1 to 16,384; set by decode, ignored by begin */
	struct span blocks;   /* into the input; for packtable_next */
};

struct packtable_block {
	uint8_t type; /* enum chunktype; 0: the rest of a block cut in the pack before */
	bool cut;     /* its rest is the first record of the writer's next pack */
	uint32_t offset;
	uint32_t length;     /* of the record, with tag */
	struct hashlist ids; /* none for index blocks and for a rest */
};

/*
 * ${in}: the whole plaintext. ${table_offset}: where the table stands, from the trailer; records must end there.
 * E_FORMAT. Everything is checked here. ${out} points into ${in}.
 */
MUST_USE enum err packtable_decode(struct packtable *out, struct span in, uint32_t table_offset);

/* Iterates over the blocks: start with ${rest} = t.blocks; false at the end. */
bool packtable_next(struct span *rest, struct packtable_block *block);

/* Bytes that a block with ${ids} chunk ids takes in the table. */
size_t packtable_block_len(size_t ids);

/* Builds a table while records are written. Owns memory until done. */
struct packtable_build {
	struct packtable head;
	struct buf blocks;
	uint32_t next_offset; /* of the next record */
	bool closed;          /* a cut block was added: none can follow */
};

/* Copies ${head}. */
void packtable_begin(struct packtable_build *b, const struct packtable *head);

/*
 * The next record, which stands at b->next_offset, ${length} bytes with tag. ${type} 0: a rest, without ids.
 * E_USAGE (out of order, wrong count), E_LIMIT (more than a table holds), E_NOMEM; the build is then unchanged.
 */
MUST_USE enum err packtable_add(struct packtable_build *b, uint8_t type, bool cut, uint32_t length,
	const struct hash *ids, size_t ids_count);

/* Bytes that the table takes now, without tag. */
size_t packtable_len(const struct packtable_build *b);

/* Appends the table. E_USAGE (decode would refuse it), E_LIMIT, E_NOMEM. */
MUST_USE enum err packtable_end(const struct packtable_build *b, struct buf *out);
void packtable_done(struct packtable_build *b);

#endif
