/* A table for people: columns as wide as what stands in them. Cells are foreign text: they are escaped. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/buf.h"
#include "base/span.h"

enum { TABLE_COLUMNS = 12 };

struct say;

struct table {
	size_t columns, cells;
	struct buf text;
	size_t *ends; /* of each cell in ${text} */
	size_t ends_room;
	size_t widths[TABLE_COLUMNS];
	bool right[TABLE_COLUMNS]; /* aligned right */
	bool broken;               /* memory ran out */
};

/* Their number is that of ${heads}. */
void table_init(struct table *t, size_t columns, const char *const *heads);
void table_add(struct table *t, struct span cell); /* row by row, from left to right */
void table_text(struct table *t, const char *cell);
void table_number(struct table *t, uint64_t n);

/* Prints heads, a rule, the rows, and a rule. False: memory ran out. */
bool table_print(struct table *t, struct say *say);
void table_done(struct table *t);

#endif
