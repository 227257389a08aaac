/* Dumps of the parts that several objects have, for formatcase. */
#ifndef TEST_FORMATPARTS_H
#define TEST_FORMATPARTS_H

#include "format/bytelist.h"
#include "format/direntry.h"
#include "format/hashlist.h"
#include "format/location.h"
#include "formatcase.h"

void formatparts_hash(FILE *f, const char *name, const struct hash *h);
void formatparts_moment(FILE *f, const char *name, struct moment m);
void formatparts_origin(FILE *f, const struct chunkorigin *o);
void formatparts_streamref(FILE *f, const struct streamref *s);
void formatparts_hashes(FILE *f, const char *name, const struct hashlist *l);
void formatparts_direntry(FILE *f, const struct direntry *d); /* without attributes and holes */

/* These also make the list anew, as an encoder's caller does, and check that it is the same. OK or E_NOMEM. */
enum err formatparts_list(FILE *f, const char *name, const struct bytelist *l);
enum err formatparts_locations(FILE *f, const char *name, const struct locationlist *l);

#endif
