# lib.sh: sourced by demo.sh. How the story is told, and how each step is checked: the first that is off ends it.

set -euo pipefail

bold='' dim='' green='' red='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; fi
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

# The functions below read their SQL from standard input.

# Statements of which nothing needs to be seen.
run() {
	local sql
	sql=$(cat)
	value "$sql" >/dev/null || fail "$sql"
}

# Keeps the value that a statement returns in the variable named.
keep() {
	local sql kept
	sql=$(cat)
	kept=$(value "$sql") || fail "$sql"
	printf -v "$1" '%s' "$kept"
}

# Prints what psql made of a statement, without its empty lines.
table() { text "$(sed '/^$/d; s/ *$//; s/^/  /' <<<"$1")"; }

# A statement and what it returns.
show() {
	local sql result
	sql=$(cat)
	gap
	statement "$sql"
	result=$(psql -qX -v ON_ERROR_STOP=1 -P footer=off -P null=- -c "$sql") || fail "$sql"
	table "$result"
	gap
}

# expect WHAT VALUE: the statement must return just that.
expect() {
	local sql got
	sql=$(cat)
	got=$(value "$sql") || fail "$sql"
	[ "$got" = "$2" ] || fail "$1: expected $2, got: $got"
	ok "$1"
}

# refused SQLSTATE WHAT: the last of the statements must fail so; shows its error.
refused() {
	local sql error
	sql=$(cat)
	gap
	statement "$sql"
	if error=$(psql -qXAt -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -c "$sql" 2>&1); then fail "$2 was not refused"; fi
	case $error in
		*"ERROR:  $1: "*) ;;
		*) fail "$2: expected SQLSTATE $1, got: $error" ;;
	esac
	text "$(sed -n "s/^.*ERROR:  [0-9A-Z]*: /   ${green}refused$plain  /p" <<<"$error")"
}

# found WHAT OBJECT CHECK: a forgery, read from standard input, in a transaction that is rolled back; the check must
# name the object.
found() {
	local forgery findings
	forgery=$(cat)
	gap
	statement "BEGIN; $forgery;"
	statement "$3; ROLLBACK"
	findings=$(psql -qX -v ON_ERROR_STOP=1 -P footer=off \
		-c "BEGIN; DO \$\$BEGIN ${forgery/#SELECT/PERFORM}; END\$\$; $3; ROLLBACK") || fail "$1"
	table "$findings"
	grep -qF "$2" <<<"$findings" || fail "$1 was not found"
	gap
}
