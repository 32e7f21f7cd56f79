// Makes an installed server ready to be copied: finds its program, leaves out what is not run, says how it starts.
//
// node app.mjs APP LAUNCH.json ROOT: prunes APP/node_modules, which is copied from where it is: a change of our sources
// leaves it as it was. Writes below ROOT our sources, etc/mcp/bridge.json, and the libraries that native modules load and
// node does not.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const [app, launchFile, root] = process.argv.slice(2);
const home = '/home/mcp'; // a package expects to be started in its user's folder, not in its own
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

function libraries(file) {
  try {
    const said = execFileSync('ldd', [file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return [...said.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library);
  } catch {
    return []; // for another system, or no library
  }
}

function* nativeModules(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* nativeModules(full);
    else if (entry.name.endsWith('.node')) yield full;
  }
}

try {
  const launch = read(launchFile);
  const server = launch.package ? path.join(app, 'node_modules', launch.package) : app;
  const start = program(server, launch.script);
  const modules = path.join(app, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  prune(modules);
  fs.mkdirSync(modules, { recursive: true }); // also of a server without packages
  fs.cpSync(app, path.join(root, app), { recursive: true, filter: (file) => file !== modules });

  const loaded = new Set(libraries(process.execPath));
  for (const library of new Set([...nativeModules(app)].flatMap(libraries))) {
    if (loaded.has(library) || library.startsWith(app)) continue;
    fs.mkdirSync(path.join(root, path.dirname(library)), { recursive: true });
    fs.copyFileSync(library, path.join(root, library));
  }

  const env = {};
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  if (fs.existsSync(certificates)) env.NODE_EXTRA_CA_CERTS = certificates; // what the base image trusts, we do
  const bridge = { command: process.execPath, args: [...launch.runtime, start, ...launch.args], cwd: launch.package ? home : app, env };
  for (const folder of ['etc/mcp', home]) fs.mkdirSync(path.join(root, folder), { recursive: true });
  fs.writeFileSync(path.join(root, 'etc/mcp/bridge.json'), JSON.stringify(bridge, null, 2) + '\n');
  execFileSync('chmod', ['-R', 'a+rX,go-w', app, root]);
} catch (problem) {
  console.error(problem.stack ?? `error: ${problem}`);
  process.exit(1);
}
