/* The part of a check that reads packs whole: names, tables, records, blocks, chunk ids (doc/spec/formats.md section 3). */
#ifndef CLIENT_CHECKDATA_H
#define CLIENT_CHECKDATA_H

#include "client/checkreport.h"
#include "client/fetch.h"
#include "client/packset.h"

/* Which packs. */
enum checkdata_part {
	CHECKDATA_NONE,
	CHECKDATA_ALL,
	CHECKDATA_RATIO,   /* part ${a} of ${b}, the same ones each time */
	CHECKDATA_PERCENT, /* ${a} millionths of the packs, at random */
	CHECKDATA_BYTES,   /* ${a} bytes at least, at random */
	CHECKDATA_CHOSEN,  /* those with is_chosen */
};

/*
 * A block of ${pack} that was read, and whose chunks all have their ids. Where it is cut, its rest is in ${next} and has
 * ${rest_length} bytes with tag. One at a time.
 */
typedef enum err checkdata_verified(void *ctx, struct packset_pack *pack,
	const struct packtable_block *block, struct packset_pack *next, uint32_t rest_length);

struct checkdata_params {
	struct vault *vault;
	struct fetch *fetch;
	struct packset *packs; /* what is damaged is marked in it */
	enum checkdata_part part;
	uint64_t a, b;
	unsigned threads;
	checkdata_verified *verified; /* or NULL */
	void *ctx;
};

/* What is wrong goes to ${r}. Memory: two packs a thread. E_CANCELLED, E_NOMEM, E_IO. */
MUST_USE enum err checkdata_run(
	struct checkreport *r, const struct checkdata_params *p, struct why *why);

/* The chance that a loss of ${lost} of ${all} packs shows when ${looked} of them are read at random. */
double checkdata_chance(uint64_t all, uint64_t lost, uint64_t looked);

#endif
