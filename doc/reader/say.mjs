// Text for people.

// Bytes from elsewhere, safe to show on a terminal.
export function shown(bytes) {
	const text = Buffer.from(bytes).toString('utf8');
	const whole = Buffer.from(text).equals(Buffer.from(bytes)) ? text : Buffer.from(bytes).toString('latin1').replace(/[\x80-\xff]/g, hex);
	return whole.replace(/[\x00-\x1f\x7f-\x9f\\\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, hex);
}
const hex = ch => (ch === '\\' ? '\\\\' : ch.charCodeAt(0) > 255 ? '\\u' + ch.charCodeAt(0).toString(16) : '\\x' + ch.charCodeAt(0).toString(16).padStart(2, '0'));

export function moment({ sec, nsec }) {
	const ms = Number(sec) * 1000 + Math.floor(nsec / 1e6);
	return Number.isFinite(ms) && Math.abs(ms) < 8e15 ? new Date(ms).toISOString().slice(0, 19).replace('T', ' ') : String(sec);
}
