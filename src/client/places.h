/*
 * Where chunks are: the indexes in force, read as they are needed, and behind them the tables of all packs, which are
 * scanned only when an index is damaged or lacks something (doc/spec/formats.md section 6). Places are hints. Used by
 * several threads at once.
 */
#ifndef CLIENT_PLACES_H
#define CLIENT_PLACES_H

#include "client/packread.h"
#include "core/indexplan.h"
#include "core/vaultstate.h"
#include "format/location.h"

struct places;

struct place {
	struct hash pack;
	uint32_t pack_size;
	uint32_t offset, length;
	uint16_t slot;
	bool cut;
	struct hash next_pack; /* if cut: where the rest is */
	uint32_t next_size;
	uint32_t rest_length;
};

/* Called with a sentence when an index cannot be read: work goes on, slower. */
typedef void places_warn(void *ctx, const struct why *why);

/* Whether the chunk is at a place as it should be: read to know which of several packs a cut block goes on in. */
typedef enum err places_reads(
	void *ctx, uint8_t type, const struct hash *id, const struct place *place, struct why *why);

struct places_params {
	struct packread *packs;
	struct store *store;
	struct hash vault;
	places_warn *warn;
	void *ctx;
	places_reads *reads; /* or NULL: see struct tablejoin */
	void *reads_ctx;
};
MUST_USE enum err places_new(struct places **out, const struct places_params *p, struct why *why);
void places_free(struct places *p);

/* Reads the heads of these indexes. One that is damaged is warned of and left out. E_IO, E_NOMEM. */
MUST_USE enum err places_load(
	struct places *p, const struct vault_index *indexes, size_t count, struct why *why);

/* How many of the indexes were unreadable. */
size_t places_damaged(const struct places *p);

/* Which places count: all that are known; those of indexes in force alone; these and what was borrowed. */
enum places_where { PLACES_ANY, PLACES_INDEXED, PLACES_NAMED };

/* Where a look for the places of one chunk goes on: all zero but ${where} to begin with. */
struct places_cursor {
	enum places_where where;
	size_t source, row;
	uint32_t leaf;
	unsigned scan;
};

/*
 * The next known place of the chunk to ${out}; ${*found} is false behind the last. Anybody with a key to write can name many
 * that are bad: who needs a good one goes on until there is one.
 */
MUST_USE enum err places_next(struct places *p, const struct hash *id, struct places_cursor *c,
	struct place *out, bool *found, struct why *why);

enum { PLACES_EACH = 8 };

/* The first known places of a chunk, at most PLACES_EACH, to ${out}; their number to ${count}. */
MUST_USE enum err places_find(struct places *p, const struct hash *id,
	struct place out[PLACES_EACH], size_t *count, struct why *why);

/* Reads the tables of all packs in the store that no readable index names; done once. Damaged packs are warned of. */
MUST_USE enum err places_scan(struct places *p, struct why *why);

/* The same of all packs, because an index may say something wrong of those that it names. */
MUST_USE enum err places_scan_all(struct places *p, struct why *why);

/* Every pack that the indexes name, with the size they state. What ${visit} returns other than OK ends it. */
typedef enum err places_pack(void *ctx, const struct hash *name, uint32_t size, struct why *why);
MUST_USE enum err places_packs(struct places *p, places_pack *visit, void *ctx, struct why *why);

/* Every row of all indexes (reads all leaves; a damaged leaf is warned of). */
typedef enum err places_row(
	void *ctx, const struct hash *id, const struct place *place, struct why *why);
MUST_USE enum err places_rows(struct places *p, places_row *visit, void *ctx, struct why *why);

/* The same of the ${i}th index that was loaded alone. */
MUST_USE enum err places_rows_of(
	struct places *p, size_t i, places_row *visit, void *ctx, struct why *why);

/* Of the ${i}th index that was loaded: whether it names, or lies in, one of ${names}; how many rows it has. */
bool places_index_names(const struct places *p, size_t i, struct span names);
uint64_t places_index_rows(const struct places *p, size_t i);

/* Appends the names of all packs that a readable index names or lies in: ascending, each once, with what ${out} has. E_NOMEM. */
MUST_USE enum err places_names(const struct places *p, struct buf *out);

/* Looks in ${plan} (sorted, borrowed; NULL ends it) too. Not while other threads use ${p}. */
void places_borrow(struct places *p, const struct indexplan *plan);

/* The number of rows that the indexes state. */
uint64_t places_count(const struct places *p);

#endif
