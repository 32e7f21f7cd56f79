// Makes an installed server ready to be unpacked into its image: finds its program, leaves out what is not run.
//
// node app.mjs APP OUT LAUNCH (JSON: `package`, `script`). Moves what is installed to OUT/deps/app, with the libraries that
// native modules load and node does not, and the rest of APP to OUT/own/app; OUT/plan.json says where in APP the program
// is. `cargo xtask` runs it in a container without network, and believes nothing of what comes out.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const [app, out, launchText] = process.argv.slice(-3);
const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** The program of a package, chosen as npx does: the wanted one, the only one, or that of its own name. */
function program(folder, wanted) {
  const { name = '', bin, main } = read(path.join(folder, 'package.json'));
  const all = typeof bin === 'string' ? { [name]: bin } : (bin ?? {});
  const files = [...new Set(Object.values(all))];
  if (wanted && !Object.hasOwn(all, wanted)) throw `${name} has no program ${wanted} (but ${Object.keys(all).join(', ') || 'none'})`;
  const chosen = wanted ? all[wanted] : files.length === 1 ? files[0] : all[name.replace(/^@[^/]*\//, '')];
  const file = chosen ?? (files.length === 0 ? (main ?? 'index.js') : undefined);
  if (file === undefined) throw `${name} has several programs (${Object.keys(all).join(', ')}) and none of its own name`;
  const full = path.join(folder, file);
  if (!fs.existsSync(full)) throw `${name} says that its program is ${file}, and has no such file`;
  return full;
}

/** By format, never by what a module is called: typings, source maps, and texts about the package (but not its licence). */
const unused =
  /\.d\.[cm]?ts$|\.([cm]?[jt]s|css)\.map$|\.tsbuildinfo$|\.js\.flow$|^(readme|changelog|changes|history|contributing|security|code_of_conduct)([._-][a-z_-]+)?\.(md|markdown|rst)$/i;

function* files(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* files(full);
    else if (entry.isFile()) yield full;
  }
}

/** The files that one of these modules names in an import, by a path from where it is; not in a comment's `{import('./list.d.ts')}`. */
function* imported(modules) {
  const quoted = /(?:\bfrom|\bimport|\brequire(?:\.resolve)?|\bnew\s+URL)\s*\(?\s*["'`](\.{1,2}\/[^"'`\n]+)["'`]/g;
  for (const module of modules) {
    const code = fs.readFileSync(module, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, name] of code.matchAll(quoted)) yield path.resolve(path.dirname(module), name);
  }
}

/** The folder of the package that a file is in. */
const packageOf = (file) => file.match(/^.*\/node_modules\/(@[^/]+\/)?[^/]+/)?.[0];

/** The texts that a module of the same package names anywhere: it may read them. */
function* named(modules) {
  const quoted = /["'`/]([\w.-]+\.(?:md|markdown|rst))["'`]/g;
  for (const module of modules) {
    for (const [, name] of fs.readFileSync(module, 'utf8').matchAll(quoted)) yield `${packageOf(module)}: ${name}`;
  }
}

/** What no program reads, unless one does. TypeScript's own typings are what it works with. */
function prune(folder) {
  const all = [...files(folder)];
  const modules = all.filter((it) => /\.[cm]?js$/.test(it));
  const candidates = all.filter((it) => unused.test(path.basename(it)) && !it.includes('/node_modules/typescript/'));
  const wanted = new Set([...imported(modules), ...named(modules)]);
  for (const file of candidates) {
    if (wanted.has(file) || wanted.has(`${packageOf(file)}: ${path.basename(file)}`)) continue;
    fs.rmSync(file);
    for (let at = path.dirname(file); at !== folder && fs.readdirSync(at).length === 0; at = path.dirname(at)) fs.rmdirSync(at);
  }
}

/** The names of the libraries that an ELF file needs: read, not loaded, as `ldd` would run what the file asks for. */
function needed(file) {
  const bytes = fs.readFileSync(file);
  const is64Bit = bytes.length >= 64 && bytes.toString('latin1', 0, 6) === '\x7fELF\x02\x01';
  if (!is64Bit) return [];
  const word = (at) => Number(bytes.readBigUInt64LE(at));
  const segments = Array.from({ length: bytes.readUInt16LE(56) }, (_, i) => word(32) + i * bytes.readUInt16LE(54));
  const ofType = (type) => segments.filter((at) => bytes.readUInt32LE(at) === type);
  const [dynamic] = ofType(2);
  if (dynamic === undefined) return [];
  const entries = [];
  for (let at = word(dynamic + 8); word(at) !== 0; at += 16) entries.push([word(at), word(at + 8)]);
  const address = entries.find(([tag]) => tag === 5)?.[1];
  const load = ofType(1).find((at) => address >= word(at + 16) && address < word(at + 16) + word(at + 32));
  const names = address - word(load + 16) + word(load + 8);
  const name = (at) => bytes.toString('latin1', names + at, bytes.indexOf(0, names + at));
  return entries.filter(([tag]) => tag === 1).map(([, at]) => name(at));
}

/** The base image's own libraries, by their names, as its loader finds them. */
function systemLibraries() {
  const said = execFileSync('ldconfig', ['-p'], { encoding: 'utf8' });
  const lines = [...said.matchAll(/^\t(\S+) \((.*)\) => (\S+)$/gm)];
  const own = process.arch === 'x64' ? 'x86-64' : 'AArch64';
  return new Map(lines.filter(([, , about]) => about.includes(own)).map(([, name, , file]) => [name, file]).reverse());
}

/** The libraries of the base image that these files load, and what those load. */
function libraries(start, system) {
  const found = new Set();
  const look = (file) => {
    let names = [];
    try {
      names = needed(file);
    } catch {
      // Cut off, or no library: nothing loads it.
    }
    for (const library of names.map((it) => system.get(it))) {
      if (library === undefined || found.has(library)) continue;
      found.add(library);
      look(library);
    }
  };
  start.forEach(look);
  return found;
}

function* nativeModules(folder) {
  for (const file of files(folder)) if (/\.node$|\.so(\.|$)/.test(file)) yield file;
}

try {
  const launch = JSON.parse(launchText);
  const server = launch.package ? path.join(app, 'node_modules', launch.package) : app;
  const start = path.relative(app, program(server, launch.script));
  const modules = path.join(app, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  if (!fs.lstatSync(modules).isDirectory()) throw 'node_modules is a link';
  prune(modules);
  fs.rmSync(path.join(modules, '.package-lock.json'), { force: true }); // npm's own, with addresses

  const system = systemLibraries();
  const loaded = libraries([process.execPath], system);
  const [deps, own] = ['deps', 'own'].map((it) => path.join(out, it));
  for (const library of libraries([...nativeModules(app)], system)) {
    if (loaded.has(library)) continue;
    fs.mkdirSync(path.join(deps, path.dirname(library)), { recursive: true });
    fs.copyFileSync(library, path.join(deps, library));
  }
  for (const part of [deps, own]) fs.mkdirSync(path.join(part, 'app'), { recursive: true });
  for (const name of fs.readdirSync(app)) {
    fs.renameSync(path.join(app, name), path.join(name === 'node_modules' ? deps : own, 'app', name));
  }
  const certificates = fs.existsSync('/etc/ssl/certs/ca-certificates.crt'); // what the base image trusts, we do
  fs.writeFileSync(path.join(out, 'plan.json'), JSON.stringify({ start, certificates }));
} catch (problem) {
  console.error(problem.stack ?? problem);
  process.exit(1);
}
