// The chunks of a vault (doc/spec/formats.md sections 2, 3, 4 and 6): finds them by the indexes in force or, where these are
// damaged or ask for it, by the tables of all packs. A chunk is believed by its id alone.

import * as c from './crypto.mjs';
import * as epochs from './epochs.mjs';
import * as f from './formats.mjs';
import { byBytes } from './reading.mjs';
import { Fault, forged, malformed, missing, unsupported } from './fault.mjs';

const LIST = 3, SNAPSHOT = 4;
const OPEN_PACKS = 64, CACHED_BLOCKS = 64, CACHED_LEAVES = 1024;

// Keeps the `max` last used; `drop` gets those that go.
class Recent {
	constructor(max, drop = () => {}) { Object.assign(this, { max, drop, map: new Map() }); }
	get(key, make) {
		let value = this.map.get(key);
		if (value === undefined) value = make();
		this.map.delete(key);
		this.map.set(key, value);
		if (this.map.size > this.max) {
			const [oldest, old] = this.map.entries().next().value;
			this.map.delete(oldest);
			this.drop(old);
		}
		return value;
	}
}

export class Packs {
	// `warn` is told what is damaged and got round. `scan`: use no index.
	constructor(vault, { warn, scan = false }) {
		Object.assign(this, { vault, warn });
		this.idKeys = epochs.vaultKeys(vault.root, vault.id);
		this.packs = new Recent(OPEN_PACKS, pack => pack.close());
		this.blocks = new Recent(CACHED_BLOCKS);
		this.leaves = new Recent(CACHED_LEAVES);
		this.scanned = null;
		this.indexes = scan ? [] : vault.indexes.map(l => this.attempt(`index in pack ${l.pack.toString('hex')}`, () => this.loadIndex(l))).filter(Boolean).reverse();
	}

	// What `run` returns, or null with a warning if it is damaged.
	attempt(what, run) {
		try {
			return run();
		} catch (e) {
			if (!e.fault) throw e;
			this.warn(`${what}: ${e.message}`);
			return null;
		}
	}

	pack(name) {
		return this.packs.get(name, () => {
			const file = this.vault.store.pack(this.vault.id, name);
			try {
				const head = f.packHead(file.read(0, f.HEAD)), keys = this.vault.keys[head.epoch];
				if (!keys) forged(`pack ${name}: of an unknown epoch`);
				return { ...file, keys: epochs.packKeys(keys, this.vault.id, head) };
			} catch (e) {
				file.close();
				throw e;
			}
		});
	}

	record(name, offset, length) {
		const pack = this.pack(name);
		if (offset + length > pack.length - f.TRAILER) malformed(`pack ${name}: a record behind its end`);
		return epochs.openPart(pack.keys.record, offset, pack.read(offset, length), `pack ${name}, record at ${offset}`);
	}

	// The chunks of the block at a place: { pack, offset, length, rest: null or the place of the rest }.
	block({ pack, offset, length, rest }) {
		return this.blocks.get([pack, offset, length, rest?.pack, rest?.length].join(), () => {
			const pieces = [this.record(pack, offset, length)];
			if (rest) pieces.push(this.record(rest.pack, f.HEAD, rest.length));
			return f.block(f.expand(f.storedBlock(Buffer.concat(pieces))));
		});
	}

	indexBlock(place) {
		const chunks = this.block(place);
		return chunks.length === 1 ? chunks[0] : malformed('index block: several parts');
	}

	loadIndex(location) {
		const home = location.pack.toString('hex');
		const at = l => this.indexBlock({ ...l, pack: l.pack?.toString('hex') ?? home });
		const { parts, first } = f.indexPart0(at(location));
		const head = f.indexHead(Buffer.concat([first, ...parts.map(at)]));
		const name = p => (p === f.SAME_PACK ? home : head.packs[p].name.toString('hex'));
		const cuts = new Map(head.cuts.map(x => [`${name(x.pack)} ${x.offset}`, { pack: name(x.next), length: x.length }]));
		const leaves = head.leaves.map(l => ({ ...l, pack: name(l.pack) }));
		return { packs: head.packs, leaves, cuts };
	}

	leaf(place) {
		return this.leaves.get(`${place.pack} ${place.offset}`, () => {
			const rows = f.indexLeaf(this.indexBlock(place));
			if (rows.length !== place.entries || !rows[0].id.equals(place.first)) malformed('index leaf: is not what its head says');
			return rows;
		});
	}

	// The places of a chunk by one index.
	* placesIn(index, id) {
		for (let i = firstWhere(index.leaves, l => byBytes(l.first, id) > 0) - 1; i >= 0; i--) {
			const place = index.leaves[i], rows = this.leaf(place);
			for (let at = firstWhere(rows, r => byBytes(r.id, id) >= 0); rows[at]?.id.equals(id); at++) {
				const row = rows[at];
				const pack = row.pack === f.SAME_PACK ? place.pack : index.packs[row.pack]?.name.toString('hex') ?? malformed('index leaf: unknown pack');
				yield { pack, offset: row.offset, length: row.length, slot: row.slot, rest: index.cuts.get(`${pack} ${row.offset}`) ?? null };
			}
			if (!place.first.equals(id)) return;
		}
	}

	* places(id) {
		for (const index of this.indexes) {
			const found = this.attempt('index', () => [...this.placesIn(index, id)]);
			if (found) yield* found;
			else this.indexes = this.indexes.filter(x => x !== index);
		}
		this.scanned ??= this.scanAll();
		yield* this.scanned.get(id.toString('hex')) ?? [];
	}

	scanAll() {
		const found = new Map(), rests = new Map(), tables = [];
		this.warn('reading the tables of all packs');
		for (const name of this.vault.store.packNames(this.vault.id)) {
			const table = this.attempt(`pack ${name}`, () => this.table(name));
			if (!table || table.origin.kind !== 0) continue;
			tables.push([name, table]);
			if (!table.continues) continue;
			const previous = table.previous.toString('hex');
			rests.set(previous, [...rests.get(previous) ?? [], { pack: name, length: table.blocks[0].length }]);
		}
		for (const [pack, { blocks }] of tables) {
			for (const b of blocks) {
				b.ids.forEach((id, slot) => {
					const key = id.toString('hex');
					if (!found.has(key)) found.set(key, []);
					// anybody can say that a pack of his goes on here: each is tried
					for (const rest of b.cut ? rests.get(pack) ?? [] : [null]) {
						found.get(key).push({ pack, offset: b.offset, length: b.length, slot, rest });
					}
				});
			}
		}
		return found;
	}

	table(name) {
		const { keys, length, read } = this.pack(name), at = length - f.TRAILER;
		const t = f.packTrailer(epochs.openPart(keys.trailer, at, read(at, f.TRAILER), 'trailer'), length);
		return f.packTable(epochs.openPart(keys.table, t.tableOffset, read(t.tableOffset, t.tableLength), 'table'), t.tableOffset);
	}

	chunk(type, id) {
		let first = null;
		for (const place of this.places(id)) {
			try {
				const chunk = this.block(place)[place.slot];
				if (chunk && c.equal(c.MAC(this.idKeys.idKey(type), chunk), id)) return chunk;
				forged(`pack ${place.pack}, record at ${place.offset}: does not hold the chunk it should`);
			} catch (e) {
				if (!e.fault) throw e;
				first ??= e;
			}
		}
		throw first ?? new Fault('missing', `chunk ${id.toString('hex')} is in no pack`);
	}

	// The bytes of a stream of this type, in pieces.
	* stream(ref, type) {
		if (ref.origin.kind !== 0) unsupported('content of another origin');
		let total = 0n;
		if (ref.length > 0n) {
			for (const chunk of this.level(ref, type, 0)) {
				total += BigInt(chunk.length);
				if (total > ref.length) malformed('stream: longer than stated');
				yield chunk;
			}
		}
		if (total !== ref.length) malformed('stream: shorter than stated');
	}

	* level(ref, type, level) {
		const kind = level === 0 ? type : LIST;
		if (level === ref.depth) {
			yield this.chunk(kind, ref.id);
			return;
		}
		for (const { id, length } of items(this.level(ref, type, level + 1))) {
			const chunk = this.chunk(kind, id);
			if (chunk.length !== length) malformed('stream: a chunk of another length');
			yield chunk;
		}
	}

	snapshot(id) { return f.snapshot(this.chunk(SNAPSHOT, id)); }
	directory(ref) { return f.directoryEntries(this.stream(ref, 2)); }
	content(ref) { return this.stream(ref, 1); }
}

// The number of the first item that `is`; all behind it are so too.
function firstWhere(list, is) {
	let low = 0, high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (is(list[middle])) high = middle;
		else low = middle + 1;
	}
	return low;
}

function* items(pieces) {
	let held = Buffer.alloc(0);
	for (const piece of pieces) {
		held = held.length > 0 ? Buffer.concat([held, piece]) : piece;
		let at = 0;
		for (; at + f.ITEM <= held.length; at += f.ITEM) yield f.streamItem(held.subarray(at, at + f.ITEM));
		held = held.subarray(at);
	}
	if (held.length > 0) malformed('list: ends too early');
}
