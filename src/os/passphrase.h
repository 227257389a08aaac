/*
 * Reads a passphrase, or another line that must not be seen, from a file or from the terminal, into memory of the
 * caller (locked pages where it wants them). Keeps no copy.
 */
#ifndef OS_PASSPHRASE_H
#define OS_PASSPHRASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "os/why.h"

enum { PASSPHRASE_MAX = 1024 };

/*
 * The contents of ${path} without one newline (or carriage return and newline) at its end, to ${out}, which has room
 * for ${room} bytes. E_USAGE where that is empty or has a NUL or another newline, E_LIMIT where it is longer than
 * ${room}, and what opening and reading says. On failure ${out} is wiped and ${*len_out} untouched.
 */
MUST_USE enum err passphrase_read(
	const char *path, uint8_t *out, size_t room, size_t *len_out, struct why *why);

/*
 * Asks for a line at the process's terminal (not at standard input), showing ${prompt} and not what is typed; twice
 * with ${again} (NULL: once), and E_USAGE where the two differ. E_NOTFOUND where there is no terminal, E_CANCELLED
 * at Ctrl-C or the end of input, E_USAGE for an empty line, E_LIMIT for one longer than ${room}. On failure ${out} is
 * wiped. ${room} is at most PASSPHRASE_MAX.
 */
MUST_USE enum err passphrase_ask(const char *prompt, const char *again, uint8_t *out, size_t room,
	size_t *len_out, struct why *why);

/* The same, once, showing what is typed: for a kit's code or a confirmation. */
MUST_USE enum err passphrase_ask_seen(
	const char *prompt, uint8_t *out, size_t room, size_t *len_out, struct why *why);

#endif
