// An embedded store as a folder (doc/spec/formats.md section 12): reads whole files and parts of packs, checks nothing but
// names and sizes.

import * as fs from 'node:fs';
import { join } from 'node:path';
import { equal, hash } from './crypto.mjs';
import { segment, storeMark } from './chainformats.mjs';
import { PACK_MAX } from './formats.mjs';
import { forged, malformed, missing } from './fault.mjs';

const OBJECT_MAX = 16777216, SEGMENT_MAX = 256 * (262144 + 4), ENTRY_MAX = 262144;
const SEGMENT = 256n;

const hex16 = n => n.toString(16).padStart(16, '0');

// The whole file, or null if there is none.
function read(path, max) {
	let fd;
	try {
		fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
	} catch (e) {
		if (e.code === 'ENOENT') return null;
		throw e;
	}
	try {
		const stat = fs.fstatSync(fd);
		if (!stat.isFile() || stat.size > max) malformed(`${path}: no file of at most ${max} bytes`);
		return fs.readFileSync(fd);
	} finally {
		fs.closeSync(fd);
	}
}

export class Store {
	constructor(folder) {
		this.folder = folder;
		this.id = storeMark(read(join(folder, 'broch-store'), 4096) ?? missing(`${folder}: no Broch store`));
	}

	locator(name) { return read(join(this.folder, 'locators', name.toString('hex')), 65536); }

	// A write-once object, which has the hash that is its name.
	object(name, what) {
		const path = join(this.folder, 'objects', name.toString('hex'));
		const bytes = read(path, OBJECT_MAX) ?? missing(`${what}: ${path} is missing`);
		return equal(hash(bytes), name) ? bytes : forged(`${what}: ${path} is not what its name says`);
	}

	// The copies of the entries of a chain: chain.length of them, from 0 on, and at(sequence) gives those of one.
	chain(id) {
		const folder = join(this.folder, 'chains', id.toString('hex'));
		let names;
		try { names = fs.readdirSync(folder); } catch (e) {
			if (e.code === 'ENOENT') missing(`${folder} is missing`);
			throw e;
		}
		const length = names.filter(n => /^[0-9a-f]{16}$/.test(n)).reduce((most, n) => {
			const after = BigInt('0x' + n) + 1n;
			return after > most ? after : most;
		}, 0n);
		return { length, at: sequence => copies(folder, sequence) };
	}

	packNames(vault) {
		const folder = join(this.folder, 'packs', vault.toString('hex'));
		const list = f => { try { return fs.readdirSync(f); } catch { return []; } };
		return list(folder).filter(d => /^[0-9a-f]{2}$/.test(d))
			.flatMap(d => list(join(folder, d)).filter(n => /^[0-9a-f]{64}$/.test(n) && n.startsWith(d)));
	}

	// An open pack: { length, read(offset, length), close() }.
	pack(vault, name) {
		const path = join(this.folder, 'packs', vault.toString('hex'), name.slice(0, 2), name);
		let fd;
		try {
			fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
		} catch (e) {
			return missing(`pack ${name}: ${e.code}`);
		}
		const length = fs.fstatSync(fd).size;
		return { name, length, read: (offset, n) => readPart(fd, offset, n, length, name), close: () => fs.closeSync(fd) };
	}
}

// The entry's own file first, then the copy in its segment.
function* copies(folder, sequence) {
	const own = read(join(folder, hex16(sequence)), ENTRY_MAX);
	if (own) yield own;
	const first = sequence - (sequence % SEGMENT), path = join(folder, hex16(first) + '.seg');
	const joined = read(path, SEGMENT_MAX);
	if (joined) yield segment(joined)[Number(sequence - first)];
	else if (!own) missing(`${join(folder, hex16(sequence))} is missing`);
}

function readPart(fd, offset, n, length, name) {
	if (length > PACK_MAX || offset + n > length) malformed(`pack ${name}: is not as long as it should be`);
	const out = Buffer.alloc(n);
	for (let done = 0; done < n;) {
		const got = fs.readSync(fd, out, done, n - done, offset + done);
		if (got === 0) malformed(`pack ${name}: ends too early`);
		done += got;
	}
	return out;
}
