# shellcheck shell=bash
# What the scripts beside this one share: is the image there, and a Debian root out of this machine's own packages.
# Sourced. Sets `docker`, `work` (a folder that goes when the script ends) and `ca`.
# shellcheck disable=SC2034 # used by the scripts
docker=${DRYDOCK_ENGINE:-docker}
ca=/etc/ssl/certs/ca-certificates.crt
umask 022 # what an image holds, every user may read
export LC_ALL=C # one order for sort and comm

# Ends the script where the image is there or can be pulled: a stand-in is only for where no registry answers.
unless_there() {
    if "$docker" image inspect "$1" >/dev/null 2>&1 || timeout 120 "$docker" pull --quiet "$1" >/dev/null 2>&1; then
        exit 0
    fi
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
}

# Exit code 3: it cannot be made here, and nothing is broken.
cannot() {
    echo "cannot make a stand-in for $image: $1" >&2
    exit 3
}

# debian_root OUT.tar PACKAGE..: these packages as this machine installed them, with all that they and a minimal system
# depend on.
debian_root() {
    local out=$1
    shift
    command -v dpkg-query >/dev/null || cannot 'this is not Debian'
    local essential
    essential=$(dpkg-query --show --showformat '${Essential} ${Package}\n' | sed -n 's/^yes //p')
    # shellcheck disable=SC2086 # one word per package
    apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances $essential apt ca-certificates "$@" | sed -n 's/^\([a-z0-9].*\)$/\1/p' | sort -u >"$work/packages"
    while read -r package; do dpkg-query --listfiles "$package" 2>/dev/null || true; done <"$work/packages" |
        grep -vE '^/\.$|^/usr/share/(man|doc|info|locale|lintian)/' |
        sed -E 's,^/(bin|sbin|lib|lib32|lib64|libx32)(/|$),/usr/\1\2,' | sort -u >"$work/files"
    # What their scripts made: links, users, certificates.
    find /etc/alternatives /etc/ssl/certs /usr/local/share/ca-certificates /usr/bin/cc /usr/bin/awk \
        /bin /sbin /lib /lib64 /etc/ld.so.cache -maxdepth 1 >>"$work/files" 2>/dev/null || true
    grep -qx /usr/share/base-passwd/passwd.master "$work/files"
    while read -r file; do [ -e "$file" ] || [ -L "$file" ] && echo "${file#/}"; done <"$work/files" |
        sort -u >"$work/list"
    tar --create --file "$out" --directory / --no-recursion --files-from "$work/list" \
        --transform 's,^usr/share/base-passwd/\(passwd\|group\).master$,etc/\1,'
}

# add TAR FOLDER: what is in the folder, over what is in the archive; a path stands in it once.
add() {
    tar --list --file "$1" | sed 's,/$,,' | sort -u >"$work/held"
    (cd "$2" && find . -mindepth 1 -printf '%P\n') | sort >"$work/more"
    comm -13 "$work/held" "$work/more" >"$work/new"
    tar --append --file "$1" --owner 0 --group 0 --no-recursion --directory "$2" --files-from "$work/new"
}

# import_image TAR CHANGE..: the image from a root file system. Its programs trust what this machine trusts.
import_image() {
    local tar=$1 changes=() variable
    shift
    for variable in SSL_CERT_FILE NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE PIP_CERT; do
        changes+=(--change "ENV $variable=$ca")
    done
    for change in "$@"; do changes+=(--change "$change"); done
    "$docker" import "${changes[@]}" "$tar" "$image" >/dev/null
}

machine() {
    case $(uname -m) in
    x86_64) echo "$1" ;;
    aarch64) echo "$2" ;;
    *) cannot "no package for $(uname -m)" ;;
    esac
}
