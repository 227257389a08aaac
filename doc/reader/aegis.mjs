// AEGIS-256 with a 32-byte tag, from draft-irtf-cfrg-aegis-aead: opening only. Not constant time (it looks bytes up in
// tables): meant for the owner's own machine.

// T[0][x] is MixColumns of a column that holds SubBytes(x) in its first row; T[1] to T[3] are those of the other rows.
// A column is a 32-bit word, its first row the lowest byte.
const T = makeTables();
const [T0, T1, T2, T3] = T;

function makeTables() {
	const exp = new Uint8Array(256), log = new Uint8Array(256);
	for (let i = 0, x = 1; i < 255; i++) {
		exp[i] = x;
		log[x] = i;
		x ^= (x << 1) ^ (x & 0x80 ? 0x11b : 0); // times 3, a generator of the field
		x &= 0xff;
	}
	const tables = Array.from({ length: 4 }, () => new Int32Array(256));
	for (let x = 0; x < 256; x++) {
		const inverse = x === 0 ? 0 : exp[(255 - log[x]) % 255];
		let s = 0x63;
		for (let turn = 0; turn < 5; turn++) s ^= ((inverse << turn) | (inverse >> (8 - turn))) & 0xff;
		const twice = (s << 1) ^ (s & 0x80 ? 0x11b : 0);
		const column = (twice | (s << 8) | (s << 16) | ((twice ^ s) << 24)) | 0;
		for (let row = 0; row < 4; row++)
			tables[row][x] = row === 0 ? column : (column << (8 * row)) | (column >>> (32 - 8 * row));
	}
	return tables;
}

const C0 = words(Buffer.from('000101020305080d1522375990e97962', 'hex'));
const C1 = words(Buffer.from('db3d18556dc22ff12011314273b528dd', 'hex'));

function words(bytes) {
	return Int32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i));
}

const xor = (a, b) => a.map((x, i) => x ^ b[i]);

// The draft's Update: state i becomes AESRound(state i - 1, state i), state 0 AESRound(state 5, state 0 + message).
function update(S, m0, m1, m2, m3) {
	const a = S[20], b = S[21], c = S[22], d = S[23];
	for (let i = 20; i > 0; i -= 4) {
		const p = S[i - 4], q = S[i - 3], r = S[i - 2], s = S[i - 1];
		S[i] ^= T0[p & 255] ^ T1[(q >>> 8) & 255] ^ T2[(r >>> 16) & 255] ^ T3[s >>> 24];
		S[i + 1] ^= T0[q & 255] ^ T1[(r >>> 8) & 255] ^ T2[(s >>> 16) & 255] ^ T3[p >>> 24];
		S[i + 2] ^= T0[r & 255] ^ T1[(s >>> 8) & 255] ^ T2[(p >>> 16) & 255] ^ T3[q >>> 24];
		S[i + 3] ^= T0[s & 255] ^ T1[(p >>> 8) & 255] ^ T2[(q >>> 16) & 255] ^ T3[r >>> 24];
	}
	S[0] ^= m0 ^ T0[a & 255] ^ T1[(b >>> 8) & 255] ^ T2[(c >>> 16) & 255] ^ T3[d >>> 24];
	S[1] ^= m1 ^ T0[b & 255] ^ T1[(c >>> 8) & 255] ^ T2[(d >>> 16) & 255] ^ T3[a >>> 24];
	S[2] ^= m2 ^ T0[c & 255] ^ T1[(d >>> 8) & 255] ^ T2[(a >>> 16) & 255] ^ T3[b >>> 24];
	S[3] ^= m3 ^ T0[d & 255] ^ T1[(a >>> 8) & 255] ^ T2[(b >>> 16) & 255] ^ T3[c >>> 24];
}

function start(key, nonce) {
	const k0 = words(key.subarray(0, 16)), k1 = words(key.subarray(16));
	const n0 = words(nonce.subarray(0, 16)), n1 = words(nonce.subarray(16));
	const S = new Int32Array(24);
	[xor(k0, n0), xor(k1, n1), C1, C0, xor(k0, C0), xor(k1, C1)].forEach((w, i) => S.set(w, 4 * i));
	for (let i = 0; i < 4; i++)
		for (const w of [k0, k1, xor(k0, n0), xor(k1, n1)]) update(S, ...w);
	return S;
}

function absorb(S, aad) {
	const padded = Buffer.alloc(Math.ceil(aad.length / 16) * 16);
	padded.set(aad);
	const w = words(padded);
	for (let i = 0; i < w.length; i += 4) update(S, w[i], w[i + 1], w[i + 2], w[i + 3]);
}

// The plain text of whole and last blocks goes to `out`.
function decrypt(S, x, out) {
	const whole = x.length & ~15;
	const read = new DataView(x.buffer, x.byteOffset, x.length);
	const write = new DataView(out.buffer, out.byteOffset, out.length);
	for (let i = 0; i < whole; i += 16) {
		const m0 = read.getInt32(i, true) ^ S[4] ^ S[16] ^ S[20] ^ (S[8] & S[12]);
		const m1 = read.getInt32(i + 4, true) ^ S[5] ^ S[17] ^ S[21] ^ (S[9] & S[13]);
		const m2 = read.getInt32(i + 8, true) ^ S[6] ^ S[18] ^ S[22] ^ (S[10] & S[14]);
		const m3 = read.getInt32(i + 12, true) ^ S[7] ^ S[19] ^ S[23] ^ (S[11] & S[15]);
		write.setInt32(i, m0, true);
		write.setInt32(i + 4, m1, true);
		write.setInt32(i + 8, m2, true);
		write.setInt32(i + 12, m3, true);
		update(S, m0, m1, m2, m3);
	}
	if (whole === x.length) return;
	const last = Buffer.alloc(16);
	for (let i = 0; i < 4; i++) last.writeInt32LE(S[4 + i] ^ S[16 + i] ^ S[20 + i] ^ (S[8 + i] & S[12 + i]), 4 * i);
	for (let i = whole; i < x.length; i++) out[i] = last[i - whole] ^= x[i];
	last.fill(0, x.length - whole);
	update(S, ...words(last));
}

function tag(S, aadLength, length) {
	const bits = Buffer.alloc(16);
	bits.writeBigUInt64LE(BigInt(aadLength) * 8n, 0);
	bits.writeBigUInt64LE(BigInt(length) * 8n, 8);
	const t = xor(words(bits), S.subarray(12, 16));
	for (let i = 0; i < 7; i++) update(S, ...t);
	const out = Buffer.alloc(32);
	for (let i = 0; i < 4; i++) {
		out.writeInt32LE(S[i] ^ S[4 + i] ^ S[8 + i], 4 * i);
		out.writeInt32LE(S[12 + i] ^ S[16 + i] ^ S[20 + i], 16 + 4 * i);
	}
	return out;
}

export const TAG = 32;

// Returns the plain text of `sealed` (cipher text and tag), or null if the tag is wrong.
export function open(key, nonce, aad, sealed) {
	if (sealed.length < TAG) return null;
	const length = sealed.length - TAG;
	const S = start(Buffer.from(key), Buffer.from(nonce)), plain = Buffer.alloc(length);
	absorb(S, aad);
	decrypt(S, sealed.subarray(0, length), plain);
	const right = tag(S, aad.length, length);
	let differs = 0;
	for (let i = 0; i < TAG; i++) differs |= right[i] ^ sealed[length + i];
	return differs === 0 ? plain : null;
}
