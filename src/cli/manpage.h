/* The manual pages in roff, made from the tables. */
#ifndef CLI_MANPAGE_H
#define CLI_MANPAGE_H

#include "cli/textout.h"

struct verb;

enum { MANPAGE_NAME = 64 };

/* broch(1), and the page of a verb. */
void manpage_overview(struct textout *t);
void manpage_verb(struct textout *t, const struct verb *v);

/* The file's name: "broch-vault-list.1"; ${v} NULL: "broch.1". */
void manpage_name(char out[MANPAGE_NAME], const struct verb *v);

#endif
