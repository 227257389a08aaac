/*
 * One JSON object for one line of output (doc/json.md). Building never fails visibly: an object that could not be
 * built is NULL or marked, every call takes that, and writing says so.
 */
#ifndef CLI_JSONL_H
#define CLI_JSONL_H

#include <stdint.h>

#include "base/buf.h"

enum { JSONL_MAX = 64 << 20 };

struct jsonl;

/* An object with "type". NULL: out of memory. */
struct jsonl *jsonl_new(const char *type);
void jsonl_free(struct jsonl *o);

/* A member each. Text that is not UTF-8 is escaped as on a terminal; for names use jsonl_bytes. */
void jsonl_text(struct jsonl *o, const char *key, struct span text);
void jsonl_number(struct jsonl *o, const char *key, uint64_t n); /* above 2^63 - 1: as that */
void jsonl_signed(struct jsonl *o, const char *key, int64_t n);
void jsonl_real(struct jsonl *o, const char *key, double n);
void jsonl_flag(struct jsonl *o, const char *key, bool on);
void jsonl_hex(struct jsonl *o, const char *key, struct span bytes); /* ids */
void jsonl_time(struct jsonl *o, const char *key, int64_t ns); /* 2006-01-02T15:04:05.000000000Z */

/*
 * A name or path: "${key}" with the text where it is UTF-8, else escaped, and then also "${key}_bytes" with the bytes
 * in hexadecimal.
 */
void jsonl_bytes(struct jsonl *o, const char *key, struct span name);

/*
 * An array of names: the first call makes it. As soon as one is not UTF-8 there is also "${key}_bytes", with the bytes of
 * each, in the same order.
 */
void jsonl_add_text(struct jsonl *o, const char *key, struct span text);

/* An array that stays empty if nothing is added. */
void jsonl_list(struct jsonl *o, const char *key);

/* Adds ${item} (taken, without its "type") to an array of objects, or puts it in as a member. */
void jsonl_add_object(struct jsonl *o, const char *key, struct jsonl *item);
void jsonl_object(struct jsonl *o, const char *key, struct jsonl *item);

/* Appends the object on one line with a newline. E_NOMEM, also where building failed before. */
MUST_USE enum err jsonl_write(const struct jsonl *o, struct buf *out);

#endif
