#include "cli/suggest.h"

#include <string.h>

enum { WORD_MAX = 32 };

static size_t least(size_t a, size_t b) {
	return a < b ? a : b;
}

/* How many letters must be changed, added, left out or swapped with the next to make ${b} of ${a}. */
static size_t distance(const char *a, size_t an, const char *b, size_t bn) {
	size_t row[3][WORD_MAX + 1];

	if (an > WORD_MAX || bn > WORD_MAX) return WORD_MAX;
	for (size_t j = 0; j <= bn; j++) row[0][j] = j;
	for (size_t i = 1; i <= an; i++) {
		size_t *now = row[i % 3];
		const size_t *up = row[(i - 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			now[j] = least(least(up[j], now[j - 1]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], row[(i - 2) % 3][j - 2] + 1);
		}
	}
	return row[an % 3][bn];
}

struct suggest suggest_for(const char *typed, size_t len) {
	return (struct suggest){ .typed = typed, .typed_len = len, .distance = WORD_MAX };
}

void suggest_offer(struct suggest *s, const char *candidate) {
	size_t n = strlen(candidate);
	size_t d = distance(s->typed, s->typed_len, candidate, n);

	/* What was begun rightly and not ended is near too. */
	if (s->typed_len >= 3 && s->typed_len < n && strncmp(s->typed, candidate, s->typed_len) == 0)
		d = least(d, 1);
	if (d < s->distance) {
		s->distance = d;
		s->best = candidate;
	}
}

const char *suggest_best(const struct suggest *s) {
	return s->distance <= 1 + s->typed_len / 4 && s->distance < s->typed_len ? s->best : NULL;
}
