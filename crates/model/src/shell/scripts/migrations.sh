# Looks for migrations that the database has and the release to go back to doesn't know; then refuses, or undoes them from
# the release that knows them. POSIX sh.
#
# Assignments stand before this text: older and newer, folders of releases; env, the virtualenv's name in them; mode,
# refuse or reverse.

list='from django.db import connections
from django.db.migrations.loader import MigrationLoader
for alias in connections:
    loader = MigrationLoader(connections[alias])
    for app, name in sorted(loader.disk_migrations):
        print("DISK", alias, app, name)
    for app, name in sorted(loader.applied_migrations):
        print("APPLIED", alias, app, name)'
manage() {
  folder=$1
  shift
  (cd "$folder" && PATH="$folder/$env/bin:$PATH" && export PATH VIRTUAL_ENV="$folder/$env" && python manage.py "$@")
}
line='
'
known=$(manage "$older" shell -v 0 -c "$list") || {
  echo "the database can't be asked for its migrations; --keep-schema rolls back without looking" >&2
  exit 1
}
applied=$(printf '%s\n' "$known" | sed -n 's/^APPLIED //p')
on_disk=$line$(printf '%s\n' "$known" | sed -n 's/^DISK //p')$line
# What neither release has on disk was squashed away long ago. One that can't start any more can't say.
newer_disk=$(manage "$newer" shell -v 0 -c "$list" 2>/dev/null | sed -n 's/^DISK //p')
newer_disk=${newer_disk:+$line$newer_disk$line}
unknown=$(printf '%s\n' "$applied" | while read -r alias app name; do
  case $on_disk in *"$line$alias $app $name$line"*) continue ;; esac
  case ${newer_disk:-"$line$alias $app $name$line"} in *"$line$alias $app $name$line"*) echo "$alias $app $name" ;; esac
done)
[ -n "$unknown" ] || exit 0
if [ "$mode" = refuse ]; then
  {
    echo "the database has migrations that the release to go back to doesn't know:"
    printf '%s\n' "$unknown" | while read -r alias app name; do echo "  $app.$name"; done
    echo "--keep-schema leaves them, --reverse-migrations undoes them first"
  } >&2
  exit 1
fi
# Back to the last one of each app that the older release knows.
printf '%s\n' "$unknown" | while read -r alias app name; do echo "$alias $app"; done | sort -u | while read -r alias app; do
  last=$(printf '%s\n' "$applied" | while read -r a b c; do
    [ "$a $b" = "$alias $app" ] || continue
    case $on_disk in *"$line$a $b $c$line"*) echo "$c" ;; esac
  done | sort | tail -n 1)
  manage "$newer" migrate --noinput --database "$alias" "$app" "${last:-zero}" </dev/null || exit
done
