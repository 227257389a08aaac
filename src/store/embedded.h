/*
 * The store that is a folder of plain files (doc/spec/formats.md, section 12): on a disk, a stick,
 * a network mount. There is no database and no lock file; any number of processes use it at once.
 *
 * The order of syncs: a file's contents are written under tmp/ and synced, then get their name; the
 * folder of the name is synced before the call returns (entries, objects, locators) or by the next
 * store_flush (packs). A new folder is synced into the one above it when it is made. So after a
 * power cut there is no name without its contents, and no entry that names packs without the packs.
 */
#ifndef STORE_EMBEDDED_H
#define STORE_EMBEDDED_H

#include "store/store.h"

/*
 * Makes a store in the folder ${path}, which must be empty or not be there yet (the folder above
 * must). Tries with two racing processes that the file system can put a file in place only once, by
 * link or by rename; where it can do neither, E_UNSUPPORTED with the reason. E_EXISTS if the folder
 * is not empty, which is then left as it is. ${id}: 32 fresh random bytes. When it fails, what it
 * made is removed.
 */
MUST_USE enum err embedded_create(const char *path, const struct hash *id, struct why *why);

/*
 * Opens it; writes nothing (a medium that can only be read will do: what writes then fails with
 * E_IO). E_NOTFOUND if there is no store, E_UNSUPPORTED if it is of a later format, E_FORMAT if its
 * head is damaged. For store_free.
 */
MUST_USE enum err embedded_open(const char *path, struct store **out, struct why *why);

#endif
