# common.sh: sourced by the other scripts. Where things are, and how they speak.

set -euo pipefail
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '# %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# The newest server that Debian's packages installed together with what builds extensions for it.
newest_pg_config() {
	local config
	for config in $(printf '%s\n' /usr/lib/postgresql/*/bin/pg_config | sort -t/ -k5,5nr); do
		[ -x "$config" ] || continue
		[ -f "$("$config" --pgxs)" ] && [ -x "${config%/*}/postgres" ] && { echo "$config"; return; }
	done
	return 1
}

# Copies the project's own files, without what is built or run, from $1 to $2, and removes there what a copy before this
# one brought and which is gone by now. Times are kept, so that make builds only what changed.
copy_sources() {
	local from=$1 to=$2 files=$2/.files gone
	mkdir -p "$to"
	(cd "$from" && find . \( -path ./.git -o -path ./build -o -path ./results -o -path ./output_iso -o -path ./tmp_check \
		-o -path ./log \) -prune -o \( -type f -o -type l \) ! -name '*.o' ! -name '*.d' ! -name '*.bc' ! -name '*.so' \
		! -path './modelreg--*.sql' ! -path './regression.*' -print | LC_ALL=C sort) >"$files.new"
	if [ -f "$files" ]; then
		gone=$(LC_ALL=C comm -23 "$files" "$files.new")
		if [ -n "$gone" ]; then
			(cd "$to" && printf '%s\n' "$gone" | tr '\n' '\0' | xargs -0 rm -f -- && rm -f modelreg.so)
		fi
	fi
	tar -C "$from" --no-recursion -T "$files.new" -cf - | tar -C "$to" --no-same-owner -xf -
	mv "$files.new" "$files"
}
