#!/bin/sh
# Make .env with a password for everybody who logs in, and from it the files that the containers read.
#
# What is in .env already stays as it is. Passwords of 48 hexadecimal digits, of the system's random source.
#   deploy/env.sh [FOLDER]    default: the checkout
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/..}"

NAMES='ELASTIC_PASSWORD KIBANA_SYSTEM_PASSWORD INDEX_PASSWORD READER_PASSWORD
  KIBANA_SESSION_KEY KIBANA_OBJECTS_KEY KIBANA_REPORTING_KEY'

value_of() { sed -n "s/^$1=//p" .env | tail -n 1; }

say() { printf '%s\n' "$*"; }

refuse() { say "make env: $*" >&2; exit 1; }

fill() { # NAME VALUE, unless it has one
  [ -n "$(value_of "$1")" ] || { say "$1=$2" >>.env; made="$made $1"; }
}

made=''
[ -e .env ] || say '# Made by make env. Whoever can read this file can read and change everything.' >.env
chmod 600 .env
[ -z "$(tail -c 1 .env)" ] || say '' >>.env # a last line without an end is not to be written on
fill SECRETS_FOLDER ./.secrets
for name in $NAMES; do
  fill "$name" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
  case $(value_of "$name") in
    *[!A-Za-z0-9._-]*) refuse "$name in .env may have letters, digits, '.', '_' and '-' only, and no quotes" ;;
  esac
done
for name in KIBANA_SESSION_KEY KIBANA_OBJECTS_KEY KIBANA_REPORTING_KEY; do
  [ "$(value_of "$name" | wc -c)" -gt 32 ] || refuse "$name in .env must have 32 characters or more"
done

# The folder is closed to others, its files are not: each is mounted into containers whose users are not ours.
folder=$(value_of SECRETS_FOLDER)
mkdir -p "$folder"
chmod 700 "$folder"
write() { # FILE, from standard input
  cat >"$folder/.new"
  chmod 444 "$folder/.new"
  # Written over, as a running container holds on to the file and not to its name.
  if [ -e "$folder/$1" ]; then cmp -s "$folder/.new" "$folder/$1" || { chmod 644 "$folder/$1"; cat "$folder/.new" >"$folder/$1"; chmod 444 "$folder/$1"; }
  else cp -p "$folder/.new" "$folder/$1"; fi
  rm -f "$folder/.new"
}
for name in ELASTIC_PASSWORD KIBANA_SYSTEM_PASSWORD INDEX_PASSWORD READER_PASSWORD; do
  say "$(value_of "$name")" | write "$(say "$name" | tr '[:upper:]' '[:lower:]')"
done
{
  cat "$here/kibana/kibana.yml"
  say "elasticsearch.password: \"$(value_of KIBANA_SYSTEM_PASSWORD)\""
  say "xpack.security.encryptionKey: \"$(value_of KIBANA_SESSION_KEY)\""
  say "xpack.encryptedSavedObjects.encryptionKey: \"$(value_of KIBANA_OBJECTS_KEY)\""
  say "xpack.reporting.encryptionKey: \"$(value_of KIBANA_REPORTING_KEY)\""
} | write kibana.yml

if [ -n "$made" ]; then say ".env: made$made"; else say '.env: nothing to make'; fi
