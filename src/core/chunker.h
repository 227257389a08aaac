/*
 * The chunker: where a byte string is cut into chunks, by its content and a secret (doc/spec/chunker.md). A
 * universal hash is rolled over the last 64 bytes and encrypted with AES-128; the string is cut where the ciphertext
 * has enough zero bits. Every code path cuts alike. Nothing here is kept between calls, so several threads may use
 * one chunker at once.
 */
#ifndef CORE_CHUNKER_H
#define CORE_CHUNKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CHUNKER_KEY_BYTES 4112
#define CHUNKER_WINDOW 64
#define CHUNKER_MAX 2097152 /* no chunk is longer, whatever the parameters */

/* Sizes in bytes. 64 <= min < max <= CHUNKER_MAX; mask_bits from 1 to 40. A vault states its own in its first entry. */
struct chunker_params {
	uint32_t min, max, mask_bits;
};

/* What new vaults use: 224 KiB, 2 MiB, 16. */
extern const struct chunker_params chunker_default;

struct chunker;

/* A chunker for ${key} and ${params}; the key is copied. E_FORMAT: parameters out of range. E_NOMEM. */
enum err chunker_new(struct chunker **out, const uint8_t key[CHUNKER_KEY_BYTES],
	const struct chunker_params *params) MUST_USE;
void chunker_free(struct chunker *c); /* wipes; NULL is fine */

/*
 * The length of the chunk that begins at ${data}, of which ${len} bytes are there; ${final} says that the string ends
 * with them. 0: the end can't be decided from these bytes (never when len >= max, or when final and len > 0).
 */
size_t chunker_next(const struct chunker *c, const uint8_t *data, size_t len, bool final);

/*
 * One large string on several cores. A thread may cut a later part of it without knowing where the chunk before ends:
 * chunker_trace does so, as if a chunk began at ${start}, and writes the ends of chunks (positions in data, ascending,
 * ${start} itself first) up to the first at or after ${end}, or as far as it can decide. It returns how many, at most
 * ${room}; CHUNKER_TRACE_ROOM is enough. chunker_next_traced is chunker_next(c, data + at, len - at, final) with the
 * same result, whatever the trace, but it scans only what the trace leaves open, which ends soon after the first cut
 * that both share. ${data} and ${final} must be the same in both calls; ${len} may have grown.
 */
#define CHUNKER_TRACE_ROOM(bytes, min) ((bytes) / (min) + 2)
size_t chunker_trace(const struct chunker *c, const uint8_t *data, size_t len, bool final,
	size_t start, size_t end, size_t *cuts, size_t room);
size_t chunker_next_traced(const struct chunker *c, const uint8_t *data, size_t len, bool final,
	size_t at, const size_t *cuts, size_t n);

/* The code paths. chunker_new takes the fastest that this processor has. */
enum chunker_path {
	CHUNKER_PORTABLE,
	CHUNKER_AESNI,
	CHUNKER_VAES256,
	CHUNKER_VAES512,
	CHUNKER_PATHS
};

const char *chunker_path_name(enum chunker_path path);
bool chunker_path_here(enum chunker_path path); /* whether this processor has it */
enum chunker_path chunker_path_of(const struct chunker *c);

/* For tests and measurements: makes ${c} use ${path}. E_UNSUPPORTED: not here. */
enum err chunker_force_path(struct chunker *c, enum chunker_path path) MUST_USE;

#endif
