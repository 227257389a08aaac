// doc/spec/chains.md section 1 and crypto.md section 5: what can be checked of a chain without a key, and the secrets of its
// epochs.

import * as c from './crypto.mjs';
import * as epochs from './epochs.mjs';
import { ACCOUNT, ADMIN, CONTROL, GRANT, VAULT, WRITER, boxes, entry, publicPart } from './chainformats.mjs';
import { Fault, forged, missing, refused } from './fault.mjs';

export const NONE = 0, CREATE = 1, ROTATE = 2, INTENT = 3, PURGE = 4, HOME = 6;
const CONTROL_PUBLIC = [NONE, CREATE, ROTATE, HOME], DATA_PUBLIC = [NONE, INTENT, PURGE];

// doc/spec/chains.md section 1. The tests make them smaller.
export const MAXIMA = { epochs: 65536, entries: { [ACCOUNT]: 16777216n, [VAULT]: 67108864n } };

// Reads and verifies a chain: { id, kind, birth, entries, epochs: keys by number, epoch: the newest }. Each entry has besides its
// fields hash, outerHash and `public` decoded.
export function readChain(store, id, kind) {
	const stored = store.chain(id), chain = { id, kind, birth: null, entries: [], epochs: [], epoch: 0 };
	const name = `${kind === ACCOUNT ? 'account' : 'vault'} chain ${id.toString('hex').slice(0, 8)}`;
	if (stored.length === 0n) missing(`${name} is empty`);
	if (stored.length > MAXIMA.entries[kind]) refused(`${name} has more entries than a chain can have`);
	let control = null;
	for (let sequence = 0n; sequence < stored.length; sequence++) {
		const e = firstGood(stored.at(sequence), bytes => follow(chain, control, bytes), `${name}, entry ${sequence}`);
		if (e.public.keys) chain.epochs[e.epoch] = e.public.keys;
		if (e.epoch > MAXIMA.epochs) refused(`${name} has more epochs than a chain can have`);
		chain.epoch = e.epoch;
		chain.birth ??= e.public.birth;
		if (e.class === CONTROL) control = e;
		chain.entries.push(e);
	}
	return chain;
}

// What `read` makes of the first copy that it accepts; the first fault if it accepts none.
function firstGood(copies, read, what) {
	let first;
	try {
		for (const bytes of copies) {
			try {
				return read(bytes);
			} catch (e) {
				if (!e.fault) throw e;
				first ??= e;
			}
		}
	} catch (e) {
		if (!e.fault) throw e;
		first ??= e;
	}
	throw new Fault(first.code === 'malformed' ? 'forged' : first.code, `${what}: ${first.message}`);
}

function follow(chain, control, bytes) {
	const e = entry(bytes), before = chain.entries.at(-1);
	const must = (right, why) => { if (!right) forged(`does not follow: ${why}`); };
	e.hash = c.H('broch 1 entry', bytes);
	e.outerHash = c.H('broch 1 entry outer', e.outer);
	const { part, unknown } = publicOf(e);
	e.public = part;
	must(e.kind === chain.kind, 'kind of chain');
	must(e.sequence === BigInt(chain.entries.length), 'sequence');
	if (!before) must(c.equal(e.hash, chain.id), 'the hash of the first entry is not the id');
	else followsHashes(e, before, control, chain, must);
	const created = e.public.kind === CREATE, rotated = e.public.kind === ROTATE;
	must(created === !before, 'create entry');
	must(e.epoch === chain.epoch + (created || rotated ? 1 : 0), 'epoch');
	must(e.class === CONTROL ? e.role === ADMIN : e.role === WRITER || e.role === GRANT, 'role');
	must(unknown || (e.class === CONTROL ? CONTROL_PUBLIC : DATA_PUBLIC).includes(e.public.kind), 'public part');
	must(e.role !== GRANT, 'there is no such grant');
	const keys = created ? e.public.keys : chain.epochs[chain.epoch];
	must(c.verify(e.role === ADMIN ? keys.admin : keys.writer, 'broch 1 entry access', e.signed, e.signature), 'access signature');
	if (unknown) throw unknown;
	return e;
}

// Decodes the public part. That it is of a later version is told only of an entry that is signed.
function publicOf(e) {
	try {
		return { part: publicPart(e.public), unknown: null };
	} catch (fault) {
		if (fault.code !== 'unsupported') throw fault;
		return { part: { kind: e.public[0] }, unknown: fault };
	}
}

function followsHashes(e, before, control, chain, must) {
	must(c.equal(e.chain, chain.id), 'chain id');
	must(c.equal(e.previous, before.hash), 'hash of the entry before');
	must(e.controlSequence === control.sequence && c.equal(e.controlHash, control.hash), 'control entry');
	must(e.time >= before.time, 'time');
}

// Opens this chain's newest box with one of the seeds ({ seed, recipient }), then the wraps back to epoch 1. Returns
// { keys: derived keys by epoch, box: the newest }, or null if no box opens.
export function openEpochs(store, chain, seeds) {
	const objects = [];
	const object = epoch => (objects[epoch] ??= boxesOf(store, chain, epoch));
	const box = findBox(chain, object(chain.epoch), seeds);
	if (!box) return null;
	const keys = [];
	for (let epoch = chain.epoch, S = box.S; epoch >= 1; epoch--) {
		const e = keys[epoch] = epochs.derive(chain.birth, epoch, S);
		const isNewest = epoch === chain.epoch;
		const more = chain.kind === ACCOUNT ? { W: S, A: S } : isNewest ? box : {};
		epochs.check(e, chain.epochs[epoch], more);
		if (epoch > 1) S = epochs.unwrap(e, object(epoch).wrap);
	}
	return { keys, box };
}

function boxesOf(store, chain, epoch) {
	const what = `boxes of epoch ${epoch}`, b = boxes(store.object(chain.epochs[epoch].boxes, what));
	return b.epoch === epoch ? b : forged(`${what}: of another epoch`);
}

// A tag only helps those who search; all boxes are tried.
function findBox(chain, { rows }, seeds) {
	for (const { seed, recipient } of seeds) {
		for (const { box } of rows) {
			try {
				return epochs.openBox(seed, { birth: chain.birth, epoch: chain.epoch, recipient }, chain.kind, box);
			} catch (e) {
				if (e.code !== 'forged') throw e;
			}
		}
	}
	return null;
}

export { ACCOUNT, VAULT };
