#!/usr/bin/env bash
# A stand-in for uv's own image, where no container registry can be reached: the same version's two programs from PyPI.
# Does nothing where the image is there or can be pulled.
set -euo pipefail
here=$(dirname "$0")
image=$(sed -n 's/^ARG UV_IMAGE=//p' "$here/../../docker/python/Dockerfile")
# shellcheck source=common.sh
. "$here/common.sh"
unless_there "$image"
command -v python3 >/dev/null || cannot 'python3 is not installed'

python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" \
    "uv==${image##*:}" >"$work/log" 2>&1 || { cat "$work/log" >&2; cannot 'pip does not reach its registry'; }
python3 -m zipfile --extract "$work"/uv-*.whl "$work/wheel"
mkdir "$work/root"
cp "$work"/wheel/uv-*.data/scripts/uv "$work"/wheel/uv-*.data/scripts/uvx "$work/root"
chmod 755 "$work"/root/*
tar --create --file "$work/image.tar" --owner 0 --group 0 --directory "$work/root" uv uvx
import_image "$work/image.tar" 'ENTRYPOINT ["/uv"]'
echo "made a stand-in for $image from PyPI" >&2
