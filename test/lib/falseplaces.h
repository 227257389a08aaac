/* Places at which nothing lies, as whoever may write to a vault can name them: to hide true ones behind. */
#ifndef TEST_FALSEPLACES_H
#define TEST_FALSEPLACES_H

#include "client/vault.h"

/* Appends an index, the newest, that has each chunk of the vault at more than PLACES_EACH places of a pack that is not there. */
void falseplaces_add(struct vault *v);

#endif
