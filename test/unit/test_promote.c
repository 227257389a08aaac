/* client/promote: a mirror becomes the home, with the old home there or lost, at once or in two tries; or nothing changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/promote.h"
#include "clientbox.h"
#include "store/embedded.h"

static struct clientbox box;
static char mirror[SCRATCH_MAX], away[SCRATCH_MAX];
static struct session session;
static struct why why;
static const struct mirror_options options = { .threads = 1 };

static void open_at(const char *at, bool may_lag) {
	struct session_open o = { .at = at, .may_lag = may_lag };
	clientbox_ok(session_open(&session, &o, &why), &why);
}

static void put_file(const char *name) {
	clientbox_file(&box, name, name, strlen(name));
}

/* A vault with a snapshot, and a mirror of it; nothing is open. */
static int setup(void **state) {
	struct mirror_result r;
	(void)state;
	clientbox_new(&box, &clientbox_chunks, 0);
	scratch_join(mirror, box.folder, "mirror");
	scratch_join(away, box.folder, "away");
	struct backup_options o = clientbox_options(&box);
	put_file("one");
	(void)clientbox_backup(&box, &o);
	clientbox_ok(mirror_run(&box.session, mirror, &options, &r, &why), &why);
	assert_true(r.made);
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

/* Goes on at home, so that the mirror is behind. */
static void write_at_home(void) {
	struct vault_new n = { .name = "second", .hold = 0, .chunks = clientbox_chunks };
	open_at(NULL, false);
	clientbox_ok(vault_create(&session, &n, &why), &why);
	session_close(&session);
}

static enum err promote(struct promote_result *r) {
	why = (struct why){ OK, "" };
	enum err e = promote_run(&session, &options, r, &why);
	if (e) assert_int_equal(why.code, e);
	return e;
}

/* Whether what is remembered is the mirror, and is the home of the account and of all of its vaults. */
static void mirror_is_home(size_t vaults) {
	struct hash id;
	open_at(mirror, false);
	id = *store_id(session.store);
	session_close(&session);
	open_at(NULL, false);
	assert_true(hash_equal(store_id(session.store), &id));
	assert_true(session.account.is_home);
	assert_int_equal(session.account.state.vault_count, vaults);
	for (size_t i = 0; i < vaults; i++) {
		struct vault v;
		char name[LIMIT_VAULT_NAME + 1] = "";
		memcpy(
			name, session.account.state.vaults[i].name, session.account.state.vaults[i].name_len);
		clientbox_ok(vault_open(&v, &session, name, &why), &why);
		assert_true(v.is_home);
		clientbox_ok(vault_prepare_write(&v, &why), &why);
		vault_close(&v);
	}
	session_close(&session);
}

static uint64_t entries_in(const char *path) {
	struct store *s = NULL;
	uint64_t n = 0;
	clientbox_ok(embedded_open(path, &s, &why), &why);
	clientbox_ok(store_chain_length(s, &session.account.id, &n, &why), &why);
	store_free(s);
	return n;
}

static void with_the_home_there(void **state) {
	(void)state;
	struct promote_result r;
	write_at_home();
	open_at(mirror, true);
	assert_int_equal(promote(&r), OK);
	assert_true(r.home_was_there);
	assert_true(r.copied.entries > 0);
	assert_true(session.account.is_home);                        /* this session knows it too */
	assert_int_equal(entries_in(mirror), entries_in(box.store)); /* no fork: both say so */
	session_close(&session);
	mirror_is_home(2);
	/* the old home is a mirror */
	open_at(box.store, false);
	assert_false(session.account.is_home);
	session_close(&session);
}

static void what_is_the_home_already(void **state) {
	(void)state;
	struct promote_result r;
	open_at(NULL, true);
	uint64_t before = entries_in(box.store);
	assert_int_equal(promote(&r), E_EXISTS);
	assert_int_equal(entries_in(box.store), before);
	session_close(&session);
	open_at(mirror, true);
	assert_int_equal(promote(&r), OK);
	assert_int_equal(promote(&r), E_EXISTS);
	session_close(&session);
	mirror_is_home(1);
}

static void with_the_home_lost(void **state) {
	(void)state;
	struct promote_result r;
	assert_int_equal(rename(box.store, away), 0);
	open_at(mirror, true);
	assert_int_equal(promote(&r), OK);
	assert_false(r.home_was_there);
	assert_int_equal(r.copied.packs, 0);
	session_close(&session);
	mirror_is_home(1);
	/* it comes back: it is behind now, and not written to */
	assert_int_equal(rename(away, box.store), 0);
	open_at(box.store, false);
	assert_true(session.account.chain.lags);
	assert_false(session.account.is_home);
	session_close(&session);
}

/* What the home had and the mirror has not would be lost without a word. */
static void a_mirror_that_is_behind(void **state) {
	(void)state;
	struct promote_result r;
	char remembered[PATHS_MAX];
	write_at_home();
	assert_int_equal(rename(box.store, away), 0);
	open_at(mirror, true);
	uint64_t before = entries_in(mirror);
	assert_int_equal(promote(&r), E_ROLLBACK);
	assert_non_null(strstr(why.msg, "behind"));
	assert_int_equal(entries_in(mirror), before);
	clientbox_ok(statefolder_get_store(&session.folder, remembered, &why), &why);
	assert_string_equal(remembered, box.store);
	session_close(&session);
	assert_int_equal(rename(away, box.store), 0);
	open_at(mirror, true);
	assert_int_equal(promote(&r), OK);
	session_close(&session);
	mirror_is_home(2);
}

/* The account is level, one vault is behind: nothing is moved, the account neither. */
static void a_vault_that_is_behind(void **state) {
	(void)state;
	struct promote_result r;
	struct backup_options o;
	clientbox_again(&box, &box);
	o = clientbox_options(&box);
	put_file("two");
	(void)clientbox_backup(&box, &o);
	clientbox_again_done(&box);
	assert_int_equal(rename(box.store, away), 0);
	open_at(mirror, true);
	uint64_t before = entries_in(mirror);
	assert_int_equal(promote(&r), E_ROLLBACK);
	assert_int_equal(entries_in(mirror), before);
	session_close(&session);
}

/* Cut off after the account's entry: another try does the rest. */
static void in_two_tries(void **state) {
	(void)state;
	struct promote_result r;
	assert_int_equal(rename(box.store, away), 0);
	open_at(mirror, true);
	struct store *inner = session.store, *faulty = faulty_new(inner);
	assert_non_null(faulty);
	session.store = session.account.store = faulty;
	faulty_order(faulty,
		(struct faulty_order){
			.verb = FAULTY_CHAIN_APPEND, .nth = 2, .way = FAULTY_BEFORE, .error = E_IO });
	assert_int_equal(promote(&r), E_IO);
	assert_true(session.account.is_home);
	faulty_clear(faulty);
	session_close(&session); /* frees the faulty one */
	store_free(inner);
	open_at(mirror, true);
	assert_int_equal(promote(&r), OK);
	session_close(&session);
	mirror_is_home(1);
}

/* The second step by itself, for recover. */
static void the_vaults_alone(void **state) {
	(void)state;
	struct hash id;
	assert_int_equal(rename(box.store, away), 0);
	open_at(mirror, true);
	id = *store_id(session.store);
	clientbox_ok(account_move_home(&session.account, &id, &why), &why);
	clientbox_ok(promote_vaults(&session, &why), &why);
	clientbox_ok(promote_vaults(&session, &why), &why); /* once is enough */
	clientbox_ok(statefolder_put_store(&session.folder, mirror, &why), &why);
	session_close(&session);
	mirror_is_home(1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(with_the_home_there, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_the_home_already, setup, teardown),
		cmocka_unit_test_setup_teardown(with_the_home_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mirror_that_is_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(a_vault_that_is_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(in_two_tries, setup, teardown),
		cmocka_unit_test_setup_teardown(the_vaults_alone, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
