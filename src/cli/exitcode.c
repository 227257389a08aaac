#include "cli/exitcode.h"

enum exitcode exitcode_of(enum err e) {
	switch (e) {
	case OK: return EXITCODE_OK;
	case E_NOTFOUND: return EXITCODE_NOTFOUND;
	case E_FORMAT:
	case E_FORGED: return EXITCODE_DAMAGED;
	case E_ROLLBACK: return EXITCODE_ROLLBACK;
	case E_DENIED: return EXITCODE_DENIED;
	case E_USAGE: return EXITCODE_USAGE;
	case E_CANCELLED: return EXITCODE_INTERRUPTED;
	case E_NOMEM:
	case E_IO:
	case E_BUSY:
	case E_EXISTS:
	case E_LIMIT:
	case E_UNSUPPORTED:
	case E_COUNT: break;
	}
	return EXITCODE_ERROR;
}
