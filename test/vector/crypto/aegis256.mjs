// AEGIS-256 with a tag of 256 bits, written from draft-irtf-cfrg-aegis-aead for reading, not for speed.

const SBOX = (() => {
	// Multiplicative inverse in GF(2^8) and the affine map of FIPS 197, found by walking a generator and its inverse.
	const box = new Uint8Array(256);
	const rotl = (x, n) => ((x << n) | (x >> (8 - n))) & 255;
	let p = 1, q = 1;
	do {
		p = (p ^ (p << 1) ^ (p & 0x80 ? 0x11b : 0)) & 255; // p * 3
		q ^= q << 1; q ^= q << 2; q ^= q << 4; q &= 255; // q / 3
		if (q & 0x80) q ^= 9;
		box[p] = q ^ rotl(q, 1) ^ rotl(q, 2) ^ rotl(q, 3) ^ rotl(q, 4) ^ 0x63;
	} while (p !== 1);
	box[0] = 0x63;
	return box;
})();

const double = x => ((x << 1) ^ (x & 0x80 ? 0x1b : 0)) & 255;
const xor = (a, b) => a.map((x, i) => x ^ b[i]);
const and = (a, b) => a.map((x, i) => x & b[i]);

// MixColumns(ShiftRows(SubBytes(block))) ^ key
function aesRound(block, key) {
	const out = new Uint8Array(16);
	for (let c = 0; c < 4; c++) {
		const s = [0, 1, 2, 3].map(r => SBOX[block[4 * ((c + r) % 4) + r]]);
		const all = s[0] ^ s[1] ^ s[2] ^ s[3];
		for (let r = 0; r < 4; r++) out[4 * c + r] = s[r] ^ all ^ double(s[r] ^ s[(r + 1) % 4]) ^ key[4 * c + r];
	}
	return out;
}

const hex = s => Uint8Array.from(s.match(/../g), x => parseInt(x, 16));
const C0 = hex('000101020305080d1522375990e97962');
const C1 = hex('db3d18556dc22ff12011314273b528dd');

class State {
	constructor(key, nonce) {
		const k0 = key.slice(0, 16), k1 = key.slice(16), n0 = nonce.slice(0, 16), n1 = nonce.slice(16);
		this.s = [xor(k0, n0), xor(k1, n1), C1, C0, xor(k0, C0), xor(k1, C1)];
		for (let i = 0; i < 4; i++) for (const m of [k0, k1, xor(k0, n0), xor(k1, n1)]) this.update(m);
	}
	update(m) {
		const s = this.s;
		this.s = s.map((x, i) => aesRound(s[(i + 5) % 6], i === 0 ? xor(x, m) : x));
	}
	key() {
		const s = this.s;
		return xor(xor(s[1], s[4]), xor(s[5], and(s[2], s[3])));
	}
	tag(aadLength, length) {
		const sizes = new Uint8Array(16), view = new DataView(sizes.buffer);
		view.setBigUint64(0, 8n * BigInt(aadLength), true);
		view.setBigUint64(8, 8n * BigInt(length), true);
		const t = xor(this.s[3], sizes);
		for (let i = 0; i < 7; i++) this.update(t);
		const s = this.s, out = new Uint8Array(32);
		out.set(xor(xor(s[0], s[1]), s[2]), 0);
		out.set(xor(xor(s[3], s[4]), s[5]), 16);
		return out;
	}
}

function* blocks(x) {
	for (let i = 0; i < x.length; i += 16) {
		const b = new Uint8Array(16), piece = x.subarray(i, i + 16);
		b.set(piece);
		yield [b, i, piece.length];
	}
}

function crypt(key, nonce, aad, x, opening) {
	const state = new State(key, nonce), out = new Uint8Array(x.length);
	for (const [b] of blocks(aad)) state.update(b);
	for (const [b, at, n] of blocks(x)) {
		const y = xor(b, state.key()).fill(0, n);
		out.set(y.subarray(0, n), at);
		state.update(opening ? y : b);
	}
	return [out, state.tag(aad.length, x.length)];
}

// ciphertext || tag
export function seal(key, nonce, aad, x) {
	const [c, tag] = crypt(key, nonce, aad, x, false), out = new Uint8Array(c.length + 32);
	out.set(c, 0);
	out.set(tag, c.length);
	return out;
}

// The plaintext, or null if it does not authenticate.
export function open(key, nonce, aad, sealed) {
	if (sealed.length < 32) return null;
	const n = sealed.length - 32;
	const [x, tag] = crypt(key, nonce, aad, sealed.slice(0, n), true);
	return xor(tag, sealed.slice(n)).every(b => b === 0) ? x : null;
}
