/*
 * Foreign text on a terminal: names and messages may hold anything, and must move nothing, hide nothing and reorder
 * nothing. Also what a descriptor is and how wide the terminal is.
 */
#ifndef OS_TERMINAL_H
#define OS_TERMINAL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/*
 * Appends ${text} so that it stays on one line and can be turned back: a backslash becomes `\\`, and each byte of
 * these becomes `\xNN` (lower-case hexadecimal): control characters (C0, DEL, C1), whatever is not UTF-8, marks and
 * overrides of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), line and paragraph separators,
 * invisible characters (U+200B, U+2060 to U+206F, U+FEFF, U+FFF9 to U+FFFB, tags), noncharacters. E_LIMIT, E_NOMEM.
 */
MUST_USE enum err terminal_escape(struct buf *out, struct span text);

/* The longest head of ${text} (escaped before: it is UTF-8) that takes at most ${columns}; its bytes. */
size_t terminal_fit(struct span text, size_t columns);

/* The columns that ${text} takes. */
size_t terminal_width(struct span text);

bool terminal_is(int fd);

/* The width of the terminal at ${fd}; 80 where it can't be known. */
size_t terminal_columns(int fd);

#endif
