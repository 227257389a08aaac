/* Indexes, merged: many small ones become one, so that a lookup asks few (doc/spec/formats.md section 6). */
#ifndef CLIENT_INDEXMERGE_H
#define CLIENT_INDEXMERGE_H

#include "client/fetch.h"

/* Merges the smaller indexes if there are more than a lookup should ask. OK also when there is nothing to do. */
MUST_USE enum err indexmerge_if_many(struct vault *v, struct why *why);

#endif
