// The root file system that a Node server runs on: node, the libraries that it loads, and who the user is.
//
// node runtime.mjs ROOT. Everything is of the image that this runs in; nothing is downloaded. Node is to be found as
// /usr/local/bin/node, wherever it is in the image.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = process.argv[2];

/** Copies a file, or what a link leads to, to the same place below the root. */
function put(file) {
  const to = path.join(root, file);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(file, to);
  return to;
}

/** As `strip` does, which is not in the image: what is behind the last part that is loaded are symbols. */
function withoutSymbols(file) {
  const fd = fs.openSync(file, 'r+');
  const head = Buffer.alloc(64);
  fs.readSync(fd, head, 0, 64, 0);
  const is64LittleEndian = head.subarray(0, 6).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]));
  if (is64LittleEndian) {
    const [offset, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
    const table = Buffer.alloc(size * count);
    fs.readSync(fd, table, 0, table.length, offset);
    let end = offset + table.length;
    for (let at = 0; at < table.length; at += size) {
      end = Math.max(end, Number(table.readBigUInt64LE(at + 8) + table.readBigUInt64LE(at + 32)));
    }
    // There are no sections, says the head: no place, no number, no names.
    head.writeBigUInt64LE(0n, 40);
    head.writeUInt16LE(0, 60);
    head.writeUInt16LE(0, 62);
    fs.writeSync(fd, head, 0, 64, 0);
    fs.ftruncateSync(fd, end);
  }
  fs.closeSync(fd);
}

const said = execFileSync('ldd', [process.execPath], { encoding: 'utf8' });
for (const [, library] of said.matchAll(/(\/\S+) \(0x/g)) put(library);
const node = put(process.execPath);
withoutSymbols(node);
fs.chmodSync(node, 0o755);
const usual = path.join(root, 'usr/local/bin/node');
if (!fs.existsSync(usual)) {
  fs.mkdirSync(path.dirname(usual), { recursive: true });
  fs.symlinkSync(process.execPath, usual);
}

const certificates = '/etc/ssl/certs/ca-certificates.crt';
if (fs.existsSync(certificates)) put(certificates);
for (const folder of ['etc/mcp', 'home/mcp', 'app']) fs.mkdirSync(path.join(root, folder), { recursive: true });
fs.writeFileSync(path.join(root, 'etc/passwd'), 'mcp:x:65532:65532:mcp:/tmp:/nonexistent\n');
fs.writeFileSync(path.join(root, 'etc/group'), 'mcp:x:65532:\n');
fs.writeFileSync(path.join(root, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
