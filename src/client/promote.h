/* Making a mirror the home (doc/spec/chains.md section 7). */
#ifndef CLIENT_PROMOTE_H
#define CLIENT_PROMOTE_H

#include "client/mirror.h"

struct promote_result {
	bool home_was_there; /* the old home was reached: it says where the home is now */
	struct mirror_result copied;
};

/*
 * Makes the store that ${s} has open (session_open.may_lag) the home of the account and of all its vaults. If the remembered
 * store is another one and can be reached, the entries that say so are appended there first and all is copied; else they
 * are appended here, which must then not be behind what this device has seen (E_ROLLBACK). Remembers the store. E_EXISTS: it is
 * the home already.
 */
MUST_USE enum err promote_run(
	struct session *s, const struct mirror_options *o, struct promote_result *out, struct why *why);

/*
 * Makes the store of ${s}, which is the account's home, the home of all vaults of the account: the second step, for
 * recover.
 */
MUST_USE enum err promote_vaults(struct session *s, struct why *why);

#endif
