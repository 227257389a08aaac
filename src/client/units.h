/*
 * Sizes, durations and shares as people write and read them, in restic's forms: 1024-based sizes with one letter
 * (`16M`), durations as numbers with units (`2y5m7d3h`), output as `1.234 GiB` and `1:02:03`.
 */
#ifndef CLIENT_UNITS_H
#define CLIENT_UNITS_H

#include <stdint.h>

#include "base/err.h"

enum { UNITS_TEXT = 32 };

/* A duration on the calendar: years and months are as long as they are where they are counted from. */
struct units_age {
	uint32_t years;
	uint32_t months;
	uint32_t days;
	uint64_t seconds;
};

/* All of these take the whole of ${text}, write ${*out} on OK only, and say E_FORMAT, or E_LIMIT for what is too large. */

/* Decimal digits only, ${min} to ${max} (outside: E_LIMIT). */
MUST_USE enum err units_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* A number of bytes: digits and nothing, B, K, M, G or T, in either case. */
MUST_USE enum err units_parse_size(const char *text, uint64_t *out);

/* Numbers with the units y, m (months), w, d, h, min, s; or 0. At most 1000 years in all. */
MUST_USE enum err units_parse_age(const char *text, struct units_age *out);

/* The same without years and months, in seconds. */
MUST_USE enum err units_parse_seconds(const char *text, uint64_t *out);

/* 0 to 100 with up to four digits behind a point, with or without `%`: in millionths of the whole. */
MUST_USE enum err units_parse_percent(const char *text, uint32_t *millionths_out);

/* Texts for people; each returns ${out}. */
const char *units_size(char out[UNITS_TEXT], uint64_t bytes);
const char *units_rate(char out[UNITS_TEXT], uint64_t bytes, double seconds);
const char *units_elapsed(char out[UNITS_TEXT], uint64_t seconds);
const char *units_percent(
	char out[UNITS_TEXT], uint64_t part, uint64_t whole); /* "" where the whole is 0 */
/* "1 pack", "2 packs", of the words for one and for any other number. */
const char *units_count(char out[UNITS_TEXT], uint64_t n, const char *one, const char *more);
const char *units_seconds(
	char out[UNITS_TEXT], uint64_t seconds); /* "7d", "1d12h": units_parse_seconds reads it */

#endif
