/*
 * An index being made (doc/spec/formats.md section 6): its rows, packs and cut blocks, sorted and cut into leaves and a head.
 * Pure; where the parts go is the caller's business.
 */
#ifndef CORE_INDEXPLAN_H
#define CORE_INDEXPLAN_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "format/indexhead.h"
#include "format/indexleaf.h"

struct indexplan;

MUST_USE enum err indexplan_new(struct indexplan **out);
void indexplan_free(struct indexplan *p);

/* A pack that rows may name; its number goes to ${*number}. A name given twice gets two numbers. E_LIMIT, E_NOMEM. */
MUST_USE enum err indexplan_pack(
	struct indexplan *p, const struct hash *name, uint32_t size, uint32_t *number);

/* A chunk's place. ${row->pack} is a number from indexplan_pack or INDEXLEAF_SAME_PACK. E_NOMEM. */
MUST_USE enum err indexplan_row(struct indexplan *p, const struct indexleaf_row *row);

/* A block that is cut; packs as in rows. E_NOMEM. */
MUST_USE enum err indexplan_cut(struct indexplan *p, const struct indexhead_cut *cut);

size_t indexplan_rows(const struct indexplan *p);

/* Sorts rows and cuts, drops equal rows. Nothing is added afterwards but leaf rows. */
void indexplan_sort(struct indexplan *p);

/* After sorting: row ${i}; the first row of ${id} (indexplan_rows if none); a cut block; a pack as it was given. */
const struct indexleaf_row *indexplan_row_at(const struct indexplan *p, size_t i);
size_t indexplan_find(const struct indexplan *p, const struct hash *id);
bool indexplan_find_cut(
	const struct indexplan *p, uint32_t pack, uint32_t offset, struct indexhead_cut *out);
struct indexhead_pack indexplan_pack_at(const struct indexplan *p, uint32_t number);
uint32_t indexplan_packs(const struct indexplan *p);

/* The number of leaves; and leaf ${i} as a stored block appended to ${out}. */
uint32_t indexplan_leaves(const struct indexplan *p);
MUST_USE enum err indexplan_leaf(const struct indexplan *p, uint32_t i, struct buf *out);

/* Says where leaf ${i} (in order) was put: pack number or INDEXLEAF_SAME_PACK, offset, record length. E_NOMEM. */
MUST_USE enum err indexplan_leaf_at(
	struct indexplan *p, uint32_t i, uint32_t pack, uint32_t offset, uint32_t length);

/* The head's byte string, after all leaves have their places; appended to ${out}. */
MUST_USE enum err indexplan_head(const struct indexplan *p, struct buf *out);

/* Bytes that all records of this index take in a pack, tables and tags included: never less than it will be. */
size_t indexplan_need(const struct indexplan *p);

/* A chunk without an id as a stored block of type index, uncompressed; appended. */
MUST_USE enum err indexplan_wrap(struct span chunk, struct buf *out);

#endif
