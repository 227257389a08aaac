/* What most verbs begin with: the account and the vault that the command line and the environment name, opened. */
#ifndef CLI_OPENING_H
#define CLI_OPENING_H

#include "cli/invocation.h"
#include "client/choose.h"
#include "client/vault.h"

struct opening {
	struct session session;
	struct vault vault;
	bool has_session, has_vault;
};

/*
 * Open the session, or the session and its vault (--vault, else the only one, else "main"). They give an enum exitcode
 * and have said what is wrong. opening_close takes what they leave in any case.
 */
int opening_session(struct opening *o, const struct invocation *inv);
int opening_vault(struct opening *o, const struct invocation *inv);
void opening_close(struct opening *o);

/*
 * Each says why something failed and gives the exit code. Refused: a passphrase or a kit, which E_DENIED calls wrong.
 * Absent: a step of opening, or the choice of a snapshot; what E_NOTFOUND misses is a store, a vault or a snapshot, and a
 * right that is missing is an ordinary error. Failed: work behind that, where a missing file is one too. Locked: session_open,
 * which left ${s}.
 */
int opening_refused(const struct invocation *inv, const struct why *why);
int opening_absent(const struct invocation *inv, const struct why *why);
int opening_failed(const struct invocation *inv, const struct why *why);
int opening_locked(const struct invocation *inv, const struct session *s, const struct why *why);

/* For struct session_open: the passphrase from --passphrase-file or the terminal. ${ctx}: the invocation. */
session_passphrase opening_passphrase;

/*
 * A passphrase for keys about to be made, into ${out} of SESSION_PASSPHRASE_MAX bytes: from --passphrase-file, or asked
 * for twice. ${*none}: --no-passphrase was given, with the warning said.
 */
MUST_USE enum err opening_new_passphrase(
	const struct invocation *inv, uint8_t *out, size_t *len, bool *none, struct why *why);

/* The filter that --host, --branch and --tag make. E_NOMEM. For choose_filter_done. */
MUST_USE enum err opening_filter(
	const struct invocation *inv, struct choose_filter *out, struct why *why);

/* The snapshot that ${text} means, with the filter of the command line. Says what is wrong; gives the exit code. */
int opening_snapshot(const struct invocation *inv, const struct opening *o, const char *text,
	const struct vault_snapshot **out);

#endif
