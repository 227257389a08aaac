#include "accountbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "storesuite.h"

struct fresh *accountbox_fresh(struct rawbox *box) {
	return &box->t.session.secrets->fresh;
}

uint64_t accountbox_length(struct rawbox *box) {
	uint64_t n = 0;
	assert_int_equal(store_chain_length(box->raw, &box->t.session.account.id, &n, NULL), OK);
	return n;
}

enum err accountbox_try(struct rawbox *box, struct account *a, struct store *store,
	const struct actor *actor, bool folder, struct why *why) {
	struct account_open o = {
		.store = store,
		.folder = folder ? &box->t.session.folder : NULL,
		.fresh = accountbox_fresh(box),
		.actor = actor,
		.id = box->t.session.account.id,
	};
	*why = (struct why){ OK, "" };
	enum err e = account_open(a, &o, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

void accountbox_open(struct rawbox *box, struct account *a, struct store *store,
	const struct actor *actor, bool folder) {
	struct why why;
	rawbox_ok(accountbox_try(box, a, store, actor, folder, &why), &why);
}

enum err accountbox_result(
	struct rawbox *box, struct store *store, const struct actor *actor, bool folder) {
	struct account a;
	struct why why;
	enum err e = accountbox_try(box, &a, store, actor, folder, &why);
	if (!e) account_close(&a);
	return e;
}

const struct actor *accountbox_device(struct rawbox *box) {
	return &box->t.session.secrets->actor;
}

struct actor accountbox_kit_actor(const struct kit_secret *kit) {
	struct kit_keys keys;
	struct actor out;
	kitkeys_derive(&keys, kit);
	account_actor_kit(&out, &keys);
	return out;
}

/* An entry that names a vault. */
struct named {
	char name[16];
	struct accountbody body;
};

static void name_vault(struct rawbox *box, struct named *n, unsigned number) {
	(void)snprintf(n->name, sizeof n->name, "vault %u", number);
	n->body = (struct accountbody){
		.type = ACCOUNTBODY_VAULT,
		.vault = {
			.vault = storesuite_id(number),
			.store = *store_id(box->store),
			.role = ROLE_ADMIN,
			.name = span_text(n->name),
			.anchor_hash = storesuite_id(number),
		},
	};
}

enum err accountbox_append(
	struct rawbox *box, struct account *a, unsigned number, struct why *why) {
	struct named n;
	name_vault(box, &n, number);
	*why = (struct why){ OK, "" };
	enum err e = account_append(a, &n.body, why);
	if (e) assert_int_equal(why->code, e);
	return e;
}

bool accountbox_has_vault(const struct account *a, unsigned number) {
	struct hash id = storesuite_id(number);
	return accountstate_vault(&a->state, &id) != NULL;
}

struct kit_secret accountbox_replace_kit(struct rawbox *box, struct account *a) {
	struct kit_secret kit;
	struct kit_keys keys;
	struct device_public pub;
	struct why why = { OK, "" };
	assert_int_equal(kitkeys_generate(&kit, accountbox_fresh(box)), OK);
	kitkeys_derive(&keys, &kit);
	kitkeys_public(&pub, &keys);
	struct accountbody body = {
		.type = ACCOUNTBODY_RECOVERY,
		.kit = account_record(&pub, DEVICERECORD_KIT, span_text("recovery kit"), 0),
	};
	rawbox_ok(account_append(a, &body, &why), &why);
	return kit;
}
