// Reads the fields of one object, strictly; what doc/spec/formats.md calls varint, bytes<=N and so on. Counts and small
// numbers come as Number, u64, i64 and unbounded varints as BigInt.

import { malformed, unsupported } from './fault.mjs';

export const U64_MAX = 2n ** 64n - 1n;

export class Reading {
	// `trace`, if given, gets every value read, for the tests.
	constructor(bytes, what, trace) {
		Object.assign(this, { bytes, what, trace, at: 0 });
	}

	bad(why) { return malformed(`${this.what}: ${why}`); }
	check(right, why) { if (!right) this.bad(why); }
	note(value) { this.trace?.push(value); return value; }
	get left() { return this.bytes.length - this.at; }

	take(n) {
		if (n > this.left) this.bad('ends too early');
		this.at += n;
		return this.at - n;
	}

	raw(n) { const at = this.take(n); return this.note(this.bytes.subarray(at, at + n)); }
	rest() { return this.raw(this.left); }
	hash() { return this.raw(32); }
	u8() { return this.note(this.bytes[this.take(1)]); }
	u16() { return this.note(this.bytes.readUInt16LE(this.take(2))); }
	u24() { return this.note(this.bytes.readUIntLE(this.take(3), 3)); }
	u32() { return this.note(this.bytes.readUInt32LE(this.take(4))); }
	u64() { return this.note(this.bytes.readBigUInt64LE(this.take(8))); }
	i64() { return this.note(this.bytes.readBigInt64LE(this.take(8))); }

	varint(max = U64_MAX) {
		let v = 0n;
		for (let i = 0n; ; i++) {
			const byte = this.bytes[this.take(1)];
			v |= BigInt(byte & 0x7f) << (7n * i);
			if (byte & 0x80) { this.check(i < 9n, 'a number is too long'); continue; }
			this.check(byte !== 0 || i === 0n, 'a number is not in its shortest form');
			this.check(v <= max, 'a number is too large');
			return this.note(v);
		}
	}
	count(max, min = 0) {
		const n = Number(this.varint(BigInt(max)));
		this.check(n >= min, 'a count is too small');
		return n;
	}
	bytesMax(max) { return this.raw(this.count(max)); }
	within(v, min, max, field) { this.check(v >= min && v <= max, `${field} out of range`); return v; }
	list(n, read) {
		const out = [];
		for (let i = 0; i < n; i++) out.push(read());
		return out;
	}

	magic(letters) {
		const at = this.take(4), found = this.bytes.subarray(at, at + 4);
		this.check(found.subarray(0, 3).equals(Buffer.from(letters)), 'is something else');
		if (found[3] !== 1) unsupported(`${this.what}: format version ${found[3]}`);
	}
	version() { const v = this.bytes[this.take(1)]; if (v !== 1) unsupported(`${this.what}: version ${v}`); }
	moment() {
		const sec = this.i64(), nsec = this.u32();
		this.check(nsec < 1e9, 'a time is out of range');
		return { sec, nsec };
	}

	end() { this.check(this.left === 0, 'bytes are left over'); }
}

// Throws unless each item is more than the one before, by `compare`.
export function ascending(r, items, compare) {
	for (let i = 1; i < items.length; i++) r.check(compare(items[i - 1], items[i]) < 0, 'a list is not in order');
}

export const byBytes = Buffer.compare;
export const by = (...keys) => (a, b) => {
	for (const key of keys) {
		const x = key(a), y = key(b);
		const order = Buffer.isBuffer(x) ? Buffer.compare(x, y) : x < y ? -1 : x > y ? 1 : 0;
		if (order !== 0) return order;
	}
	return 0;
};
