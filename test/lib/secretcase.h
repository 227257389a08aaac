/* What programs make of the fields of a casefile that have to do with secrets. */
#ifndef TEST_SECRETCASE_H
#define TEST_SECRETCASE_H

#include "casefile.h"
#include "crypto/hash.h"
#include "secret/fresh.h"

enum { SECRETCASE_OUT = 8192 }; /* the most bytes that a case makes */

struct hash secretcase_hash(const struct casefile_case *c, const char *field);

/* The field "public": KEM_PUBLIC bytes. */
const uint8_t *secretcase_public(const struct casefile_case *c);

/* What a case's run gives: OK, or E_COUNT if what was made is not what the case says. */
enum err secretcase_matches(bool good);

/* A source of secrets for the case's device, random bytes, clock and process. */
void secretcase_fresh(struct fresh *f, const struct casefile_case *c);

bool secretcase_all_zero(const uint8_t *p, size_t n);

#endif
