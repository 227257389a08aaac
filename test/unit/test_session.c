/* client/session: what stands between a device's folder and its account in a store, and every way in which they do not fit. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clientbox.h"
#include "store/embedded.h"
#include "storesuite.h"

static struct clientbox box;

/* The session is closed: each test opens it as it needs. */
static int setup(void **state) {
	(void)state;
	clientbox_new(&box, &clientbox_chunks, 0);
	vault_close(&box.vault);
	session_close(&box.session);
	store_free(box.inner);
	box.is_open = false;
	return 0;
}

static int teardown(void **state) {
	(void)state;
	clientbox_done(&box);
	return 0;
}

static struct session session;
static struct why why;

static enum err open_with(const struct session_open *o) {
	why = (struct why){ OK, "" };
	enum err e = session_open(&session, o, &why);
	if (e) assert_int_equal(why.code, e);
	return e;
}

static enum err open_at(const char *at) {
	return open_with(&(struct session_open){ .at = at });
}

/* Opens and closes. */
static enum err result(const char *at) {
	enum err e = open_at(at);
	if (!e) session_close(&session);
	return e;
}

static void says(const char *text) {
	if (!strstr(why.msg, text)) fail_msg("\"%s\" does not say \"%s\"", why.msg, text);
}

static char *in_home(char *out, const char *name) {
	return scratch_join(out, box.home, name);
}

static void copy_file(const char *from, const char *to) {
	char command[3 * SCRATCH_MAX];
	(void)snprintf(command, sizeof command, "cp -a '%s' '%s'", from, to);
	assert_int_equal(system(command), 0); /* NOLINT: paths of our own */
}

/* --- what fits */

static void it_opens(void **state) {
	(void)state;
	char link[SCRATCH_MAX];
	assert_int_equal(open_at(NULL), OK);
	assert_true(session.account_is_open);
	assert_true(session.account.is_home);
	assert_true(hash_equal(&session.account.id, &session.secrets->keys.account));
	assert_true(hash_equal(&session.secrets->actor.id, &session.secrets->keys.device));
	session_close(&session);
	session_close(&session); /* nothing is left to close */
	/* by its path, with slashes behind it, and by another path to it */
	assert_int_equal(result(box.store), OK);
	(void)snprintf(link, sizeof link, "%.200s//", box.store);
	assert_int_equal(result(link), OK);
	assert_int_equal(symlink("store", scratch_join(link, box.folder, "link")), 0);
	assert_int_equal(result(link), OK);
}

static void paths_are_made_absolute(void **state) {
	(void)state;
	char out[PATHS_MAX], here[SCRATCH_MAX], expected[PATHS_MAX + 8];
	char *longest = malloc(PATHS_MAX + 1);
	assert_non_null(longest);
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(session_absolute("/a/b///", out, &why), OK);
	assert_string_equal(out, "/a/b");
	assert_int_equal(session_absolute("/", out, &why), OK);
	assert_string_equal(out, "/");
	assert_int_equal(session_absolute("///", out, &why), OK);
	assert_string_equal(out, "/");
	/* no link is resolved, no dot taken out */
	assert_int_equal(session_absolute("/a/../b", out, &why), OK);
	assert_string_equal(out, "/a/../b");
	assert_int_equal(session_absolute("x/", out, &why), OK);
	(void)snprintf(expected, sizeof expected, "%s/x", here);
	assert_string_equal(out, expected);
	memset(longest, 'x', PATHS_MAX);
	longest[0] = '/';
	longest[PATHS_MAX] = '\0';
	assert_int_equal(session_absolute(longest, out, &why), E_LIMIT);
	longest[PATHS_MAX - 1] = '\0';
	assert_int_equal(session_absolute(longest, out, &why), OK);
	assert_int_equal(session_absolute(longest + 1, out, &why), E_LIMIT);
	assert_int_equal(open_at(longest + 1), E_LIMIT);
	free(longest);
}

/* --- what is not there */

static void no_account_on_this_device(void **state) {
	(void)state;
	char path[SCRATCH_MAX], away[SCRATCH_MAX];
	/* no folder at all, and nothing is made by looking */
	assert_int_equal(setenv("BROCH_HOME", scratch_join(path, box.folder, "other"), 1), 0);
	assert_int_equal(result(box.store), E_NOTFOUND);
	says("broch init");
	assert_int_equal(access(path, F_OK), -1);
	/* a folder without keys */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(result(box.store), E_NOTFOUND);
	says("broch init");
	assert_int_equal(setenv("BROCH_HOME", box.home, 1), 0);
	assert_int_equal(rename(in_home(path, "keys"), in_home(away, "keys.away")), 0);
	assert_int_equal(result(NULL), E_NOTFOUND);
	assert_int_equal(rename(away, path), 0);
	assert_int_equal(result(NULL), OK);
}

static void no_store_there(void **state) {
	(void)state;
	char path[SCRATCH_MAX], other[SCRATCH_MAX];
	struct hash id = { { 9 } };
	assert_int_equal(result(scratch_join(path, box.folder, "nothing")), E_NOTFOUND);
	says(path);
	assert_int_equal(result(box.src), E_NOTFOUND); /* a folder that is no store */
	/* a store without this account */
	clientbox_ok(embedded_create(scratch_join(other, box.folder, "store2"), &id, &why), &why);
	assert_int_equal(result(other), E_NOTFOUND);
	says("does not hold this device's account");
	assert_int_equal(unlink(in_home(path, "store")), 0);
	assert_int_equal(result(NULL), E_NOTFOUND);
	says("--at");
	assert_int_equal(result(box.store), OK);
}

/* --- the key store */

struct asked {
	const char *answer;
	enum err error;
	unsigned count;
};

static enum err answer(void *ctx, uint8_t *out, size_t room, size_t *len, struct why *reason) {
	struct asked *a = ctx;
	a->count++;
	if (a->error) return why_set(reason, a->error, "nobody answers");
	assert_int_equal(room, SESSION_PASSPHRASE_MAX);
	*len = strlen(a->answer);
	memcpy(out, a->answer, *len);
	return OK;
}

static enum err open_asking(struct asked *a) {
	a->count = 0;
	enum err e = open_with(&(struct session_open){ .passphrase = answer, .ctx = a });
	if (!e) session_close(&session);
	return e;
}

static void the_passphrase(void **state) {
	(void)state;
	struct span secret = span_text("correct horse");
	struct asked asked = { .answer = "correct horse" };
	/* it is not asked for where there is none */
	assert_int_equal(open_asking(&asked), OK);
	assert_int_equal(asked.count, 0);
	assert_int_equal(open_at(NULL), OK);
	clientbox_ok(session_keep_keys(&session, &secret, &why), &why);
	session_close(&session);
	assert_int_equal(open_with(&(struct session_open){ .passphrase = answer, .ctx = &asked }), OK);
	assert_int_equal(asked.count, 1);
	/* an empty one is refused, and what was kept stays */
	secret = span_of("", 0);
	assert_int_equal(session_keep_keys(&session, &secret, &why), E_USAGE);
	session_close(&session);
	asked.count = 0;
	asked.answer = "wrong horse";
	assert_int_equal(open_asking(&asked), E_DENIED);
	assert_string_equal(why.msg, "wrong passphrase");
	assert_int_equal(asked.count, 1);
	asked.error = E_DENIED;
	assert_int_equal(open_asking(&asked), E_DENIED);
	assert_string_equal(why.msg, "nobody answers");
	asked.error = E_CANCELLED;
	assert_int_equal(open_asking(&asked), E_CANCELLED);
}

static void a_key_store_that_is_damaged(void **state) {
	(void)state;
	char path[SCRATCH_MAX];
	struct buf keys;
	struct stat st;
	assert_int_equal(open_at(NULL), OK);
	buf_init(&keys, 1 << 16);
	clientbox_ok(statefolder_get_keys(&session.folder, &keys, &why), &why);
	session_close(&session);
	in_home(path, "keys");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	for (size_t at = 0; at < keys.len; at += keys.len / 11) {
		keys.ptr[at] ^= 0x40;
		scratch_write(path, keys.ptr, keys.len);
		struct asked asked = { .answer = "x" };
		enum err e = open_asking(&asked);
		assert_true(e == E_FORGED || (e == E_UNSUPPORTED && at < 8));
		says("key store");
		keys.ptr[at] ^= 0x40;
	}
	scratch_write(path, keys.ptr, keys.len - 1);
	assert_int_equal(result(NULL), E_FORGED);
	scratch_write(path, "", 0);
	assert_int_equal(result(NULL), E_FORGED);
	scratch_write(path, keys.ptr, keys.len);
	assert_int_equal(result(NULL), OK);
	buf_free(&keys);
}

/* --- the store that this device knew */

/* A copy of the store in ${out}; and, if ${id}, with an id of its own. */
static void copy_store(char *out, const char *name, const char *id) {
	char path[SCRATCH_MAX], text[128];
	copy_file(box.store, scratch_join(out, box.folder, name));
	if (!id) return;
	int n = snprintf(text, sizeof text, "broch store 1\nid %s\n", id);
	scratch_write(scratch_join(path, out, "broch-store"), text, (size_t)n);
}

static const char *const other_id =
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* What lies under the remembered path must be the store that it was, or be accepted. */
static void another_store_in_its_place(void **state) {
	(void)state;
	char copy[SCRATCH_MAX], link[SCRATCH_MAX], away[SCRATCH_MAX], remembered[SCRATCH_MAX];
	assert_int_equal(result(NULL), OK); /* from now on its id is known */
	copy_store(copy, "copy", other_id);
	assert_int_equal(rename(box.store, scratch_join(away, box.folder, "away")), 0);
	assert_int_equal(rename(copy, box.store), 0);
	assert_int_equal(result(NULL), E_ROLLBACK);
	says("another store than this device knew there");
	assert_int_equal(result(box.store), E_ROLLBACK);
	assert_int_equal(symlink("store", scratch_join(link, box.folder, "link")), 0);
	assert_int_equal(result(link), E_ROLLBACK);                /* by whatever path it is given */
	assert_int_equal(unlink(in_home(remembered, "store")), 0); /* or was remembered */
	scratch_write(remembered, link, strlen(link));
	assert_int_equal(result(NULL), E_ROLLBACK);
	assert_int_equal(result(box.store), E_ROLLBACK);
	/* promote and accept-older look at it all the same */
	assert_int_equal(open_with(&(struct session_open){ .may_lag = true }), OK);
	session_close(&session);
	assert_int_equal(result(NULL), E_ROLLBACK);
	assert_int_equal(open_with(&(struct session_open){ .ignore_heads = true }), OK);
	clientbox_ok(session_accept_store(&session, &why), &why);
	session_close(&session);
	assert_int_equal(result(NULL), OK);
	/* then it is the old one that is refused there */
	assert_int_equal(rename(box.store, copy), 0);
	assert_int_equal(rename(away, box.store), 0);
	assert_int_equal(result(NULL), E_ROLLBACK);
}

/* A store elsewhere is not taken for the remembered one, and accepting it changes nothing. */
static void a_store_elsewhere(void **state) {
	(void)state;
	char copy[SCRATCH_MAX];
	assert_int_equal(result(NULL), OK);
	copy_store(copy, "copy", other_id);
	assert_int_equal(open_at(copy), OK);
	assert_false(session.account.is_home);
	session_close(&session);
	assert_int_equal(open_with(&(struct session_open){ .at = copy, .ignore_heads = true }), OK);
	clientbox_ok(session_accept_store(&session, &why), &why);
	session_close(&session);
	assert_int_equal(open_at(NULL), OK);
	assert_true(session.account.is_home);
	assert_true(strstr(store_address(session.store), "/copy") == NULL);
	session_close(&session);
}

/* The home moved: who opens it by its path once finds it without from then on. */
static void a_home_that_moved(void **state) {
	(void)state;
	char copy[SCRATCH_MAX], remembered[PATHS_MAX];
	struct hash id;
	assert_int_equal(result(NULL), OK);
	copy_store(copy, "copy", other_id);
	assert_int_equal(open_at(copy), OK);
	id = *store_id(session.store);
	clientbox_ok(account_move_home(&session.account, &id, &why), &why);
	session_close(&session);
	assert_int_equal(open_at(NULL), OK); /* the old one, which is behind now */
	assert_true(session.account.chain.lags);
	session_close(&session);
	assert_int_equal(open_at(copy), OK);
	assert_true(session.account.is_home);
	clientbox_ok(statefolder_get_store(&session.folder, remembered, &why), &why);
	session_close(&session);
	assert_non_null(strstr(remembered, "/copy"));
	assert_int_equal(open_at(NULL), OK);
	assert_true(hash_equal(store_id(session.store), &id));
	session_close(&session);
}

/* The chain shorter than this device saw: only who says so gets in. */
static void a_store_that_was_set_back(void **state) {
	(void)state;
	char before[SCRATCH_MAX], command[4 * SCRATCH_MAX];
	struct vault_new n = { .name = "second", .hold = 0, .chunks = clientbox_chunks };
	copy_store(before, "before", NULL);
	assert_int_equal(open_at(NULL), OK);
	clientbox_ok(vault_create(&session, &n, &why), &why);
	session_close(&session);
	(void)snprintf(
		command, sizeof command, "rm -r '%s' && mv '%s' '%s'", box.store, before, box.store);
	assert_int_equal(system(command), 0); /* NOLINT */
	assert_int_equal(result(NULL), E_ROLLBACK);
	assert_int_equal(open_with(&(struct session_open){ .may_lag = true }), OK);
	assert_true(session.account.chain.lags);
	assert_false(session.account.is_home);
	session_close(&session);
	assert_int_equal(open_with(&(struct session_open){ .ignore_heads = true }), OK);
	assert_int_equal(session.account.state.vault_count, 1);
	session_close(&session);
	assert_int_equal(result(NULL), E_ROLLBACK);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_opens, setup, teardown),
		cmocka_unit_test_setup_teardown(paths_are_made_absolute, setup, teardown),
		cmocka_unit_test_setup_teardown(no_account_on_this_device, setup, teardown),
		cmocka_unit_test_setup_teardown(no_store_there, setup, teardown),
		cmocka_unit_test_setup_teardown(the_passphrase, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_store_that_is_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(another_store_in_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(a_home_that_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(a_store_that_was_set_back, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
