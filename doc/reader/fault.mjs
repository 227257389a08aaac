// The one kind of error this program makes itself. `code`: forged (does not authenticate), malformed (not in its one
// encoding), unsupported (of a later version, or reserved), missing, rollback, kit, refused (the machine or the user).

export class Fault extends Error {
	constructor(code, message) {
		super(message);
		this.code = code;
		this.fault = true;
	}
}

export const forged = what => { throw new Fault('forged', what); };
export const malformed = what => { throw new Fault('malformed', what); };
export const unsupported = what => { throw new Fault('unsupported', what); };
export const missing = what => { throw new Fault('missing', what); };
export const refused = what => { throw new Fault('refused', what); };
