/*
 * What a check finds, held back until it is known that it holds: a purge beside it takes away by right what was needed when
 * the check began.
 */
#ifndef CLIENT_CHECKHELD_H
#define CLIENT_CHECKHELD_H

#include "client/checkreport.h"

struct checkheld_found;

struct checkheld {
	struct checkreport report; /* what the check is given */
	struct checkreport *to;
	struct checkheld_found *first, **end;
};

/* Progress goes on to ${to} at once. */
void checkheld_init(struct checkheld *h, struct checkreport *to);
void checkheld_done(struct checkheld *h);

/* Forgets what was found and counted. (What there was no memory to hold was told at once.) */
void checkheld_drop(struct checkheld *h);

/* Tells it in order, and adds the counts. */
void checkheld_tell(struct checkheld *h);

#endif
