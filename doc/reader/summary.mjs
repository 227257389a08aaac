// The state of a vault as one string (doc/spec/formats.md section 9), which summaries hash.

import * as c from './crypto.mjs';
import { malformed } from './fault.mjs';

const STATE_MAX = 1073741824;

export function varint(v) {
	const out = [];
	for (v = BigInt(v); v > 0x7fn; v >>= 7n) out.push(Number(v & 0x7fn) | 0x80);
	return Buffer.from([...out, Number(v)]);
}
export const bytes = x => Buffer.concat([varint(x.length), x]);
export const list = (items, write) => Buffer.concat([varint(items.length), ...items.map(x => Buffer.concat(write(x)))]);
const head = h => [h.id, c.u64(h.sequence), h.hash];

export const stampBytes = s => Buffer.concat([c.u64(BigInt.asUintN(64, s.time.sec)), c.u32(s.time.nsec), bytes(s.host), bytes(s.branch),
	list(s.tags, t => [bytes(t)]), s.parent, varint(s.files), varint(s.bytes), varint(s.added)]);

// `s` has the fields that the decoder gives (summaryState in chainformats.mjs).
export function summaryBytes(s) {
	const whole = Buffer.concat([
		c.u8(1), c.u64(s.covers), s.hash, c.u64(s.hold), c.u8(s.trust),
		list(s.snapshots, x => [c.u64(x.sequence), x.id, x.device, c.u8(x.forgotten ? 1 : 0), stampBytes(x.stamp)]),
		list(s.indexes, x => [x.raw, c.u64(x.sequence)]),
		list(s.intents, x => [c.u64(x.sequence), c.u64(BigInt.asUintN(64, x.time)), x.packs.raw]),
		list(s.accounts, head), list(s.devices, head),
	]);
	return whole.length <= STATE_MAX ? whole : malformed('a state too long for a summary');
}
