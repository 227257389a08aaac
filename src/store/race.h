/*
 * Whether a file system can put a file in place only once, tried with processes that race for it.
 */
#ifndef STORE_RACE_H
#define STORE_RACE_H

#include "os/file.h"

/*
 * In the empty folder ${folder}, which is empty again afterwards. OK if exactly one of two processes
 * wins each time that they race to put different files at one place by ${way}. E_UNSUPPORTED if the
 * file system refuses that way, E_EXISTS if not exactly one wins, each with the reason; E_IO if it
 * could not be tried.
 */
MUST_USE enum err race_try(int folder, enum file_way way, struct why *why);

#endif
