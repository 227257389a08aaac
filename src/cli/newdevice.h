/* This machine as a device of an account that begins or that it joins: its name, its keys, the account opened. */
#ifndef CLI_NEWDEVICE_H
#define CLI_NEWDEVICE_H

#include "client/session.h"

/* E_EXISTS if this machine has an account. Makes nothing. */
MUST_USE enum err newdevice_check(struct why *why);

/* Fresh keys, a name, and the actor into ${s}, which session_begin made. E_IO. */
MUST_USE enum err newdevice_make(struct session *s, struct why *why);

/* Opens the account that the keys of ${s} name. */
MUST_USE enum err newdevice_open_account(struct session *s, struct why *why);

#endif
