# Defines `seed_env`, which gives a slot that has no virtualenv a copy of the one that serves, as far as that is ours and was made by the
# same: what is made from the same is the same, and the rest is quicker to bring up to date than to make. POSIX sh. `env`, `here`, `link`,
# `name`, `interpreter`, `reinstall` and `find_maker` are those of virtualenv.sh; `move_env` is a program for Python.

seed_env() {
  [ "$reinstall" = no ] && [ ! -e "$env" ] && [ ! -L "$env" ] || return 0
  slot_of_live=$(cd -P "$link" 2>/dev/null && pwd) || return 0
  from=$slot_of_live/$name
  [ -f "$from/.buedafab" ] && [ ! -L "$from" ] || return 0
  read -r was_asked was_id was_made <"$from/.buedafab"
  # The same installer; a pip is copied, too.
  case $was_made in
    "uv in $from") [ -n "$uv" ] || return 0 ;;
    *" in $from") [ -z "$uv" ] || return 0 ;;
    *) return 0 ;;
  esac
  # A copy that was cut short is none.
  { rm -rf "$env.new" && cp -RPp "$from" "$env.new" && rm -rf "$env.new/.buedafab" "$env.new/.answers" &&
    "$interpreter" -c "$move_env" "$env.new" "$slot_of_live" "$here" && mv "$env.new" "$env"; } 2>/dev/null || {
    rm -rf "$env.new"
    return 0
  }
  find_maker
  echo "$was_asked $was_id $made_by" >"$env/.buedafab"
}
