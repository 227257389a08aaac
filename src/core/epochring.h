/*
 * The epochs of one chain: what each create or rotate entry states, and the secrets behind it as far as they were opened
 * (doc/spec/crypto.md section 5). Lies in secretmem. One thread may add and open epochs while others read those that there were: what they
 * were given stays where it is as long as the ring.
 */
#ifndef CORE_EPOCHRING_H
#define CORE_EPOCHRING_H

#include "crypto/hash.h"
#include "format/entrypublic.h"
#include "secret/box.h"

enum { EPOCHRING_MAX = 65536 };

struct epochring;

MUST_USE enum err epochring_new(
	struct epochring **out, enum chain_kind kind, const struct hash *birth);
void epochring_free(struct epochring *r);

/* The next epoch's public side, in order from 1. E_LIMIT, E_NOMEM. */
MUST_USE enum err epochring_add(struct epochring *r, const struct entrypublic_keys *keys);

uint32_t epochring_newest(const struct epochring *r); /* 0: none yet */
struct hash epochring_boxes(const struct epochring *r, uint32_t epoch);
const struct epoch_public *epochring_stated(const struct epochring *r, uint32_t epoch);
const uint8_t *epochring_kem_public(
	const struct epochring *r, uint32_t epoch); /* KEM_PUBLIC bytes */

/* One who may find a box: by id, and with these keys. */
struct epochring_recipient {
	struct hash id;
	struct kem_seed kem;
};

/*
 * Opens the newest epoch from its boxes object ${boxes}, trying every box with every recipient. A vault's root goes to
 * ${root} (NULL for an account). E_DENIED if no box opens; E_FORGED if what opened is not what the entry states.
 */
MUST_USE enum err epochring_open(struct epochring *r, struct span boxes,
	const struct epochring_recipient *recipients, size_t count, struct root_key *root);

/* Opens the epoch before the oldest open one, from the boxes object of that oldest. E_NOTFOUND if all are open. */
MUST_USE enum err epochring_open_previous(struct epochring *r, struct span boxes);

/* The oldest epoch that is open; 0 if none. */
uint32_t epochring_oldest_open(const struct epochring *r);

/* The secrets of an epoch. NULL if they are not open. */
const struct epoch_secrets *epochring_secrets(const struct epochring *r, uint32_t epoch);

/* Secrets that were just generated for the newest epoch (by who creates or rotates). */
void epochring_set(struct epochring *r, const struct epoch_secrets *secrets);

/* An epoch's KEM seed, derived. The caller wipes it. E_DENIED if the epoch is not open. */
MUST_USE enum err epochring_kem(const struct epochring *r, uint32_t epoch, struct kem_seed *out);

#endif
