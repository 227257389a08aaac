/*
 * Chains of entries that are signed and sealed as they should be, and say anything: the input is a list of steps, each a type,
 * a public part, one field altered, and a body. What is void must change nothing; nothing may upset the states.
 */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "core/vaultsummary.h"
#include "forge.h"
#include "format/limits.h"

enum { STEPS_MAX = 64, BODY_MAX = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct entrypublic public_of(const struct forge *f, uint8_t choice, struct hash *names) {
	static const uint8_t kinds[] = { ENTRYPUBLIC_NONE, ENTRYPUBLIC_ROTATE, ENTRYPUBLIC_HOME,
		ENTRYPUBLIC_INTENT, ENTRYPUBLIC_PURGE };
	struct entrypublic p = forge_public_of(kinds[choice % 5]);
	if (p.kind == ENTRYPUBLIC_ROTATE && f->chains[CHAIN_VAULT].link.epoch >= FORGE_EPOCHS - 1)
		p.kind = ENTRYPUBLIC_NONE;
	if (p.kind == ENTRYPUBLIC_ROTATE && f->chains[CHAIN_ACCOUNT].link.epoch >= FORGE_EPOCHS - 1)
		p.kind = ENTRYPUBLIC_NONE;
	names->b[0] = (uint8_t)(1 + choice / 64);
	p.store = *names;
	p.intent = choice / 16;
	p.packs.listed = choice >= 128;
	p.packs.count = p.packs.listed ? 1024 + choice : 1;
	p.packs.list = *names;
	if (!p.packs.listed) p.packs.names.rows = hash_span(names);
	return p;
}

static void alter(struct forge *f, struct forge_draft *d, uint8_t which, uint8_t value) {
	const struct forge_device *devices[] = { &f->device, &f->second, &f->kit, &f->new_kit };
	switch (which % 16) {
	case 1: d->fault = (enum forge_fault)(value % (FORGE_LONGER + 1)); break;
	case 2: forge_by(f, d, devices[value % 4]); break;
	case 3: d->author = devices[value % 4]; break;
	case 4: d->inner.account_sequence = value; break;
	case 5: d->inner.account_head.b[value % 32] ^= 1; break;
	case 6: d->inner.account.b[value % 32] ^= 1; break;
	case 7: d->inner.own_sequence = value; break;
	case 8: d->inner.own_hash.b[value % 32] ^= 1; break;
	case 9: d->outer.seal = value % 3; break;
	case 10: d->outer.time = (int64_t)((uint64_t)value << 55); break;
	case 11:
		d->outer.class = ENTRY_CONTROL + value % 2;
		d->outer.role = value % 2 ? ROLE_WRITER : ROLE_ADMIN;
		d->access_role = (enum role)d->outer.role;
		break;
	case 12: f->now += value * FORGE_DAY; break;
	default: break;
	}
	if (d->fault == FORGE_PADDING) d->fault = FORGE_GOOD; /* not every part has padding */
}

static struct vaultbody summary_body(const struct forge *f) {
	struct vaultbody b = {
		.type = VAULTBODY_SUMMARY,
		.covers = f->vault.count - 1,
		.state = { .length = 1, .id = { { 1 } } },
		.state_index = { .pack = { { 1 } },
			.offset = SIZE_PACK_HEADER,
			.length = LIMIT_RECORD_LEAST },
	};
	forge_check(vaultsummary_hash(&f->vault, &b.state_hash) == OK, "no summary");
	return b;
}

/* A body of the input, or one that a writer makes. */
static void set_body(struct forge *f, struct forge_draft *d, uint8_t type, struct span body) {
	struct forge_room room;
	d->inner.type = type;
	forge_raw(&d->body, body.ptr, body.len);
	if (body.len) return;
	if (d->kind == CHAIN_VAULT) {
		if (type != VAULTBODY_SUMMARY) return;
		struct vaultbody b = summary_body(f);
		forge_vault_body(d, &b);
	} else if (type == ACCOUNTBODY_VAULT) {
		struct accountbody b = { .type = type,
			.vault = { .vault = f->vault.id, .role = ROLE_ADMIN, .name = span_text("main") } };
		forge_account_body(d, &b);
	} else if (type == ACCOUNTBODY_ADD_DEVICE) {
		struct accountbody b = forge_add_body(f, &room, &f->second, DEVICERECORD_FULL);
		forge_account_body(d, &b);
	} else if (type == ACCOUNTBODY_RECOVERY) {
		struct accountbody b = forge_recovery_body(&f->new_kit);
		forge_account_body(d, &b);
	}
}

static void check_order(const struct vaultstate *s) {
	for (size_t i = 1; i < s->policy_count; i++)
		forge_check(s->policies[i - 1].time <= s->policies[i].time, "policies out of order");
	for (size_t i = 1; i < s->intent_count; i++)
		forge_check(s->intents[i - 1].sequence < s->intents[i].sequence, "intents out of order");
	for (size_t i = 1; i < s->snapshot_count; i++)
		forge_check(s->snapshots[i - 1].sequence < s->snapshots[i].sequence, "snapshots");
}

/* What others ask of the states. */
static void ask(struct forge *f) {
	struct forge_room room;
	struct accountbody add = forge_add_body(f, &room, &f->second, DEVICERECORD_FULL);
	struct accountbody recovery = forge_recovery_body(&f->new_kit);
	const struct account_device *kit = accountstate_kit(&f->account);
	const struct account_vault *v = accountstate_vault(&f->account, &f->vault.id);
	forge_check(!kit || kit->kind == DEVICERECORD_KIT, "the kit is none");
	forge_check(!v || accountstate_vault_named(&f->account, span_of(v->name, v->name_len)),
		"a vault without its name");
	for (size_t i = 0; i < f->vault.snapshot_count; i++)
		forge_check(vaultstate_snapshot(&f->vault, &f->vault.snapshots[i].id), "a snapshot lost");
	err_ignore(accountstate_allows(&f->account, &add, &f->device.pub.id));
	err_ignore(accountstate_allows(&f->account, &recovery, &f->kit.pub.id));
}

static void give(struct forge *f, struct forge_draft *d) {
	struct hash account = forge_account_sum(&f->account), vault = forge_vault_sum(&f->vault);
	uint64_t voids = f->vault.void_count;
	bool is_account = d->kind == CHAIN_ACCOUNT;
	enum err e = forge_give(f, d);
	struct hash account_after = forge_account_sum(&f->account);
	struct hash vault_after = forge_vault_sum(&f->vault);
	forge_check(e == OK || e == E_FORGED || e == E_FORMAT || e == E_UNSUPPORTED ||
			e == E_ROLLBACK || e == E_DENIED,
		"an error that no entry leads to");
	if (e || !is_account) forge_check(hash_equal(&account, &account_after), "the account moved");
	if (e || is_account || f->vault.void_count != voids)
		forge_check(hash_equal(&vault, &vault_after), "the vault moved");
	check_order(&f->vault);
	ask(f);
}

/* One step; false at the end of the input. */
static bool step(struct forge *f, struct reader *r) {
	static const struct accountbody plain = { .type = ACCOUNTBODY_ROTATE };
	static const struct vaultbody word = { .type = VAULTBODY_ACCOUNT };
	struct forge_draft d;
	struct hash names = { { 0 } };
	uint8_t kind = reader_u8(r), type = reader_u8(r), choice = reader_u8(r), which = reader_u8(r);
	uint8_t value = reader_u8(r);
	struct span body = reader_bytes(r, BODY_MAX);
	if (r->bad) return false;
	struct entrypublic pub = public_of(f, choice, &names);
	if (kind % 2) {
		if (pub.kind > ENTRYPUBLIC_ROTATE) pub.kind = ENTRYPUBLIC_HOME;
		forge_account(f, &d, &plain, &pub);
		if (type == ACCOUNTBODY_RECOVERY || type == ACCOUNTBODY_VAULT) d.outer.seal = SEAL_BODY;
	} else {
		forge_vault(f, &d, &word, &pub);
		bool control = vaultbody_is_control(type);
		d.outer.class = control ? ENTRY_CONTROL : ENTRY_DATA;
		d.outer.role = control ? ROLE_ADMIN : ROLE_WRITER;
		d.access_role = (enum role)d.outer.role;
	}
	set_body(f, &d, type, body);
	alter(f, &d, which, value);
	give(f, &d);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct forge f;
	struct reader r = reader_over(span_of(data, size));
	forge_start(&f);
	for (int i = 0; i < STEPS_MAX && step(&f, &r); i++) continue;
	forge_done(&f);
	return 0;
}
