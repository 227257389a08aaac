/* The text of `broch help`, made from the tables. */
#ifndef CLI_HELPTEXT_H
#define CLI_HELPTEXT_H

#include "cli/textout.h"

struct verb;
struct topics;

void helptext_overview(struct textout *t, size_t width);
void helptext_group(
	struct textout *t, const char *group, size_t width); /* verbs of two words that start so */
void helptext_verb(struct textout *t, const struct verb *v, size_t width);
void helptext_topic(struct textout *t, const struct topics *topic, size_t width);

#endif
