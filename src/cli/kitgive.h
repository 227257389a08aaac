/* The recovery kit on its way to the person who keeps it, and back from there. */
#ifndef CLI_KITGIVE_H
#define CLI_KITGIVE_H

#include "cli/invocation.h"
#include "crypto/hash.h"
#include "secret/keys.h"

/*
 * Whether the page can be given, before anything is made: E_EXISTS where --kit-out names something that is there, E_IO
 * where nothing can be made there, E_USAGE where it lies in the store (at ${store}), or where there is --json and no
 * --kit-out (the page is no object).
 */
MUST_USE enum err kitgive_check(const struct invocation *inv, const char *store, struct why *why);

/* Writes the page to --kit-out or shows it. ${store}: the store's path. E_EXISTS, E_IO, E_NOMEM. */
MUST_USE enum err kitgive_page(const struct invocation *inv, const struct hash *account,
	const char *store, const struct kit_secret *kit, struct why *why);

/* The kit that --kit-file has, or that is typed. E_DENIED: it is none, with what is wrong; E_USAGE: no terminal; E_IO. */
MUST_USE enum err kitgive_take(
	const struct invocation *inv, struct kit_secret *out, struct why *why);

#endif
