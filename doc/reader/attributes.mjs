// Sets what Node itself cannot: times to the nanosecond (touch) and extended attributes (setfattr), for many files by one process.
// Files are named by a descriptor of their directory and a name in it, so that paths may have any length and lead nowhere else.

import * as fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const OPERATIONS_MAX = 4000, FOLDERS_MAX = 128, FILES_MAX = 128;
const ARGUMENTS_MAX = 65536;
const ENV = { PATH: process.env.PATH, LC_ALL: 'C' };

const quoted = bytes => Buffer.concat([Buffer.from("'"), Buffer.from(bytes.toString('latin1').replaceAll("'", "'\\''"), 'latin1'), Buffer.from("'")]);
// As setfattr --restore reads it.
const escaped = bytes => bytes.toString('latin1').replace(/[^A-Za-z0-9._/-]/g, ch => '\\' + ch.charCodeAt(0).toString(8).padStart(3, '0'));

export const inFolder = (fd, name) => Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name]);
export const HERE = Buffer.from('.');

// As `touch -d @` reads it.
function seconds({ sec, nsec }) {
	const ns = sec * 1000000000n + BigInt(nsec), size = ns < 0n ? -ns : ns;
	return `${ns < 0n ? '-' : ''}${size / 1000000000n}.${String(size % 1000000000n).padStart(9, '0')}`;
}
const exactInNode = ({ sec, nsec }) => nsec === 0 && sec >= 0n && sec < 2n ** 31n;

export class Attributes {
	// `failed(class, message)` is told what could not be set.
	constructor(failed) {
		Object.assign(this, { failed, times: [], xattrs: [], last: [], folders: new Set(), closing: new Set(), files: 0 });
	}

	// Sets the time of an entry now if that is exact, else with the next flush.
	time(fd, name, mtime) {
		if (exactInNode(mtime) && name !== HERE) {
			this.attempt('time', () => fs.lutimesSync(inFolder(fd, name), Number(mtime.sec), Number(mtime.sec)));
			return;
		}
		this.times.push({ fd, name, time: seconds(mtime) });
		this.folders.add(fd);
	}

	xattr(fd, name, list) {
		if (list.length === 0) return;
		this.xattrs.push({ fd, name, list });
		this.folders.add(fd);
	}

	// Runs `run` after the next flush; `isFile`: it holds a descriptor.
	afterwards(run, isFile = false) {
		this.last.push(run);
		if (isFile) this.files++;
	}

	attempt(kind, run) {
		try { run(); } catch (e) { this.failed(kind, e.message); }
	}

	flushIfMuch() {
		if (this.times.length + this.xattrs.length > OPERATIONS_MAX || this.folders.size > FOLDERS_MAX || this.files > FILES_MAX) this.flush();
	}

	// Closes a directory as soon as nothing needs it.
	closeFolder(fd) {
		if (this.folders.has(fd)) this.closing.add(fd);
		else fs.closeSync(fd);
	}

	flush() {
		const folders = [...this.folders], number = new Map(folders.map((fd, i) => [fd, 3 + i]));
		const path = ({ fd, name }) => inFolder(number.get(fd), name);
		if (this.xattrs.length > 0) this.restoreXattrs(path, folders);
		if (this.times.length > 0) this.touch(path, folders);
		for (const run of this.last) run();
		for (const fd of this.closing) fs.closeSync(fd);
		Object.assign(this, { times: [], xattrs: [], last: [], folders: new Set(), closing: new Set(), files: 0 });
	}

	restoreXattrs(path, folders) {
		const text = this.xattrs.map(x => `# file: ${escaped(path(x))}\n` +
			x.list.map(a => `${escaped(a.name)}=${a.value.length ? '0x' + a.value.toString('hex') : '""'}\n`).join('') + '\n');
		this.run('setfattr', ['-h', '--restore=-'], text.join(''), folders, 'attribute');
	}

	touch(path, folders) {
		const byTime = new Map();
		for (const t of this.times) {
			if (!byTime.has(t.time)) byTime.set(t.time, []);
			byTime.get(t.time).push(quoted(path(t)));
		}
		const shares = Array.from({ length: availableParallelism() }, () => []);
		let next = 0;
		for (const [time, names] of byTime) {
			for (let at = 0; at < names.length;) {
				const start = at;
				for (let size = 0; at < names.length && (size += names[at].length) < ARGUMENTS_MAX;) at++;
				shares[next++ % shares.length].push(Buffer.from(`touch -h -c -m -d @${time} --`), ...names.slice(start, at).flatMap(n => [Buffer.from(' '), n]), Buffer.from('\n'));
			}
		}
		// The shares run side by side.
		const script = shares.filter(s => s.length > 0).flatMap(s => [Buffer.from('{\n'), ...s, Buffer.from('} &\n')]);
		this.run('sh', [], Buffer.concat([...script, Buffer.from('wait\n')]), folders, 'time');
	}

	run(program, args, input, folders, kind) {
		const done = spawnSync(program, args, { input, stdio: ['pipe', 'ignore', 'pipe', ...folders], env: ENV, maxBuffer: 1 << 28 });
		// What it could not do, it says: a line each.
		if (done.error) this.failed(kind, `${program}: ${done.error.message}`);
		else for (const line of done.stderr.toString('latin1').split('\n').filter(Boolean)) this.failed(kind, line);
	}
}

// Makes a FIFO or a device with mode 0600. Throws if that fails.
export function makeSpecial(fd, name, kind, numbers) {
	const tool = kind === 'p' ? 'mkfifo' : 'mknod';
	const line = Buffer.concat([Buffer.from(`${tool} -m 600 -- `), quoted(inFolder(3, name)),
		Buffer.from(kind === 'p' ? '\n' : ` ${kind} ${numbers.major} ${numbers.minor}\n`)]);
	const done = spawnSync('sh', [], { input: line, stdio: ['pipe', 'ignore', 'pipe', fd], env: ENV });
	if (done.error) throw done.error;
	if (done.status !== 0) throw new Error(done.stderr.toString('latin1').trim());
}
