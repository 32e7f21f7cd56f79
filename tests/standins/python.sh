#!/usr/bin/env bash
# A stand-in for python:3.12-slim, where no container registry can be reached: this machine's own Python 3.12 (PATH, pyenv,
# uv) with pip, stripped and without its tests as the real image is, on a root file system of this Debian machine's own
# packages. Neither Debian 12 nor PyPI has a Python 3.12: without one here it holds Debian's python3 instead, and says so.
# Does nothing where the image is there or can be pulled.
set -euo pipefail
image=python:3.12-slim
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
unless_there "$image"
path='ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

# The folder that holds a whole Python 3.12.
installed() {
    local it pyenv
    # HOME is another one where the tests run with an empty one: pyenv's own program says where its Pythons are.
    pyenv=$(dirname "$(dirname "$(command -v pyenv || true)")")
    for it in "$(command -v python3.12 || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python3.12 \
        "$pyenv"/versions/3.12*/bin/python3.12 \
        "${XDG_DATA_HOME:-$HOME/.local/share}"/uv/python/cpython-3.12*/bin/python3.12; do
        # A shim of pyenv is there and does not run.
        if [ -x "$it" ] && "$it" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
            "$it" -c 'import sys; print(sys.base_prefix)'
            return
        fi
    done
}

from_here() {
    local prefix=$1 root=$work/root lib tools
    mkdir -p "$root/usr/local/bin" "$root/usr/local/lib"
    lib=$(find "$prefix/lib" -maxdepth 1 -name 'libpython3*.so*')
    tar --create --directory "$prefix" --exclude '__pycache__' --exclude 'lib/python3.12/site-packages/*' --exclude '*.a' \
        --exclude 'test' --exclude 'tests' --exclude 'idle_test' --exclude '_tkinter*.so' \
        lib/python3.12 bin/python3.12 | tar --extract --directory "$root/usr/local"
    for it in $lib; do cp -a "$it" "$root/usr/local/lib/"; done
    for it in python3 python; do ln -s python3.12 "$root/usr/local/bin/$it"; done
    # Of what is installed, pip alone.
    mkdir -p "$root/usr/local/lib/python3.12/site-packages"
    for it in "$prefix"/lib/python3.12/site-packages/pip "$prefix"/lib/python3.12/site-packages/pip-*; do
        cp -r "$it" "$root/usr/local/lib/python3.12/site-packages/"
    done
    for tools in pip pip3; do
        printf '#!/usr/local/bin/python3\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n' \
            >"$root/usr/local/bin/$tools"
        chmod 755 "$root/usr/local/bin/$tools"
    done
    find "$root" -name '__pycache__' -prune -exec rm -r {} +
    if command -v strip >/dev/null; then
        find "$root" -type f \( -name '*.so*' -o -name python3.12 \) -exec strip --strip-unneeded {} + 2>/dev/null || true
    fi
    # The packages whose libraries it was linked with.
    local packages
    packages=$(find "$root" -type f \( -name '*.so*' -o -name python3.12 \) -exec ldd {} + 2>/dev/null |
        awk '$3 ~ /^\// { print $3 }' | sort -u | while read -r it; do
        dpkg-query --search "$it" "/usr$it" 2>/dev/null | sed 's/[:,].*//' | head -1 || true
    done | sort -u)
    # shellcheck disable=SC2086 # one word per package
    debian_root "$work/image.tar" $packages tzdata netbase
    add "$work/image.tar" "$root"
    import_image "$work/image.tar" "$path" 'ENV LANG=C.UTF-8' 'CMD ["python3"]'
    # The libraries in /usr/local are known to the loader once it has been told.
    printf 'FROM %s\nRUN ldconfig\n' "$image" | DOCKER_BUILDKIT=0 "$docker" build --quiet --tag "$image" - >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
}

from_debian() {
    dpkg-query --show python3 >/dev/null 2>&1 || cannot 'this machine has neither Python 3.12 nor the package python3'
    debian_root "$work/image.tar" python3 tzdata netbase
    mkdir -p "$work/root/usr/local/bin"
    for it in python3 python; do ln -s /usr/bin/python3 "$work/root/usr/local/bin/$it"; done
    add "$work/image.tar" "$work/root"
    import_image "$work/image.tar" "$path" 'ENV LANG=C.UTF-8' 'CMD ["python3"]'
}

prefix=$(installed)
if [ -n "$prefix" ]; then from_here "$prefix"; else from_debian; fi
said=$("$docker" run --rm --network none "$image" python3 -c 'import ssl, sqlite3, ctypes, zlib, lzma, bz2, sys; print(sys.version.split()[0])')
echo "made a stand-in for $image, which holds Python $said, from this machine's own Python and packages" >&2
