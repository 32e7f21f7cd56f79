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

/** What no program reads: source maps, typings, texts about the package (but not its licence). */
const unused = /\.(map|flow|tsbuildinfo)$|\.d\.[cm]?ts$|^(readme|changelog|changes|history|contributing|security|code_of_conduct)\b/i;
/** Of dependencies also TypeScript, which Node does not run there, and folders that are for their own makers. */
const unusedSource = /\.[cm]?tsx?$/;
const unusedFolders = new Set(['test', 'tests', '__tests__', 'docs', 'example', 'examples', 'coverage', '.github']);

/** The server itself may well read texts and templates of its own: of it, only what surely nobody reads is left out. */
function prune(folder, server, isServer = false) {
  // Builds hold a package.json too, which says no more than how the scripts beside it are written.
  const manifest = path.join(folder, 'package.json');
  const isPackage = fs.existsSync(manifest) && 'version' in read(manifest);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name === '.bin' || (isPackage && !isServer && unusedFolders.has(entry.name))) {
        fs.rmSync(full, { recursive: true });
      } else if (!full.endsWith('/node_modules/typescript')) { // its own .d.ts files are what it works with
        prune(full, server, full === server || (isServer && entry.name !== 'node_modules'));
      }
    } else if (unused.test(entry.name) || (!isServer && unusedSource.test(entry.name))) {
      fs.rmSync(full);
    }
  }
  if (fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
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
  prune(modules, server);
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
