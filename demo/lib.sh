# lib.sh: sourced by demo.sh. How the story is told, and how each step is checked: the first that is off ends it.

set -euo pipefail

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold='' dim='' green='' red='' plain=''; fi
chapters=0
blank=

# An empty line, but never two.
gap() { [ -n "$blank" ] || printf '\n'; blank=1; }
text() { printf '%s\n' "$@"; blank=; }

# A heading and one line that says what follows.
chapter() {
	chapters=$((chapters + 1))
	gap
	text "$bold$chapters. $1$plain" "   $2"
	gap
}

say() { text "   $*"; }
statement() { text "$(printf '%s\n' "$1" | expand -t 2 | sed "s/^/   $dim> /; s/\$/$plain/")"; }
fail() { printf '\n   %sOFF: %s%s\n' "$red" "$*" "$plain" >&2; exit 1; }
ok() { text "   ${green}ok$plain  $*"; }

# Runs a statement and prints only its values.
value() { psql -qXAt -v ON_ERROR_STOP=1 -c "$1"; }

# Runs statements of which nothing needs to be seen.
run() { value "$1" >/dev/null || fail "$1"; }

# Shows a statement and what it returns.
show() {
	local table
	gap
	statement "$1"
	table=$(psql -qX -v ON_ERROR_STOP=1 -P footer=off -P null=- -c "$1") || fail "$1"
	text "$(printf '%s\n' "$table" | sed '/^$/d; s/ *$//; s/^/  /')"
	gap
}

# expect WHAT VALUE STATEMENT: the statement must return just that.
expect() {
	local got
	got=$(value "$3") || fail "$3"
	[ "$got" = "$2" ] || fail "$1: expected $2, got: $got"
	ok "$1"
}

# refused SQLSTATE WHAT STATEMENTS: the last of the statements must fail so; shows its error.
refused() {
	local error
	gap
	statement "$3"
	if error=$(psql -qXAt -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -c "$3" 2>&1); then fail "$2 was not refused"; fi
	case $error in
		*"ERROR:  $1: "*) ;;
		*) fail "$2: expected SQLSTATE $1, got: $error" ;;
	esac
	text "$(printf '%s\n' "$error" | sed -n "s/^.*ERROR:  [0-9A-Z]*: /   ${green}refused$plain  /p")"
}
