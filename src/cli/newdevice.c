#include "cli/newdevice.h"

#include <string.h>
#include <sys/utsname.h>

enum err newdevice_check(struct why *why) {
	struct statefolder f;
	enum err e = statefolder_open(&f, false, why);

	if (e == E_NOTFOUND) return OK;
	if (e) return e;
	if (statefolder_has_keys(&f))
		e = why_set(why, E_EXISTS, "this device has an account already, in %s", f.state_path);
	statefolder_close(&f);
	return e;
}

static void name_device(struct keystore *k) {
	struct utsname name;
	const char *text = uname(&name) ? "device" : name.nodename;
	size_t len = strnlen(text, KEYSTORE_NAME_MAX);

	memcpy(k->name, text, len);
	k->name_len = (uint8_t)len;
}

enum err newdevice_make(struct session *s, struct why *why) {
	struct keystore *k = &s->secrets->keys;
	enum err e = devicekeys_generate(&k->keys, &s->secrets->fresh);

	if (e) return why_err(why, e, "making keys");
	fresh_set_device(&s->secrets->fresh, &k->keys.secret);
	account_actor_device(&s->secrets->actor, &k->keys);
	k->device = s->secrets->actor.id;
	name_device(k);
	return OK;
}

enum err newdevice_open_account(struct session *s, struct why *why) {
	const struct keystore *k = &s->secrets->keys;
	struct account_open open = {
		.store = s->store,
		.folder = &s->folder,
		.fresh = &s->secrets->fresh,
		.actor = &s->secrets->actor,
		.id = k->account,
		.anchor = { .seq = k->anchor_sequence, .hash = k->anchor_head },
		.has_anchor = true,
	};
	enum err e = account_open(&s->account, &open, why);

	s->account_is_open = e == OK;
	return e;
}
