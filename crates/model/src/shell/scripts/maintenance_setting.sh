# Says in a release's settings whether it is in maintenance, as buedafab did. POSIX sh.
#
# Assignments stand before this text: file, the settings; value, True or False.

line='^(MAINTENANCE_MODE[[:space:]]*=[[:space:]]*)(True|False)([[:space:]]*(#.*)?)$'
if ! grep -qE "$line" "$file" 2>/dev/null; then
  # A release that can't be in maintenance isn't.
  [ "$value" = True ] || exit 0
  echo "there is no line MAINTENANCE_MODE = False in $file: add it, or name another file by \`settings_file\` in buedafab.toml" >&2
  exit 1
fi
trap 'rm -f "$file.new"' EXIT
trap 'exit 1' HUP INT TERM
# Who shares the folder may have left a link there, which would be followed.
rm -f "$file.new" && cp -p "$file" "$file.new" &&
  sed -E "s/$line/\\1$value\\3/" "$file" >"$file.new" &&
  if ! cmp -s "$file" "$file.new"; then mv -f "$file.new" "$file"; fi
