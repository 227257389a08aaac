/*
 * What a check finds, held back until it is known that it holds: a purge beside it takes away by right what was needed when
 * the check began. Of very much, or where there is no memory to hold it, all is told at once.
 */
#ifndef CLIENT_CHECKHELD_H
#define CLIENT_CHECKHELD_H

#include "client/checkreport.h"

struct checkheld_found;

struct checkheld {
	struct checkreport report; /* what the check is given */
	struct checkreport *to;
	struct checkheld_found *first, **end;
	size_t count, bytes; /* that are held */
	bool passes;         /* nothing is held any more */
};

enum { CHECKHELD_MOST = 10000, CHECKHELD_BYTES = 64 << 20 };

/* Progress goes on to ${to} at once. */
void checkheld_init(struct checkheld *h, struct checkreport *to);
void checkheld_done(struct checkheld *h);

/* Forgets what was found and counted. Not where ${passes}: it was told already. */
void checkheld_drop(struct checkheld *h);

/* Tells it in order, and adds the counts. */
void checkheld_tell(struct checkheld *h);

#endif
