/*
 * What the parts of the embedded store share: the open folder, its paths, and putting files in
 * place.
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <sys/types.h>

#include "crypto/hash.h"
#include "os/mutex.h"
#include "os/why.h"

enum { FOLDER_PATH_MAX = 160, FOLDER_SEGMENT = 256 };

struct folder {
	int root;
	mode_t file_mode;
	mode_t folder_mode;
	struct mutex lock; /* over what follows */
	int tmp;
	bool broken;
};

/*
 * Over the store in ${path}; modes of new files follow the mode of that folder. E_NOTFOUND, E_IO,
 * E_DENIED.
 */
MUST_USE enum err folder_open(struct folder *f, const char *path, struct why *why);
void folder_close(struct folder *f);

/* A path below the root. */
struct folder_path {
	char text[FOLDER_PATH_MAX];
};
struct folder_path folder_vault(const struct hash *vault);
struct folder_path folder_pack_folder(const struct hash *vault, uint8_t first);
struct folder_path folder_pack(const struct hash *vault, const struct hash *name);
struct folder_path folder_chain(const struct hash *chain);
struct folder_path folder_entry(const struct hash *chain, uint64_t seq);
struct folder_path folder_segment(const struct hash *chain, uint64_t seq);
struct folder_path folder_thing(const char *folder, const struct hash *name);

/*
 * Puts a new file in place; its name is durable only after folder_sync of its folder. E_EXISTS if
 * other bytes are there; the same bytes there (whoever put them, by whatever call whose reply was
 * lost) are OK. With ${size_only} those there are told by their size alone. E_NOTFOUND if the
 * folder it goes to is not there.
 */
MUST_USE enum err folder_place(struct folder *f, const struct folder_path *path, struct span bytes,
	bool size_only, struct why *why);

/* Makes the folder and those above it, if missing. */
MUST_USE enum err folder_make(struct folder *f, const char *path, struct why *why);

/*
 * Makes the names in a folder durable. After a failure the store takes nothing more: folder_place
 * fails with E_IO.
 */
MUST_USE enum err folder_sync(struct folder *f, const char *path, struct why *why);

/* E_IO once a sync has failed. */
MUST_USE enum err folder_check(struct folder *f, struct why *why);

/*
 * Whether there is such a file: OK, E_NOTFOUND, or E_IO and E_DENIED when that cannot be told. Its
 * size to ${size}.
 */
MUST_USE enum err folder_look(
	struct folder *f, const struct folder_path *path, uint64_t *size, struct why *why);

/* Whether ${name} is one that files under tmp/ have. */
bool folder_is_temp(const char *name);

#endif
