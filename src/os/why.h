/* The sentence that says what was found, written once by whoever found it and passed up to whoever prints it. */
#ifndef OS_WHY_H
#define OS_WHY_H

#include "base/err.h"

enum { WHY_MAX = 512 };

struct why {
	enum err code;
	char msg[WHY_MAX];
};

/*
 * Writes the sentence and returns ${code}, so that a finder ends with: return why_set(why, E_FORMAT, "…").
 * ${why} may be NULL. Foreign text (names, server replies) in the arguments is escaped when it is printed.
 */
MUST_USE enum err why_set(struct why *why, enum err code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Like why_set with E_IO (E_NOTFOUND for ENOENT, E_EXISTS for EEXIST, E_NOMEM, E_DENIED for EACCES and EPERM) and errno's text behind. */
MUST_USE enum err why_errno(struct why *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts the name of the object the user knows in front of the sentence: "photos/a.jpg: …". Returns ${why}'s code. */
enum err why_in(struct why *why, const char *object);

/* A sentence for a pure function's ${code}, when the code is all there is: returns ${code}; leaves OK alone. */
MUST_USE enum err why_err(struct why *why, enum err code, const char *what);

#endif
