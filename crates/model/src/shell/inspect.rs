//! The one read-only look at a host: the shell that takes it.
//!
//! What it prints is `key NUL value NUL`, over and over, so that a path with a newline, or a record that somebody has
//! scribbled on, stays one value. [`HostFacts::parse`](crate::host::facts::HostFacts::parse) reads it back.

use super::archive::difference;
use super::group::umask;
use super::{ask, health};
use crate::app::health::{Health, HealthQuestion};
use crate::app::service::Service;
use crate::config::SourceName;
use crate::host::layout::Layout;
use crate::host::record::JOURNAL_READ;
use crate::host::sudo::{SudoCommand, SudoNeeded};
use crate::host::written::WRITTEN_LISTED;
use crate::names::{HostPath, SlotName};
use crate::plan::action::Surroundings;
use crate::shell::{quote, quote_words};

/// The tools without which a host can't be deployed to.
pub const NEEDED_TOOLS: [&str; 7] = ["flock", "setsid", "mktemp", "mkfifo", "readlink", "cksum", "stat"];

/// What it takes besides to bring a commit there.
fn tools_of(source: SourceName) -> &'static [&'static str] {
    match source {
        SourceName::Fetch | SourceName::Bundle => &["git"],
        SourceName::Archive => &["tar", "gzip", "sha256sum", "awk"],
    }
}

/// What else to look at, as the settings say.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlsoLookAt<'a> {
    /// Where the app is asked which release it runs.
    pub version_url: Option<&'a str>,
    /// Names or paths of files that the app may lose, with `*` for anything.
    pub scratch_files: &'a [String],
    /// Files that have to be in `shared`.
    pub shared_files: &'a [String],
    /// The slots in which releases are built.
    pub slots: &'a [SlotName],
    /// Services whose unit files or init scripts have to be there already.
    pub services: &'a [Service],
    /// Where unit files, init scripts and jobs of ours belong.
    pub service_files: &'a [HostPath],
    /// Whether the app's jobs belong into the user's crontab.
    pub has_jobs: bool,
    /// Whether something is done by sudo.
    pub needs_sudo: bool,
    /// What, as far as it is known beforehand.
    pub sudo_commands: &'a [SudoCommand],
    /// How the mark of what is this app's begins, and which files of those are wanted, where sudo removes the others.
    pub removals: Option<(&'a str, &'a [HostPath])>,
    /// The user that the app's own code runs as.
    pub run_as: Option<&'a str>,
    /// The group that the app's folders belong to.
    pub group: Option<&'a str>,
    /// Services that should run, as far as anything is live, as [`Service::watched`] says.
    pub units: &'a [String],
    /// How the app is asked whether it is well, and what a command that asks finds around it.
    pub health: Option<(&'a Health, &'a Surroundings)>,
    /// Whether there are other hosts, of which this may be one by another name.
    pub has_others: bool,
    /// How a commit gets there.
    pub source: SourceName,
    /// Whether web servers in front of the app find it by the link.
    pub has_web_servers: bool,
    /// Whether the journal says what can be gone back to.
    pub has_history: bool,
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What a plan depends on.
    Plan,
    /// Also what the plan of a rollback does: whether git can read what would be gone back to.
    Back,
    /// Also what a plan does that removes what isn't wanted any more: jobs that nothing asks for, and which machine it is,
    /// whatever it is called.
    Removal,
    /// Also what decides which releases a tree holds that another tool made, or a person.
    Tree,
    /// Also what people ask about: local changes, the whole journal, what runs.
    Full,
}

/// The shell that looks at an app on a host, and changes nothing.
pub fn inspect_script(layout: &Layout, scope: Scope, also: &AlsoLookAt<'_>) -> String {
    let mut script = umask(also.group).to_owned() + &state_function(layout);
    let scratch = also.scratch_files.iter().map(|pattern| {
        if pattern.contains('/') {
            format!("! -path {}", quote(&format!("./{pattern}")))
        } else {
            format!("! -name {}", quote(pattern))
        }
    });
    let scratch: Vec<String> = scratch.collect();
    let (virtualenv, scratch) = (quote(&format!("./{}", layout.virtualenv)), scratch.join(" "));
    script.push_str(&format!(
        "resolved_listed={RESOLVED_LISTED}\njournal_read={JOURNAL_READ}\nwritten_listed={WRITTEN_LISTED}\nvirtualenv={virtualenv}\nnewer() {{ exec find . -xdev {PASSED_BY} -type f -size +0 -newer \"$filled\" {scratch} -print \"$@\"; }}\n{LOOK}"
    ));
    for tool in tools_of(also.source).iter().chain(&NEEDED_TOOLS) {
        script.push_str(&format!("command -v {tool} >/dev/null || fact missing_tool {tool}\n"));
    }
    // An older release may have come by it.
    if also.source == SourceName::Archive {
        script.push_str("command -v git >/dev/null || fact no_git yes\n");
    }
    if also.source == SourceName::Fetch {
        script.push_str("! command -v git-lfs >/dev/null || fact has_git_lfs yes\n");
    }
    match scope {
        Scope::Plan => {}
        Scope::Back | Scope::Full => script.push_str(LOOK_FOR_COMMITS),
        Scope::Removal => script.push_str(IDENTITY),
        Scope::Tree => script.push_str(&script!("look_at_tree")),
    }
    if scope == Scope::Full {
        script.push_str(&script!("holds"));
        script.push_str(&difference());
        script.push_str(FULL_LOOK);
    }
    let AlsoLookAt {
        version_url,
        shared_files,
        slots,
        services,
        service_files,
        has_jobs,
        needs_sudo,
        sudo_commands,
        removals,
        run_as,
        group,
        units,
        health,
        has_others,
        has_web_servers,
        has_history,
        scratch_files: _,
        source: _,
    } = also;
    if *has_others {
        script.push_str(OWN_FOLDER);
    }
    if *has_history {
        script.push_str(HISTORY);
    }
    // Where nothing is written of jobs, an older version may have installed them.
    let asks = match scope {
        _ if *has_jobs => "true",
        Scope::Removal | Scope::Full => "[ -d \"$memory\" ]",
        Scope::Plan | Scope::Back | Scope::Tree => "[ -f \"$memory/jobs.json\" ]",
    };
    script.push_str(&format!("if {asks}; then\n{JOB_BLOCKS}fi\n"));
    if !service_files.is_empty() {
        let files = service_files.iter().map(|file| file.as_str());
        script.push_str(&format!("set -- {}\n{FILE_OWNERS}", quote_words(files)));
    }
    if *needs_sudo {
        let asks: String = sudo_commands
            .iter()
            .map(|SudoCommand { words, needed }| {
                let needed = match needed {
                    SudoNeeded::Always => "now".to_owned(),
                    SudoNeeded::ForFile(path) => quote(path.as_str()),
                };
                format!("may {needed} {}\n", quote_words(words))
            })
            .collect();
        let asks = if asks.is_empty() { "true\n".to_owned() } else { asks };
        script.push_str(&format!("{SUDO_LOOK}may_all() {{\n{asks}}}\n{SUDO_ASKED}"));
    }
    if let Some((mark, wanted)) = removals.filter(|_| matches!(scope, Scope::Removal | Scope::Full)) {
        let wanted: Vec<&str> = wanted.iter().map(HostPath::as_str).collect();
        let (mark, wanted) = (quote(mark), quote(&wanted.join("\n")));
        script.push_str(&format!("mark={mark}\nwanted={wanted}\n{REMOVALS}{SUDO_LOOK}{SUDO_ASKED}fi\n"));
    }
    if scope == Scope::Full && *has_web_servers {
        script.push_str(&script!("web_servers"));
    }
    // All that a slot holds is a lot: a deploy sees by itself what it can't remove, before anything has changed.
    if scope == Scope::Full && !slots.is_empty() {
        script.push_str(&format!(
            "{}set -- {}\n{LOOK_FOR_STUCK}",
            script!("in_the_way"),
            quote_words(slots.iter().map(SlotName::as_str))
        ));
    }
    if !services.is_empty() {
        script.push_str(HAS_UNIT);
    }
    if services.iter().any(|service| matches!(service, Service::SystemdUser(_))) {
        script.push_str(OWN_SYSTEMD);
    }
    for service in *services {
        let has = match service {
            Service::Init(name) => format!("[ -x {} ]", quote(&format!("/etc/init.d/{name}"))),
            Service::Systemd(name) => format!("has_unit {}", quote(name)),
            Service::SystemdUser(name) => {
                format!("systemctl --user cat -- {} >/dev/null 2>&1", quote(name))
            }
            Service::None | Service::Supervisor(_) | Service::Runit(_) => continue,
        };
        let name = quote(&String::from(service.clone()));
        script.push_str(&format!("{has} || fact missing_service {name}\n"));
    }
    if let Some(user) = run_as.map(quote) {
        script.push_str(&format!("id -u {user} >/dev/null 2>&1 || fact missing_user {user}\n"));
    }
    if let Some(group) = group.map(quote) {
        script.push_str(&format!(
            "[ -z \"$(find \"$path\" \"$releases\" \"$path/shared\" \"$memory\" \"$memory/slots\" -prune -user \"$(id -u)\" \
             ! \\( -group {group} -perm -2070 \\) 2>/dev/null)\" ] || fact ungrouped yes\n"
        ));
    }
    if !units.is_empty() {
        script.push_str(&format!("set -- {}\n{}", quote_words(*units), script!("units")));
    }
    if let Some((health, _)) = health {
        script.push_str(&health::listener_script(layout, &health.question));
    }
    // What serves is asked, and what only half serves: a command of the project's takes its time, and is for people.
    if let Some((health, around)) = health
        && (scope == Scope::Full || !matches!(health.question, HealthQuestion::Command { .. }))
    {
        let look = health::look_script(layout, health, around);
        script.push_str(&format!("if [ -e {}/. ]; then\n{look}fi\n", quote(layout.current().as_str())));
    }
    // Whoever would be given the project by its own web server is told when a person asks.
    let question = health.as_ref().and_then(|(health, _)| match &health.question {
        HealthQuestion::Http(question) => Some((question, health.timeout_seconds)),
        HealthQuestion::Tcp { .. } | HealthQuestion::Command { .. } => None,
    });
    match (scope, question, version_url) {
        (Scope::Full, Some((question, timeout)), _) => {
            script.push_str(&health::look_for_git_script(layout, question, timeout));
        }
        (Scope::Full, None, Some(url)) => script.push_str(&ask::look_for_git_script(url)),
        (Scope::Full, None, None) | (Scope::Plan | Scope::Back | Scope::Removal | Scope::Tree, ..) => {}
    }
    for file in *shared_files {
        let path = quote(layout.shared().join(file).as_str());
        script.push_str(&format!("[ -e {path} ] || fact missing_shared {}\n", quote(file)));
    }
    if let Some(file) = layout.env_file.as_ref().map(|file| quote(file.as_str())) {
        script.push_str(&format!(
            "{}[ ! -r {file} ] || why=$(read_env {file} 2>&1 >/dev/null) || fact bad_env_file \"$why\"\n\
             [ ! -f {file} ] || [ -r {file} ] || closed {file} closed_env_file\n",
            script!("read_env")
        ));
    }
    if let Some(url) = version_url {
        script.push_str(&ask::look_script(url));
    }
    script
}

/// The shell that fails, and says so, unless the state is still the one with this check sum.
pub(crate) fn guard_script(layout: &Layout, state_sum: &str) -> String {
    format!(
        "{}{SUM_UP}state >/dev/null\nsum_up\ncase \"$sum \" in {}' '*) exit 0 ;; esac\n\
         echo 'somebody changed this host since it was looked at' >&2\nexit {GUARD_FAILED}\n",
        state_function(layout),
        quote(state_sum),
    )
}

/// The exit status of a guard that found another state: a temporary failure, in the words of sysexits.h.
pub const GUARD_FAILED: i32 = 75;

/// At most so many folders of `releases` are looked at, the last by their names: a folder a deploy, as other tools make them,
/// can come to thousands. Those that buedafab wrote about are looked at before any other, as is the one that serves.
const FOLDERS_LISTED: usize = 100;

/// At most so many slots are looked at, whatever is known about them.
const SLOTS_LISTED: usize = 200;

/// At most of so many releases is what was resolved for them read; a deploy takes away what no slot remembers.
const RESOLVED_LISTED: usize = 50;

/// Defines `fact`, `slots` and `state`.
///
/// The state is all that decides what a plan does, and a plan that was made from another state is not carried out: the
/// link, a person's hold, and every slot with its record and the commit that is checked out in it. A slot is a folder in
/// `releases`, or a record of one. So the state is another when a folder comes or goes, and is still the same whatever is
/// done to files and hidden folders in `releases`, to what a run has left half-made there, or to the files of a slot.
fn state_function(layout: &Layout) -> String {
    format!(
        "path={path}\nreleases={releases}\nlink={link}\nmemory={memory}\nlock={lock}\n\
         folders_listed={FOLDERS_LISTED}\nslots_listed={SLOTS_LISTED}\n{lacks}{STATE}",
        lacks = script!("clone"),
        path = quote(layout.path.as_str()),
        releases = quote(layout.releases.as_str()),
        link = quote(layout.current().as_str()),
        memory = quote(layout.state().as_str()),
        lock = quote(layout.lock().as_str()),
    )
}

/// Sets `sum`, of what was seen. A runner has a room, and there it takes one process, where a pipe takes three.
const SUM_UP: &str = r#"sum_up() {
  if [ -n "$room" ] && printf '%s' "$seen" 2>/dev/null >"$room/seen"; then
    sum=$(cksum <"$room/seen")
  else
    sum=$(printf '%s' "$seen" | cksum)
  fi
}
"#;

/// A record is read up to its first newline.
const STATE: &str = r#"fact() {
  printf '%s\0%s\0' "$1" "$2"
  seen="$seen$1=$2;"
}
record() {
  if [ -f "$2" ] && [ -r "$2" ]; then
    line=
    IFS= read -r line <"$2" || [ -n "$line" ] || line=
    fact "$1" "$line"
  elif [ -f "$2" ]; then closed "$2"; fi
}
# What somebody else has written, and didn't mean for who looks.
closed() { fact "${2-closed}" "$(stat -c '%U %a' -- "$1" 2>/dev/null)
$1"; }
serves() { [ -L "$link" ] && [ "$link/." -ef "$releases/$slot/." ]; }
slots() {
  # In the same order whatever the language of who looks.
  LC_ALL=C
  listed=0
  more=0
  set -- "$releases"/*
  for folder; do
    slot=${folder##*/}
    left=$#
    shift
    case $slot in "${link##*/}" | *.new | -*) continue ;; esac
    [ -d "$folder" ] || continue
    # A second link of ours, by which people find what served before.
    [ "$slot" != previous ] || [ ! -L "$folder" ] || continue
    if [ "$listed" -lt "$slots_listed" ] && { [ "$left" -le "$folders_listed" ] || [ -f "$memory/slots/$slot.json" ]; } ||
      serves; then
      listed=$((listed + 1))
      "$look"
    else
      more=$((more + 1))
    fi
  done
  for folder in "$memory"/slots/*.json; do
    [ -f "$folder" ] || continue
    slot=${folder##*/}
    slot=${slot%.json}
    [ ! -d "$releases/$slot" ] || continue
    if [ "$listed" -lt "$slots_listed" ]; then
      listed=$((listed + 1))
      "$look"
    else
      more=$((more + 1))
    fi
  done
}
# What another tool has put there without git, and which commit that is.
is_export() {
  revision=
  [ ! -e "$releases/$slot/.git" ] && [ -f "$releases/$slot/REVISION" ] || return
  IFS= read -r revision <"$releases/$slot/REVISION" || [ -n "$revision" ]
}
look_at_slot() {
  fact slot "$slot"
  [ -d "$releases/$slot" ] || fact folder_is_gone yes
  # By whatever way the link leads there, and by whatever other name.
  if serves; then
    if [ -L "$releases/$slot" ]; then fact live "by a link"; else fact live itself; fi
  fi
  unpacked=$memory/slots/$slot.unpacked
  if [ -f "$unpacked" ] && [ -d "$releases/$slot" ]; then
    head=
    IFS= read -r head 2>/dev/null <"$unpacked"
    fact head "$head"
    fact unpacked yes
  elif [ -f "$releases/$slot/.git/HEAD" ]; then
    IFS= read -r line <"$releases/$slot/.git/HEAD"
    # Our own clones stand on a commit; on those of others a branch may be checked out.
    case $line in ref:*) line=$(git --git-dir="$releases/$slot/.git" -c safe.directory='*' rev-parse --quiet --verify HEAD 2>/dev/null) ;; esac
    fact head "$line"
    if [ -f "$releases/$slot/.git/buedafab-modules" ]; then
      IFS= read -r of <"$releases/$slot/.git/buedafab-modules"
      [ "$of" != "$line" ] || fact has_modules yes
    fi
  elif is_export; then
    fact export "$revision"
  fi
  if [ -n "$outer" ] && [ "$path/current/." -ef "$releases/$slot/." ]; then fact outer_live yes; fi
  if [ -L "$releases/$slot" ]; then
    fact slot_is_link yes
  elif [ ! -f "$memory/slots/$slot.json" ] && [ ! -e "$releases/$slot/.git" ]; then
    # Nobody has written that this is a slot, and it looks like none.
    for file in "$releases/$slot"/* "$releases/$slot"/.[!.]*; do
      if [ -e "$file" ] || [ -L "$file" ]; then fact slot_has_files yes; break; fi
    done
  fi
  record record "$memory/slots/$slot.json"
  # A clone of ours, as far as the shell itself can see.
  if [ -f "$memory/slots/$slot.json" ] && [ -d "$releases/$slot" ] && [ ! -L "$releases/$slot" ]; then
    if [ -f "$unpacked" ]; then
      # After a power cut it may be empty, or full of zeroes.
      case $head in *[!0-9a-f]* | '') fact damaged "$slot/the list of its files can't be read" ;; esac
    elif is_export; then
      :
    elif lacks "$releases/$slot"; then
      fact damaged "$slot/$part"
    elif [ -x "$releases/$slot/.git" ] && [ ! -s "$releases/$slot/.git/index" ]; then
      fact damaged "$slot/no index in it"
    fi
  fi
}
state() {
  seen=
  if [ -L "$link" ]; then
    # The dot keeps newlines at the end of a target. Where it leads to a slot by name, there are none.
    target=$(readlink "$link")
    if [ "$link/." -ef "$releases/$target/." ]; then target="$target
."; else target=$(readlink "$link"; echo .); fi
    fact link "$target"
    [ -d "$link/." ] || fact dangling yes
  elif [ -e "$link" ]; then
    fact not_a_link yes
  fi
  outer=
  if [ -L "$path/current" ]; then
    outer=$(readlink "$path/current")
    fact outer "$outer"
  fi
  look=look_at_slot
  slots
  [ "$more" = 0 ] || fact more_slots "$more"
  record hold "$memory/hold"
  record drained "$memory/drained"
}
"#;

/// What nobody minds to lose, and what is asked by other means.
const PASSED_BY: &str =
    r#"\( -name .git -o -name __pycache__ -o -name node_modules -o -path "$virtualenv" \) -prune -o"#;

const LOOK: &str = r#"# Of releases that were made before the time was noted, what is newer than all that is known of them.
# Of what was written, what isn't in the list of an unpacked release: files, or the outermost folders that hold nothing of it.
unknown_of() {
  printf '%s\n' "$written" | awk '
    FNR == NR {
      path = substr($0, 67)
      known[path] = 1
      while (sub(/\/[^\/]*$/, "", path)) around[path] = 1
      next
    }
    !($0 in known) {
      count = split($0, parts, "/")
      path = parts[1]
      for (i = 2; i < count; i++) {
        path = path "/" parts[i]
        if (!(path in around)) break
      }
      path = i < count ? path "/" : $0
      if (!(path in told)) print substr(path, 3)
      told[path] = 1
    }' "$1" -
}
look_for_written() {
  if [ -s "$memory/slots/$slot.takes" ]; then
    read -r line <"$memory/slots/$slot.takes"
    fact takes "$slot/$line"
  fi
  [ -f "$memory/slots/$slot.json" ] && cd "$releases/$slot" 2>/dev/null || return 0
  filled=$memory/slots/$slot.filled
  [ -f "$filled" ] || filled=$memory/slots/$slot.json
  # Mostly there is nothing, and one process sees that; not every find knows how to stop at the first.
  if written=$(newer -quit 2>/dev/null) && [ -z "$written" ]; then
    cd "$OLDPWD" || return 0
    return 0
  fi
  written=$(newer 2>/dev/null | head -n "$written_listed")
  if [ -n "$written" ]; then
    if [ -f "$memory/slots/$slot.unpacked" ]; then
      unknown=$(unknown_of "$memory/slots/$slot.unpacked")
    else
      # Where git can't say what it knows, all of it may be the app's.
      unknown=$(git --git-dir=.git -c safe.directory='*' -c core.quotePath=false ls-files --others --directory 2>/dev/null) ||
        unknown=$(printf '%s\n' "$written" | sed 's,^\./,,')
    fi
    fact written "$slot/$unknown

$written"
  fi
  cd "$OLDPWD" || return 0
}
id=$(id)
fact id "$id"
fact clock "$(date +%s)"
fact state begins
state
fact state ends
record maintenance "$memory/maintenance"
[ ! -e "$path/shared/drained" ] || fact drain_flag yes
record pending "$memory/pending.json"
record owner "$memory/owner.json"
look=look_for_written
slots
set -- "$memory"/releases/*/resolved-*.json
while [ $# -gt "$resolved_listed" ]; do shift; done
for file; do record resolved "$file"; done
# What a host that never had a release takes from those that have it.
serving=
IFS= read -r serving 2>/dev/null <"$link/.git/HEAD"
for file in "$memory"/slots/*.unpacked; do
  slot=${file##*/}
  slot=${slot%.unpacked}
  if [ -f "$file" ] && serves; then IFS= read -r serving <"$file"; fi
done
pins=$memory/releases/$serving/requirements
[ ! -f "$pins" ] || [ ! -r "$pins" ] || fact pins "$(sed -nE 's/^([A-Za-z0-9._-]+)(\[[^]]*\])?(==[^ ;\\]+).*/\1\3/p' "$pins")"
for note in "$memory"/releases/*/archive; do
  [ -f "$note" ] && read -r sum file <"$note" && [ -f "$path/packages/$file" ] || continue
  note=${note%/archive}
  fact archive "${note##*/} $file"
done
for copy in "$releases"/.copies/*/*; do [ ! -d "$copy/tree" ] || fact copy "${copy#"$releases"/.copies/}"; done
for note in "$memory"/releases/*/lfs; do
  [ -f "$note" ] || continue
  note=${note%/lfs}
  fact lfs "${note##*/}"
done
for package in "$path"/packages/*/*; do [ ! -f "$package" ] || fact package "${package#"$path"/packages/}"; done
for folder in "$path" "$releases" "$memory" "$memory/slots" "$memory/releases"; do
  [ ! -d "$folder" ] || { [ -r "$folder" ] && [ -x "$folder" ]; } || closed "$folder"
done
for file in "$memory/journal.jsonl" "$memory/installed" "$memory/back.sh"; do
  [ ! -f "$file" ] || [ -r "$file" ] || closed "$file"
done
[ ! -r "$memory/journal.jsonl" ] || [ -w "$memory/journal.jsonl" ] || fact silent_journal "$(stat -c '%U %a' -- "$memory/journal.jsonl" 2>/dev/null)
$memory/journal.jsonl"
record jobs "$memory/jobs.json"
record fleet "$memory/fleet.json"
if [ -f "$memory/installed" ] && [ -r "$memory/installed" ]; then
  installed=
  while IFS= read -r file; do
    [ ! -e "$file" ] || installed="$installed$file
"
  done <"$memory/installed"
  fact installed "$installed"
fi
# What says whose it is, wherever it belongs: also what nothing asks for any more.
marked=
if [ -d "$memory" ]; then
  set --
  for file in /etc/systemd/system/*.service /etc/systemd/system/*.socket /etc/init.d/* /etc/cron.d/*; do
    # A copy that a person keeps runs nothing; and a link, as systemd makes it for an alias, is another name of what may be wanted.
    case ${file#/etc/} in cron.d/*.* | *~ | *.bak | *.old | *.orig | *.new | *.dpkg-*) continue ;; esac
    [ -L "$file" ] || [ ! -f "$file" ] || set -- "$@" "$file"
  done
  [ $# = 0 ] || marked=$(grep -sH -m 1 '^# buedafab keeps this for ' "$@")
  fact marked "$marked"
fi
for file in "$lock" "$memory/hold" "$memory/journal.jsonl" "$memory/pending.json" "$memory/back.sh"; do
  if [ -L "$file" ] || { [ -e "$file" ] && [ ! -f "$file" ]; }; then fact not_a_file "$file"; fi
done
[ ! -s "$lock" ] || [ ! -r "$lock" ] || flock -n -s "$lock" true || record lock "$lock"
place=$path
[ ! -e "$path" ] || fact exists yes
if [ -d "$memory/slots" ] && [ -d "$releases" ]; then fact has_folders yes; fi
[ ! -s "$memory/reserve.4" ] || fact has_reserve yes
[ ! -e "$memory/wants-all" ] || fact wants_all yes
for litter in "$link".*.new; do [ ! -L "$litter" ] || fact litter yes; done
while [ ! -e "$place" ]; do [ ! -L "$place" ] || fact leads_nowhere "$place"; place=${place%/*}; place=${place:-/}; done
[ ! -w "$place" ] || { [ -e "$path" ] && [ ! -d "$path" ]; } || fact writable yes
for folder in "$lock" "$path/shared" "$memory/slots" "$memory/releases" "$memory" "$releases" "$place"; do
  [ ! -e "$folder" ] || [ -w "$folder" ] || fact read_only "$folder"
done
# Of this file system alone: a df asks all of them, and one of them may be a server that is gone.
fact capacity "$(stat -f -c '%a %b %S %d %c' -- "$place" 2>/dev/null)"
"#;

/// What has served, as far as its lines are read at all.
const HISTORY: &str = r#"[ ! -f "$memory/journal.jsonl" ] || [ ! -r "$memory/journal.jsonl" ] ||
  fact served "$(tail -c $journal_read "$memory/journal.jsonl" | tr -d '\000' | sed -nE '/"kind":"(deployed|rolled_back|adopted)"/p')"
"#;

/// What can't be removed from a slot that serves nothing.
const LOOK_FOR_STUCK: &str = r#"for slot; do
  shift
  [ ! -d "$releases/$slot" ] || [ -L "$releases/$slot" ] || serves || set -- "$@" "$releases/$slot"
done
if [ $# -gt 0 ]; then
  stuck=$(in_the_way "$@"; echo .)
  stuck=${stuck%.}
  stuck=${stuck%?}
  [ -z "$stuck" ] || fact stuck "$(owner_of "$stuck") ${stuck#"$releases/"}"
fi
"#;

/// Whether systemd would find a unit, in any of its folders or as an init script. Not everybody may ask systemd itself.
const HAS_UNIT: &str = r#"has_unit() {
  case $1 in *.*) unit=$1 ;; *) unit=$1.service ;; esac
  case $unit in *@*) general=${unit%%@*}@.${unit##*.} ;; *) general=$unit ;; esac
  for folder in /etc/systemd/system /run/systemd/system /run/systemd/generator /run/systemd/generator.late \
    /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
    [ ! -e "$folder/$unit" ] && [ ! -e "$folder/$general" ] || return 0
  done
  [ -x "/etc/init.d/${unit%.service}" ]
}
"#;

/// Where the user's own systemd is found, if the session came about without PAM; and whether it goes on when nobody is logged in.
const OWN_SYSTEMD: &str = r#"export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
[ "$(id -u)" = 0 ] || [ -e "/var/lib/systemd/linger/$(id -un)" ] || fact lingers no
"#;

/// Whose the blocks of jobs are in the user's crontab: of each its label, and then its mark.
const JOB_BLOCKS: &str = r#"fact job_blocks "$(crontab -l 2>/dev/null | awk '
  /^# begin .*, kept by buedafab$/ { label = substr($0, 9, length($0) - 26) }
  label != "" && /^# buedafab keeps this for / { print label; print; label = "" }
  /^# end / { label = "" }')"
"#;

/// Whose a unit file or an init script is, says one of its first lines.
const FILE_OWNERS: &str = r#"for file; do
  [ -f "$file" ] && [ -r "$file" ] || continue
  count=0
  while [ "$count" -lt 5 ] && IFS= read -r line; do
    count=$((count + 1))
    case $line in '# buedafab keeps this for '*) fact file_owner "$file
$line" ;; esac
  done <"$file"
done
"#;

/// Whether sudo allows a command without a password, `now` or where this file has to be written; it has to be if it isn't there. To run something that isn't
/// allowed would be reported to root; to ask for it isn't. Who may only restart one service may still deploy. That a command
/// is allowed is said of one that takes a password, too: what is listed tells them apart.
const SUDO_LOOK: &str = r#"may() {
  needed=$1
  case $needed in /*) if [ -e "$needed" ]; then needed=for_files; else needed=now; fi ;; esac
  shift
  tool=$(command -v "$1") || tool=$1
  if sudo -n -l "$@" >/dev/null 2>&1; then allowed=yes; else allowed=no; fi
  shift
  fact sudo_may "$needed $allowed $tool${*:+ $*}"
}
"#;

/// What removes what isn't wanted any more; sudo is asked about it where there is such a thing.
const REMOVALS: &str = r#"removable=$(printf '%s\n' "$marked" | while IFS= read -r line; do
  file=${line%%:# *}
  case ${line#"$file:"} in "$mark,"* | "$mark}"*) printf '%s\n' "$wanted" | grep -qxF -e "$file" || printf '%s\n' "$file" ;; esac
done)
may_all() {
  while IFS= read -r file; do
    name=${file##*/}
    case $file in
      */init.d/*) [ ! -x "$file" ] || may removal "$file" stop ;;
      *.service | *.socket)
        case $(systemctl is-active "$name" 2>/dev/null) in
          inactive* | failed* | unknown*) ;;
          *) may removal systemctl stop "$name" ;;
        esac
        may removal systemctl daemon-reload
        ;;
    esac
    may removal rm -f "$file"
  done <<REMOVABLE
$removable
REMOVABLE
}
if [ -n "$removable" ]; then
"#;

/// Where all is allowed, nothing needs to be asked for: the last word is that of an entry without a password, for all.
const SUDO_ASKED: &str = r#"case $id in
  'uid=0('*) ;;
  *)
    if listed=$(LC_ALL=C sudo -n -ll 2>/dev/null); then fact sudo yes; else fact sudo no; fi
    free=no all=no of_root=yes
    while IFS= read -r line; do
      case $line in
        'Sudoers entry'*) free=no of_root=yes ;;
        *RunAsUsers:*) case "$line," in *' root,'* | *' ALL,'*) ;; *) of_root=no ;; esac ;;
        *Options:*'!authenticate'*) free=yes ;;
        *Commands:*) [ "$of_root" = no ] || all=no ;;
        '	ALL') [ "$of_root" = no ] || all=$free ;;
      esac
    done <<END
$listed
END
    if [ "$all" = no ]; then
      fact sudo_rules "$listed"
      may_all
    fi
    ;;
esac
"#;

/// Machines that were copied may share all but what is made when they start; and those that start together, as containers do,
/// not the folders in which services and jobs are installed.
const IDENTITY: &str = r#"boot=
{ IFS= read -r boot </proc/sys/kernel/random/boot_id || IFS= read -r boot </etc/machine-id; } 2>/dev/null
folders=$(stat -c '%d:%i' /etc/. /etc/systemd/system /etc/init.d /etc/cron.d 2>/dev/null)
[ -z "$boot" ] || [ -z "$folders" ] || fact identity "$boot $folders"
"#;

/// Which folder this is, by whatever names the machine and the folder were reached: one that isn't there yet is told by the one that it
/// would be made in. Two machines may share a folder over the network, and containers all but their file systems.
const OWN_FOLDER: &str = r#"boot=
{ IFS= read -r boot </proc/sys/kernel/random/boot_id || IFS= read -r boot </etc/machine-id; } 2>/dev/null
at=$(stat -c '%d:%i' /etc/. "$place/." 2>/dev/null)
[ -z "$boot" ] || [ -z "$at" ] || fact own_folder "$boot $at ${path#"$place"}"
"#;

/// Whether the commits can be read that a rollback would compare files with.
const LOOK_FOR_COMMITS: &str = r#"export GIT_OPTIONAL_LOCKS=0 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
can_be_asked() {
  ! lacks "$releases/$slot" && [ -s "$releases/$slot/.git/index" ] && command -v git >/dev/null
}
# Whether what a virtualenv was made with still runs it. An upgrade of the system takes it away, or puts another version in its
# place, which looks for packages elsewhere.
has_python() {
  env=$releases/$slot/${virtualenv#./}
  [ -f "$env/pyvenv.cfg" ] || return 0
  [ -x "$env/bin/python" ] && "$env/bin/python" -I -S -B -c 'import os, sys
sys.exit(not os.path.isdir("%s/lib/python%d.%d" % ((sys.argv[1],) + sys.version_info[:2])))' "$env" 2>/dev/null
}
look_for_commits() {
  [ ! -f "$memory/slots/$slot.json" ] || serves || has_python || fact python_is_gone "$slot"
  if [ ! -f "$memory/slots/$slot.json" ] || [ -f "$memory/slots/$slot.unpacked" ] || ! can_be_asked; then return 0; fi
  git -C "$releases/$slot" ls-tree -r --full-tree HEAD >/dev/null 2>&1 || fact damaged "$slot/objects can't be read"
}
look=look_for_commits
slots
"#;

const FULL_LOOK: &str = r#"# What holds it is no run of ours, which would have said so.
[ -s "$lock" ] || [ ! -f "$lock" ] || [ ! -r "$lock" ] || flock -n -s "$lock" true || fact lock ""
[ ! -f "$memory/journal.jsonl" ] || [ ! -r "$memory/journal.jsonl" ] || fact journal "$(tail -c $journal_read "$memory/journal.jsonl" | tail -n 200)"
look_for_changes() {
  [ -f "$memory/slots/$slot.json" ] || serves || return 0
  unpacked=$memory/slots/$slot.unpacked
  if [ -f "$unpacked" ] && [ -d "$releases/$slot" ]; then
    is_unchanged "$releases/$slot"
    case $? in
      0 | 1)
        [ -z "$changed" ] || ! is_as_built "$releases/$slot" "$memory/slots/$slot.filled" || changed=
        fact changes "$slot/$changed"
        ;;
      *) fact unreadable "$slot/the list of its files can't be read" ;;
    esac
    return 0
  fi
  can_be_asked || return 0
  if changes=$(git -C "$releases/$slot" status --porcelain --untracked-files=no 2>/dev/null); then
    [ -z "$changes" ] || ! is_as_built "$releases/$slot" "$memory/slots/$slot.filled" || changes=
    fact changes "$slot/$changes"
  elif holds "$releases/$slot" HEAD; then
    fact unreadable "$slot/its index can't be read"
    return 0
  fi
  holds "$releases/$slot" HEAD || fact unreadable "$slot/objects can't be read"
}
look=look_for_changes
slots
fact git "$(git --version 2>/dev/null)"
fact umask "$(umask)"
"#;

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_look_is_shell_that_parses() {
        let layout = Layout {
            path: HostPath::new("/srv/it's \"five\"").expect("a path"),
            releases: HostPath::new("/srv/it's \"five\"/releases").expect("a path"),
            link: "current".into(),
            virtualenv: "env".into(),
            adds_up: false,
            env_file: None,
        };
        let script = inspect_script(&layout, Scope::Full, &AlsoLookAt::default());
        for shell in ["dash", "bash"] {
            let status = std::process::Command::new(shell).args(["-nc", &script]).status().expect("it runs");
            assert!(status.success(), "{shell}");
        }
    }
}
