#include "client/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"
#include "secret/secretmem.h"
#include "store/embedded.h"

static uint64_t clock_for_fresh(void) {
	return (uint64_t)clock_real_ns();
}

/* Takes "." and doubled slashes out of an absolute path: what stays means the same, whatever is a link in it. */
static void tidy(char *path) {
	char *out = path;
	for (const char *in = path; *in;) {
		in += strspn(in, "/");
		size_t n = strcspn(in, "/");
		if (n > 0 && !(n == 1 && *in == '.')) {
			*out++ = '/';
			memmove(out, in, n);
			out += n;
		}
		in += n;
	}
	if (out == path) *out++ = '/';
	*out = '\0';
}

enum err session_absolute(const char *path, char out[PATHS_MAX], struct why *why) {
	char here[PATHS_MAX] = "";
	if (path[0] != '/' && !getcwd(here, sizeof here))
		return why_errno(why, "finding the working folder");
	int n = path[0] == '/' ? snprintf(out, PATHS_MAX, "%s", path)
						   : snprintf(out, PATHS_MAX, "%s/%s", here, path);
	if (n < 0 || n >= PATHS_MAX) return why_set(why, E_LIMIT, "the path is too long");
	tidy(out);
	return OK;
}

static enum err make_secrets(struct session *s, struct why *why) {
	s->secrets = secretmem_alloc(sizeof *s->secrets);
	if (!s->secrets) return why_err(why, E_NOMEM, "making room for keys");
	fresh_init(&s->secrets->fresh, NULL, clock_for_fresh, (uint64_t)getpid());
	return OK;
}

enum err session_begin(struct session *s, struct why *why) {
	memset(s, 0, sizeof *s);
	s->folder.state = s->folder.cache = -1;
	enum err e = statefolder_open(&s->folder, true, why);
	if (!e) e = make_secrets(s, why);
	if (e) session_close(s);
	return e;
}

enum err session_open_store(struct session *s, const char *at, struct why *why) {
	char path[PATHS_MAX];
	enum err e;
	if (at) {
		e = session_absolute(at, path, why);
	} else {
		e = statefolder_get_store(&s->folder, path, why);
		if (e == E_NOTFOUND)
			e = why_set(why, e, "no store is remembered here: say which with --at DIR");
	}
	if (!e) e = embedded_open(path, &s->store, why);
	return e;
}

/* Opens the key store; asks for the passphrase only if it has one. */
static enum err open_keys(struct session *s, const struct session_open *o, struct why *why) {
	struct buf bytes;
	bool is_protected = false;
	uint8_t *passphrase = NULL;
	size_t len = 0;
	buf_init(&bytes, 1 << 16);
	enum err e = statefolder_get_keys(&s->folder, &bytes, why);
	if (e == E_NOTFOUND)
		e = why_set(why, e,
			"this device has no account yet: run broch init, or broch recover with your kit");
	if (!e) {
		e = keystorecrypt_is_protected(&is_protected, buf_span(&bytes));
		if (e)
			e = why_set(why, e == E_UNSUPPORTED ? e : E_FORGED, "the key store %s/keys is damaged",
				s->folder.state_path);
	}
	if (!e && is_protected) {
		passphrase = secretmem_alloc(SESSION_PASSPHRASE_MAX);
		e = passphrase ? o->passphrase(o->ctx, passphrase, SESSION_PASSPHRASE_MAX, &len, why)
					   : why_err(why, E_NOMEM, "making room for the passphrase");
		s->is_locked = e == E_DENIED;
	}
	struct span given = span_of(passphrase, len);
	if (!e) {
		e = keystorecrypt_open(&s->secrets->keys, buf_span(&bytes), is_protected ? &given : NULL);
		s->is_locked = e == E_DENIED;
		if (e == E_DENIED) e = why_set(why, e, "wrong passphrase");
		else if (e)
			e = why_set(why, e == E_NOMEM ? e : E_FORGED, "the key store %s/keys is damaged",
				s->folder.state_path);
	}
	if (!e) {
		account_actor_device(&s->secrets->actor, &s->secrets->keys.keys);
		fresh_set_device(&s->secrets->fresh, &s->secrets->keys.keys.secret);
	}
	secretmem_free(passphrase);
	buf_free(&bytes);
	return e;
}

/* Whether the store that is open is the one that this device remembers, by whatever path it was given. */
static bool is_remembered(const struct session *s) {
	char path[PATHS_MAX], *whole;
	if (statefolder_get_store(&s->folder, path, NULL)) return false;
	whole = realpath(path, NULL);
	bool same = strcmp(whole ? whole : path, store_address(s->store)) == 0;
	free(whole); /* realpath's own malloc */
	return same;
}

/*
 * A store that was set back must not pass for a mirror, which may be behind, by taking another id: under the remembered
 * path the id is the one it always was.
 */
static enum err check_store_id(
	const struct session *s, const struct session_open *o, struct why *why) {
	struct hash known;
	if (!is_remembered(s)) return OK;
	enum err e = statefolder_get_store_id(&s->folder, &known, why);
	if (e == E_NOTFOUND) return statefolder_put_store_id(&s->folder, store_id(s->store), why);
	if (e || hash_equal(&known, store_id(s->store)) || o->may_lag) return e;
	return why_set(why, E_ROLLBACK,
		"%s is another store than this device knew there (the file broch-store in it says another id): was it replaced, or is another disk mounted?",
		store_address(s->store));
}

enum err session_accept_store(const struct session *s, struct why *why) {
	return is_remembered(s) ? statefolder_put_store_id(&s->folder, store_id(s->store), why) : OK;
}

/* The home was moved here, by another device: from now on this is the remembered store. */
static enum err follow_home(struct session *s, struct why *why) {
	struct hash known;
	if (!s->account.is_home || is_remembered(s)) return OK;
	if (statefolder_get_store_id(&s->folder, &known, NULL)) return OK;
	if (hash_equal(&known, store_id(s->store))) return OK; /* the same store by two paths */
	enum err e = statefolder_put_store(&s->folder, store_address(s->store), why);
	return e ? e : statefolder_put_store_id(&s->folder, store_id(s->store), why);
}

enum err session_open(struct session *s, const struct session_open *o, struct why *why) {
	memset(s, 0, sizeof *s);
	s->folder.state = s->folder.cache = -1;
	s->ignore_heads = o->ignore_heads;
	s->whole_chains = o->whole_chains;
	s->may_lag = o->may_lag;
	enum err e = statefolder_open(&s->folder, false, why);
	if (e == E_NOTFOUND)
		e = why_set(why, e,
			"this device has no account yet: run broch init, or broch recover with your kit");
	if (!e) e = make_secrets(s, why);
	if (!e && !statefolder_has_keys(&s->folder))
		e = why_set(why, E_NOTFOUND,
			"this device has no account yet: run broch init, or broch recover with your kit");
	if (!e) e = session_open_store(s, o->at, why);
	if (!e && !o->ignore_heads) e = check_store_id(s, o, why);
	if (!e) e = open_keys(s, o, why);
	struct account_open open = {
		.store = s->store,
		.folder = o->ignore_heads ? NULL : &s->folder,
		.has_anchor = !o->ignore_heads,
		.may_lag = o->may_lag,
	};
	if (!e) {
		open.fresh = &s->secrets->fresh;
		open.actor = &s->secrets->actor;
		open.id = s->secrets->keys.account;
		open.anchor = (struct head){ .seq = s->secrets->keys.anchor_sequence,
			.hash = s->secrets->keys.anchor_head };
		e = account_open(&s->account, &open, why);
		if (e == E_NOTFOUND)
			e = why_set(why, e, "the store %s does not hold this device's account",
				store_address(s->store));
	}
	if (!e) s->account_is_open = true;
	if (!e && !o->ignore_heads) e = follow_home(s, why);
	if (e) session_close(s);
	return e;
}

void session_close(struct session *s) {
	if (s->account_is_open) account_close(&s->account);
	s->account_is_open = false;
	store_free(s->store);
	s->store = NULL;
	if (s->secrets) fresh_done(&s->secrets->fresh);
	secretmem_free(s->secrets);
	s->secrets = NULL;
	statefolder_close(&s->folder);
}

enum err session_keep_keys(struct session *s, const struct span *passphrase, struct why *why) {
	uint8_t bytes[KEYSTORE_SIZE];
	enum err e = keystorecrypt_seal(bytes, &s->secrets->keys, passphrase, &s->secrets->fresh);
	if (e) return why_err(why, e, "sealing the key store");
	return statefolder_put_keys(&s->folder, span_of(bytes, sizeof bytes), why);
}
