/*
 * The published ways to recover a chunker's secret from the cuts of one known file (eprint 2025/532 and 2025/558), each
 * turned on Broch's hash. Each fills ${out} with a chunker that cuts as the evidence says, as far as it can be explained,
 * and returns whether all of it can. Only cuts that the content made are evidence, not the maximum nor the file's end.
 */
#ifndef CHUNKERSOLVE_H
#define CHUNKERSOLVE_H

#include <stdbool.h>

#include "chunkerweak.h"

struct chunkersolve_evidence {
	const uint8_t *data;
	size_t len;
	const size_t *ends; /* of the chunks of data */
	size_t n;
};

/*
 * L01, borg's seeded table: ${table} is the secret one with one unknown word added to every entry. That adds one unknown
 * constant to every digest, so the masked bits are the same at every cut: the commonest value is the answer.
 */
bool chunkersolve_seed(
	struct chunkerweak *out, const struct chunkersolve_evidence *e, const uint64_t table[256]);

/*
 * L02, restic's secret polynomial: ${table} is known, the modulus is not. The masked bits of x^64 .. x^126 modulo it obey
 * a linear equation at each cut; solved, their lowest bits are a linear recurrence whose polynomial is the modulus.
 */
bool chunkersolve_modulus(
	struct chunkerweak *out, const struct chunkersolve_evidence *e, const uint64_t table[256]);

/*
 * L04, any hash linear in its key: nothing of the table is known. The data has only byte values below
 * CHUNKERSOLVE_LETTERS, so that the cuts of 64 MiB, 17 equations each, outnumber the unknown bits of their entries. What
 * is found may differ from the secret table by what changes no cut of any file: one constant that cancels.
 */
#define CHUNKERSOLVE_LETTERS 32
bool chunkersolve_table(struct chunkerweak *out, const struct chunkersolve_evidence *e);

#endif
