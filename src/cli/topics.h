/* What the manual says beside the verbs: sections of broch(1), which `broch help NAME` prints too. */
#ifndef CLI_TOPICS_H
#define CLI_TOPICS_H

#include <stddef.h>

struct topics_item {
	const char *term;
	const char *text;
};

struct topics {
	const char *name;                /* for help, in small letters */
	const char *title;               /* in the manual */
	const char *text;                /* paragraphs; may be empty */
	const struct topics_item *items; /* ends with a NULL term */
};

extern const struct topics topics_table[];
extern const size_t topics_count;

/* In help and the manual, by enum verb_section. */
extern const char *const topics_sections[];

/* One line on what the program is, and a paragraph. */
extern const char topics_line[];
extern const char topics_description[];

#endif
