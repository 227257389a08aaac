/* Opening and writing to the account of a rawbox, as its device, as its kit or as somebody else, for tests of client/account. */
#ifndef TEST_ACCOUNTBOX_H
#define TEST_ACCOUNTBOX_H

#include "client/account.h"
#include "rawbox.h"

/* What keys of this device are made of; its actor. */
struct fresh *accountbox_fresh(struct rawbox *box);
const struct actor *accountbox_device(struct rawbox *box);

/* Who has the kit. */
struct actor accountbox_kit_actor(const struct kit_secret *kit);

/* How many entries the account's chain has in the store. */
uint64_t accountbox_length(struct rawbox *box);

/* Opens the account as the device's folder knows it, or (${folder} false) knowing nothing. */
enum err accountbox_try(struct rawbox *box, struct account *a, struct store *store,
	const struct actor *actor, bool folder, struct why *why);

/* The same; fails the test unless it is opened. */
void accountbox_open(struct rawbox *box, struct account *a, struct store *store,
	const struct actor *actor, bool folder);

/* What opening it comes to; it is closed again. */
enum err accountbox_result(
	struct rawbox *box, struct store *store, const struct actor *actor, bool folder);

/* Appends an entry that names the vault of that number; whether the account has it. */
enum err accountbox_append(struct rawbox *box, struct account *a, unsigned number, struct why *why);
bool accountbox_has_vault(const struct account *a, unsigned number);

/* Replaces the kit and goes no further: what a device that died right then leaves. The new kit. */
struct kit_secret accountbox_replace_kit(struct rawbox *box, struct account *a);

#endif
