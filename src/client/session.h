/* This device at work: its folders, its keys, a store, its account opened from there. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "client/account.h"

/*
 * Gives the passphrase of the key store when it is needed: writes at most ${room} bytes to ${out}, which the session
 * wipes, and their number to ${len}. E_DENIED: there is none to be had.
 */
typedef enum err session_passphrase(
	void *ctx, uint8_t *out, size_t room, size_t *len, struct why *why);

enum { SESSION_PASSPHRASE_MAX = 1024 };

struct session_open {
	const char *at; /* path of the store; NULL: the remembered one */
	session_passphrase *passphrase;
	void *ctx;
	bool ignore_heads; /* accept-older: what was seen is not held against the store */
	bool whole_chains; /* check: every entry is verified again, whatever was verified before */
	bool may_lag;      /* promote: the store may be behind, even if it is the home */
};

struct session_secrets {
	struct keystore keys;
	struct actor actor;
	struct fresh fresh;
};

struct session {
	struct statefolder folder;
	struct store *store;
	struct session_secrets *secrets; /* secretmem */
	struct account account;
	bool account_is_open;
	bool
		is_locked; /* session_open failed because of the passphrase: it is wrong, or there was none */
	bool ignore_heads;
	bool whole_chains;
	bool may_lag;
};

/*
 * Opens everything. E_NOTFOUND: no account on this device, or no store there; E_DENIED: the passphrase (${is_locked}), or
 * another right that is missing; E_FORGED, E_ROLLBACK and others as account_open. E_ROLLBACK also if the remembered store is another one than it was. The
 * account's home, opened by another path after its home was moved there, is remembered.
 */
MUST_USE enum err session_open(struct session *s, const struct session_open *o, struct why *why);
void session_close(struct session *s);

/* The parts of session_open, for init and recover: folders (made), the randomness of a device that does not exist yet. */
MUST_USE enum err session_begin(struct session *s, struct why *why);
MUST_USE enum err session_open_store(struct session *s, const char *at, struct why *why);

/* accept-older: if the store that is open lies under the remembered path, its id is the one from now on. */
MUST_USE enum err session_accept_store(const struct session *s, struct why *why);

/* Seals and keeps ${s}'s keys; ${passphrase} NULL: unprotected. */
MUST_USE enum err session_keep_keys(
	struct session *s, const struct span *passphrase, struct why *why);

/* The path made absolute from the working folder, no link resolved. */
MUST_USE enum err session_absolute(const char *path, char out[PATHS_MAX], struct why *why);

#endif
