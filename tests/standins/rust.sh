#!/usr/bin/env bash
# A stand-in for rust:1-slim-bookworm, for a Debian machine that reaches no container registry: this machine's own
# toolchain on a root file system of its own installed packages. Does nothing where the image is there or can be pulled.
set -euo pipefail
image=rust:1-slim-bookworm
docker=${DRYDOCK_ENGINE:-docker}

if "$docker" image inspect "$image" >/dev/null 2>&1 || timeout 60 "$docker" pull --quiet "$image" >/dev/null 2>&1; then
    exit 0
fi
command -v dpkg-query >/dev/null || { echo "cannot make a stand-in for $image: this is not Debian" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the packages installed, with everything they depend on.
essential=$(dpkg-query --show --showformat '${Essential} ${Package}\n' | sed -n 's/^yes //p')
# shellcheck disable=SC2086 # one word per package
apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances $essential ca-certificates gcc libc6-dev | sed -n 's/^\([a-z0-9].*\)$/\1/p' | sort -u >"$work/packages"
while read -r package; do dpkg-query --listfiles "$package" 2>/dev/null || true; done <"$work/packages" |
    grep -vE '^/\.$|^/usr/share/(man|doc|info|locale|lintian)/' |
    sed -E 's,^/(bin|sbin|lib|lib32|lib64|libx32)(/|$),/usr/\1\2,' | sort -u >"$work/files"
# What their scripts made: links, users, certificates.
find /etc/alternatives /etc/ssl/certs /usr/local/share/ca-certificates /usr/bin/cc /usr/bin/awk \
    /bin /sbin /lib /lib64 /etc/ld.so.cache -maxdepth 1 >>"$work/files"
grep -qx /usr/share/base-passwd/passwd.master "$work/files"
while read -r file; do [ -e "$file" ] || [ -L "$file" ] && echo "${file#/}"; done <"$work/files" | sort -u >"$work/list"

toolchain=$(rustc --print sysroot)
tar --create --file "$work/root.tar" --directory / --no-recursion --files-from "$work/list" \
    --transform 's,^usr/share/base-passwd/\(passwd\|group\).master$,etc/\1,'
tar --append --file "$work/root.tar" --directory "$toolchain" --exclude './share' --exclude '*/wasm32*' \
    --transform 's,^\.,usr/local/cargo,' ./bin ./lib
ca=/etc/ssl/certs/ca-certificates.crt
"$docker" import --change 'ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV CARGO_HOME=/usr/local/cargo' --change "ENV CARGO_HTTP_CAINFO=$ca" --change "ENV SSL_CERT_FILE=$ca" \
    --change 'CMD ["bash"]' "$work/root.tar" "$image" >/dev/null
"$docker" run --rm "$image" sh -c 'cargo --version && cc --version' >/dev/null
echo "made a stand-in for $image from this machine's own toolchain and packages" >&2
