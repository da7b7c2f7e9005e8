#!/usr/bin/env bash
# npm and better-sqlite3 13: with a lock file an install needs python, without one it does not.
#
# better-sqlite3 13.2.0 carries its binaries and says `"gypfile": false`, by which npm leaves its binding.gyp alone. npm 10.9.9
# and 11.21.2 take the package's metadata from the lock file where there is one, do not write `gypfile` into it, and so run
# `node-gyp rebuild`: without python `npm ci` fails ("gyp ERR! find Python") on a lock file that the same npm has just made,
# while `npm install` without that file succeeds. A hand-written `"gypfile": false` in the lock file's entry is honoured.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir bin project
for tool in node sh env; do ln -s "$(command -v $tool)" "bin/$tool"; done
failed=0
expect() { [ "$2" = "$3" ] && echo "as before: $1: $2" || { echo "CHANGED: $1: $2, it was $3"; failed=1; }; }

for version in 10.9.9 11.21.2; do
  npm install --silent --no-save --prefix "npm-$version" "npm@$version"
  run() {
    (cd project && PATH="$folder/bin" node "$folder/npm-$version/node_modules/npm/bin/npm-cli.js" "$@" \
      --no-audit --no-fund >"$folder/out" 2>&1) && echo works || { grep -q 'find Python' out && echo 'wants python' || echo fails; }
  }
  rm -rf project/*
  echo '{"name":"p","version":"1.0.0","dependencies":{"better-sqlite3":"13.2.0"}}' >project/package.json
  expect "npm $version, install without a lock file" "$(run install)" works
  expect "npm $version, ci with the lock file that this made" "$(run ci)" 'wants python'
  sed -i 's|^    "node_modules/better-sqlite3": {|&\n      "gypfile": false,|' project/package-lock.json
  expect "npm $version, ci with gypfile in the lock file" "$(run ci)" works
done
exit $failed
