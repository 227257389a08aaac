/* Finds the word that was probably meant. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *typed;
	size_t typed_len;
	const char *best;
	size_t distance;
};

/* Looks for something like the ${len} bytes at ${typed}. */
struct suggest suggest_for(const char *typed, size_t len);

/* Offers a ${candidate}, which must stay valid. */
void suggest_offer(struct suggest *s, const char *candidate);

/* The nearest of those offered, or NULL where none is near. */
const char *suggest_best(const struct suggest *s);

#endif
