// Writes the tree of a snapshot into a folder. Nothing is written outside of it, through a link, or over what is there: each
// directory is held open, and names are single components, looked up in it.

import * as fs from 'node:fs';
import { randomBytes } from 'node:crypto';
import { Attributes, HERE, inFolder, makeSpecial } from './attributes.mjs';
import * as f from './formats.mjs';
import { shown } from './say.mjs';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = fs.constants;
const O_PATH = 0o10000000; // Linux; Node does not name it
const OPEN_FOLDERS = 100;
const SET_ID = 0o6000;
// Extended attributes that only root can set, some only if allowed.
const KINDS = [
	{ prefix: 'security.capability', need: 'capabilities', name: 'capabilities' },
	{ prefix: 'trusted.', need: 'trusted', name: 'trusted attributes' },
	{ prefix: 'security.', need: null, name: 'security attributes' },
];

export class Extraction {
	// `allow`: a set of setuid, devices, capabilities, trusted. `say` prints a line for people.
	constructor(packs, { allow, say }) {
		Object.assign(this, { packs, allow, say, isRoot: process.geteuid() === 0 });
		this.counts = { files: 0, directories: 0, links: 0, specials: 0, bytes: 0n };
		this.left = new Map(); // what was not set, by class
		this.faults = { damaged: 0, failed: 0 };
		this.attributes = new Attributes((kind, message) => this.fail(kind, message));
		this.groups = new Map();
		this.stack = [];
		this.stash = null;
	}

	leave(kind) { this.left.set(kind, (this.left.get(kind) ?? 0) + 1); }
	fail(what, message) {
		this.faults.failed++;
		this.say(`${what}: ${message}`);
	}

	path(name) {
		return shown(Buffer.concat([...this.stack.slice(1).flatMap(x => [x.entry.name, Buffer.from('/')]), name]));
	}

	run(root, target) {
		fs.mkdirSync(target, { recursive: true });
		this.push(fs.openSync(target, O_RDONLY | O_DIRECTORY), null, this.packs.directory(root));
		while (this.stack.length > 0) {
			const top = this.stack.at(-1), next = this.next(top);
			if (next) this.make(top, next);
			else this.pop();
			this.attributes.flushIfMuch();
		}
	}

	next(level) {
		try {
			const { done, value } = level.entries.next();
			return done ? null : value;
		} catch (e) {
			this.damaged(HERE, e);
			return null;
		}
	}

	damaged(name, e) {
		if (!e.fault) throw e;
		this.faults.damaged++;
		this.say(`${this.path(name)}: ${e.message}`);
	}

	// --- directories

	push(fd, entry, entries) {
		this.stack.push({ fd, entry, entries, id: identity(fd) });
		const far = this.stack.at(-1 - OPEN_FOLDERS);
		if (far && far !== this.stack[0] && far.fd !== null) {
			this.attributes.closeFolder(far.fd);
			far.fd = null;
		}
	}

	pop() {
		const { fd, entry } = this.stack.pop(), above = this.stack.at(-1);
		if (above && above.fd === null) {
			above.fd = fs.openSync(inFolder(fd, Buffer.from('..')), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
			if (identity(above.fd) !== above.id) throw new Error(`${this.path(HERE)}: was moved meanwhile`);
		}
		if (entry) this.finishFolder(fd, entry);
		else this.finishTarget(fd);
	}

	finishFolder(fd, e) {
		this.setXattrs(fd, HERE, e);
		this.attributes.time(fd, HERE, e.mtime);
		this.attributes.afterwards(() => {
			const owned = this.own(e, (u, g) => fs.fchownSync(fd, u, g));
			this.attributes.attempt('mode', () => fs.fchmodSync(fd, this.mode(e, owned)));
		});
		this.attributes.closeFolder(fd);
	}

	finishTarget(fd) {
		this.attributes.flush();
		if (this.stash) {
			for (const name of fs.readdirSync(inFolder(this.stash.fd, HERE), 'buffer')) fs.unlinkSync(inFolder(this.stash.fd, name));
			fs.closeSync(this.stash.fd);
			fs.rmdirSync(inFolder(fd, this.stash.name));
		}
		fs.closeSync(fd);
	}

	// --- entries

	make(level, e) {
		const { fd } = level;
		if (e.type === f.VAULT_LINK || e.type < 1 || e.type > 6) {
			this.leave('entries of a type that is not known');
			this.say(`${this.path(e.name)}: type ${e.type}, not extracted`);
			return;
		}
		try {
			if (e.type === f.DIRECTORY) this.makeFolder(fd, e);
			else if (!this.link(fd, e)) this.makeOther(fd, e);
		} catch (fault) {
			if (fault.fault) this.damaged(e.name, fault);
			else this.fail(this.path(e.name), fault.message);
		}
	}

	makeFolder(fd, e) {
		fs.mkdirSync(inFolder(fd, e.name), 0o700);
		this.counts.directories++;
		this.push(fs.openSync(inFolder(fd, e.name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW), e, this.packs.directory(e.stream));
	}

	makeOther(fd, e) {
		if (e.type === f.FILE) this.makeFile(fd, e);
		else if (e.type === f.SYMLINK) this.makeLink(fd, e);
		else if (!this.makeSpecial(fd, e)) return;
		this.attributes.time(fd, e.name, e.mtime);
		if (e.group) this.remember(fd, e);
	}

	makeFile(fd, e) {
		const path = inFolder(fd, e.name), file = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
		let held = false;
		try {
			this.write(file, e);
			const owned = this.own(e, (u, g) => fs.fchownSync(file, u, g)), mode = this.mode(e, owned);
			// An attribute of a file that its owner may not write needs the mode to come last.
			if (this.setXattrs(fd, e.name, e)) {
				held = true;
				this.attributes.afterwards(() => {
					this.attributes.attempt('mode', () => fs.fchmodSync(file, mode));
					fs.closeSync(file);
				}, true);
			} else {
				fs.fchmodSync(file, mode);
			}
			this.counts.files++;
			if (e.changed) this.say(`${this.path(e.name)}: changed while it was backed up`);
		} catch (fault) {
			fs.unlinkSync(path);
			throw fault;
		} finally {
			if (!held) fs.closeSync(file);
		}
	}

	write(file, e) {
		let at = 0n, hole = 0;
		const skip = () => { while (e.holes[hole]?.at === at) at += e.holes[hole++].length; };
		if (e.size > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('too large for this program');
		for (const piece of this.packs.content(e.stream)) {
			for (let done = 0; done < piece.length;) {
				skip();
				const until = e.holes[hole] ? Number(e.holes[hole].at - at) : Infinity;
				const n = fs.writeSync(file, piece, done, Math.min(piece.length - done, until), Number(at));
				done += n;
				at += BigInt(n);
			}
			this.counts.bytes += BigInt(piece.length);
		}
		if (e.holes.length > 0) fs.ftruncateSync(file, Number(e.size));
	}

	makeLink(fd, e) {
		fs.symlinkSync(e.target, inFolder(fd, e.name));
		this.own(e, (u, g) => fs.lchownSync(inFolder(fd, e.name), u, g));
		this.setXattrs(fd, e.name, e);
		this.counts.links++;
	}

	makeSpecial(fd, e) {
		const isDevice = e.type !== f.FIFO;
		if (isDevice && !(this.isRoot && this.allow.has('devices'))) {
			this.leave('devices');
			return false;
		}
		makeSpecial(fd, e.name, { [f.FIFO]: 'p', [f.CHARACTER]: 'c', [f.BLOCK]: 'b' }[e.type], e);
		const owned = this.own(e, (u, g) => fs.lchownSync(inFolder(fd, e.name), u, g));
		changeMode(fd, e.name, this.mode(e, owned));
		this.setXattrs(fd, e.name, e);
		this.counts.specials++;
		return true;
	}

	// --- hard links: the first member of a group gets one more name, in a folder that is removed at the end

	remember(fd, e) {
		if (!this.stash) this.stash = this.makeStash(this.stack[0].fd);
		const name = Buffer.from(e.group.toString('hex'));
		if (this.groups.has(name.toString())) return;
		fs.linkSync(inFolder(fd, e.name), inFolder(this.stash.fd, name));
		this.groups.set(name.toString(), { type: e.type, content: e.content });
	}

	makeStash(fd) {
		const name = Buffer.from(`.broch-reader-${randomBytes(8).toString('hex')}`);
		fs.mkdirSync(inFolder(fd, name), 0o700);
		return { name, fd: fs.openSync(inFolder(fd, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW) };
	}

	link(fd, e) {
		const name = e.group?.toString('hex'), first = this.groups.get(name);
		if (!first) return false;
		if (first.type !== e.type || !first.content.equals(e.content)) {
			this.say(`${this.path(e.name)}: was changed between its hard links, extracted by itself`);
			this.leave('hard links');
			return false;
		}
		try {
			fs.linkSync(inFolder(this.stash.fd, Buffer.from(name)), inFolder(fd, e.name));
		} catch (fault) {
			if (fault.code !== 'EMLINK') throw fault;
			this.leave('hard links');
			return false;
		}
		if (e.type === f.FILE) this.counts.files++;
		return true;
	}

	// --- owner, mode, attributes

	// Whether the owner is now as it was.
	own(e, set) {
		try {
			set(e.uid, e.gid);
			return true;
		} catch (fault) {
			if (this.isRoot) this.fail('owner', fault.message);
			this.leave('owners');
			return false;
		}
	}

	mode(e, owned) {
		if (e.type === f.DIRECTORY || (e.mode & SET_ID) === 0 || (owned && this.allow.has('setuid'))) return e.mode;
		this.leave('set-user-id and set-group-id bits');
		return e.mode & ~SET_ID;
	}

	// Whether any is to be set.
	setXattrs(fd, name, e) {
		const list = e.xattrs.filter(x => {
			const kind = KINDS.find(k => x.name.toString('latin1').startsWith(k.prefix));
			if (!kind || (this.isRoot && (!kind.need || this.allow.has(kind.need)))) return true;
			this.leave(kind.name);
			return false;
		});
		this.attributes.xattr(fd, name, list);
		return list.length > 0;
	}
}

// Changes the mode of something that is not to be opened, and of nothing that took its place.
function changeMode(fd, name, mode) {
	const held = fs.openSync(inFolder(fd, name), O_PATH | O_NOFOLLOW);
	try {
		if (fs.fstatSync(held).isSymbolicLink()) throw new Error('became a link meanwhile');
		fs.chmodSync(`/proc/self/fd/${held}`, mode);
	} finally {
		fs.closeSync(held);
	}
}

function identity(fd) {
	const s = fs.fstatSync(fd, { bigint: true });
	return `${s.dev} ${s.ino}`;
}
