/*
 * A forged vault chain and the draft of its next entry, for tests of core/vaultstate. Snapshots, packs and tags are named by small
 * numbers.
 */
#ifndef TEST_VAULTBOX_H
#define TEST_VAULTBOX_H

#include "forge.h"

struct vaultbox {
	struct forge f;
	struct forge_draft d;
	struct forge_room room; /* for forge_add_body */
};

/* For cmocka. */
int vaultbox_setup(void **state);
int vaultbox_teardown(void **state);

/* The id that number ${n} stands for. */
struct hash vaultbox_id(uint8_t n);

/* ${indexes} locations from pack number ${first} on, in ${rows}, which is made. */
struct locationlist vaultbox_locations(struct buf *rows, uint8_t first, size_t indexes);

/*
 * Drafts, to be given by one of the three at the end of this file, or dropped (forge_drop). ${count} packs from number ${first}
 * on, or ${indexes} locations as above. Intents and purges of more than 16 packs must be of more than
 * LIMIT_PACK_NAMES, and name a list.
 */
void vaultbox_draft(struct vaultbox *b, const struct vaultbody *body, uint8_t public_kind);
void vaultbox_plain(struct vaultbox *b, uint8_t type); /* nothing but its type */
void vaultbox_policy(struct vaultbox *b, uint64_t days);
void vaultbox_snapshot(struct vaultbox *b, uint8_t id, uint8_t first, size_t indexes);
void vaultbox_forget(struct vaultbox *b, const uint8_t *ids, size_t count); /* 8 at most */
void vaultbox_keep(struct vaultbox *b, uint8_t id, uint8_t first, size_t indexes);
void vaultbox_keep_intent(struct vaultbox *b, uint64_t sequence);
void vaultbox_index(struct vaultbox *b, uint8_t add, size_t added, uint8_t remove, size_t removed);
void vaultbox_tag(struct vaultbox *b, uint8_t id, const char *tag);
void vaultbox_intent(struct vaultbox *b, uint8_t first, uint64_t count);
void vaultbox_purge(struct vaultbox *b, uint64_t intent, uint8_t first, uint64_t count);

/* Gives the draft; fails the test unless it is taken, and neither void nor of unknown type. */
void vaultbox_take(struct vaultbox *b);

/* Fails the test unless it is taken and changes no snapshot, index, intent or purge. */
void vaultbox_no_effect(struct vaultbox *b);

/*
 * Fails the test unless it is void: a data entry keeps its place, is reported, and changes nothing; a control entry stops
 * (E_FORGED).
 */
void vaultbox_refuse(struct vaultbox *b);

#endif
