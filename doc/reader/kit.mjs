// doc/spec/kit.md: reads a recovery kit, page or bare code. Nothing is put right: a mistake is named.

import { D, LP, kemPublic, labelled, signPublic } from './crypto.mjs';
import { Fault } from './fault.mjs';

const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const INPUT_MAX = 65536;
const ALPHA = [1];
for (let i = 1; i < 31; i++) ALPHA.push((ALPHA[i - 1] << 1) ^ (ALPHA[i - 1] & 16 ? 0b100101 : 0));

const log = v => ALPHA.indexOf(v);
const times = (a, b) => (a === 0 || b === 0 ? 0 : ALPHA[(log(a) + log(b)) % 31]);

export class KitFault extends Fault {
	constructor(kind, message, places = [], should = null) {
		super('kit', `recovery kit: ${message}`);
		Object.assign(this, { kind, places, should });
	}
}

function codeOf(input) {
	if (input.length > INPUT_MAX) throw new KitFault('length', 'the file is too long');
	const text = input.toString('latin1');
	const line = text.split('\n').map(l => l.replace(/^[\t-\r ]+/, '')).find(l => l.startsWith('Recovery code:'));
	return line === undefined ? text : line.slice('Recovery code:'.length);
}

function symbolsOf(code) {
	const symbols = [];
	for (const c of code.replace(/[\t-\r -]/g, '')) {
		const value = SYMBOLS.indexOf(c.toUpperCase().replace(/[IL]/, '1').replace('O', '0'));
		if (value < 0 || c > '\x7f') throw new KitFault('foreign', `character ${symbols.length + 1} cannot be in a code`, [symbols.length + 1]);
		symbols.push(value);
	}
	if (symbols.length !== 28) throw new KitFault('length', `the code has ${symbols.length} characters, not 28`);
	return symbols;
}

function checkSymbols(c) {
	const s0 = c.reduce((sum, v) => sum ^ v, 0), s1 = c.reduce((sum, v, i) => sum ^ times(v, ALPHA[i]), 0);
	if (s0 === 0 && s1 === 0) return;
	const places = [...c.keys()];
	if (s0 !== 0) {
		const p = places.find(i => times(s0, ALPHA[i]) === s1);
		if (p !== undefined) throw new KitFault('one', `character ${p + 1} is wrong`, [p + 1], SYMBOLS[c[p] ^ s0]);
	} else {
		const swapped = places.slice(0, 27).filter(p => c[p] !== c[p + 1] && times(times(c[p] ^ c[p + 1], ALPHA[p]), 1 ^ ALPHA[1]) === s1);
		if (swapped.length > 0) throw new KitFault('swapped', `characters ${swapped[0] + 1} and ${swapped[0] + 2} are swapped`, swapped.map(p => p + 1));
	}
	throw new KitFault('broken', 'several characters are wrong');
}

// Returns the kit's 16 bytes.
export function readCode(input) {
	const symbols = symbolsOf(codeOf(input));
	checkSymbols(symbols);
	let bits = 0n;
	for (const v of symbols.slice(0, 26)) bits = (bits << 5n) | BigInt(v);
	if (bits >> 128n) throw new KitFault('version', `version ${bits >> 128n} is unknown`, [Number(bits >> 128n)]);
	return Buffer.from(bits.toString(16).padStart(32, '0'), 'hex');
}

// doc/spec/crypto.md section 6.
export function kitKeys(secret) {
	const kemSeed = D('broch 1 kit kem', secret);
	const entryPublic = signPublic(D('broch 1 kit entry', secret)), requestPublic = signPublic(D('broch 1 kit request', secret));
	const locator = D('broch 1 kit locator', secret);
	return {
		kemSeed, locator,
		id: deviceId({ entryKey: entryPublic, requestKey: requestPublic, kemKey: kemPublic(kemSeed) }),
		locatorInfo: labelled('broch 1 locator', LP(locator)),
	};
}

export const deviceId = record => D('broch 1 device id', record.entryKey, record.requestKey, record.kemKey);
