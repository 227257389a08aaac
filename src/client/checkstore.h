/*
 * The part of a check that needs no key: every chain follows its own rules and agrees with its copies, every write-once
 * object has its name, locator objects have their form (doc/spec/chains.md section 1, formats.md section 12).
 */
#ifndef CLIENT_CHECKSTORE_H
#define CLIENT_CHECKSTORE_H

#include "client/checkreport.h"
#include "client/statefolder.h"
#include "store/store.h"

/*
 * What is wrong goes to ${r}. With a ${folder} that is not NULL also what checkstore_locator finds, whichever kit counts.
 * E_IO, E_NOMEM, E_CANCELLED: the store could not be looked at.
 */
MUST_USE enum err checkstore_run(
	struct checkreport *r, struct store *store, const struct statefolder *folder, struct why *why);

/*
 * The locator object that this device stored or used last must be there as it was, unless its kit was replaced since:
 * ${kit} is the one that counts, NULL: not known. E_FORMAT, E_IO, E_NOMEM.
 */
MUST_USE enum err checkstore_locator(struct checkreport *r, struct store *store,
	const struct statefolder *folder, const struct hash *kit, struct why *why);

#endif
