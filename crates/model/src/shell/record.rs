//! What is buedafab's own on a host, as the shell that writes it.

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::archive::difference;
use super::git::{git, set_aside};
use super::group::{TWICE, give, give_slot};
use super::inspect::guard_script;
use super::resolved::keep_resolved;
use super::{quote, quote_words};
use crate::app::owner::Owner;
use crate::host::fleet::Fleet;
use crate::host::layout::Layout;
use crate::host::record::{Hold, JournalKind, JournalRecord, SlotRecord, SlotState, tail_of};
use crate::host::tree::AdoptionRecord;
use crate::names::{CommitId, HostPath, RunId, SlotName};
use crate::plan::Ended;
use crate::plan::action::{Copies, RecordAction};

pub(super) fn render(action: &RecordAction, layout: &Layout, run: &RunId) -> String {
    // The host says when.
    let at = Timestamp::UNIX_EPOCH;
    match action {
        RecordAction::GiveToGroup { slot, group } => {
            let slot = layout.slot(slot);
            format!("{TWICE}[ ! -d {} ] || {{\n{}}}", quote(slot.as_str()), give_slot(&slot, group))
        }
        RecordAction::CreateFolders { group, owner } => create_folders(layout, group.as_deref(), owner),
        RecordAction::KeepReserve => keep_reserve(layout) + "keep_reserve",
        RecordAction::GiveRoomBack { slot, release, former, turn, packages } => {
            let record = SlotRecord {
                at,
                state: SlotState::Failed,
                release: release.clone(),
                former: former.clone(),
                turn: *turn,
                run: run.clone(),
            };
            give_room_back(layout, &record, slot, packages)
        }
        // Shown, and never run: the runner itself takes the lock.
        RecordAction::Lock { .. } => format!("flock -n {}", quote(layout.lock().as_str())),
        RecordAction::Guard { state_sum } => guard_script(layout, state_sum),
        RecordAction::Recover => format!("exec sh {}", quote(layout.way_back().as_str())),
        RecordAction::Record { slot, state, release, former, turn, optional } => {
            let record = SlotRecord {
                at,
                state: *state,
                release: release.clone(),
                former: former.clone(),
                turn: *turn,
                run: run.clone(),
            };
            let recorded = replace_file(layout, &layout.record(slot), &record);
            // What is newer was written by the app, or by what the run does with a release that is ready.
            if *state == SlotState::Ready && !optional {
                format!("{recorded} && {{\n{}{}}}", note_build(layout, slot), note_takes(layout, slot))
            } else {
                recorded
            }
        }
        RecordAction::DropWritten { slot } => note_time(&layout.filled(slot)),
        RecordAction::KeepCopy { slot, commit } => copy_of(layout, slot, commit) + &script!("keep_copy"),
        RecordAction::PutBack { slot, commit, record, aside } => {
            let with_record = if *record { "yes" } else { "no" };
            let copy = copy_of(layout, slot, commit) + &format!("with_record={with_record}\n");
            git(layout) + &set_aside(layout, slot, aside, run) + &copy + &script!("put_back")
        }
        RecordAction::DropCopies { slot, copies } => {
            let (of, but) = match copies {
                Copies::Of(commit) => (commit.as_str(), ""),
                Copies::AllBut(commit) => ("", commit.as_ref().map_or("", CommitId::as_str)),
            };
            let (copies, pending) =
                (assign("copies", &layout.copies(slot)), assign("pending", &layout.pending()));
            format!("{copies}{pending}of={of} but={but}\n{}", script!("drop_copies"))
        }
        RecordAction::KeepResolved { resolved } => keep_resolved(layout, resolved),
        RecordAction::SwitchLink { target } => switch_link(layout, target.as_deref(), run),
        RecordAction::Journal { kind, by, release, from, reason, skipped } => {
            let record = JournalRecord {
                at,
                kind: *kind,
                run: run.clone(),
                by: by.clone(),
                release: release.clone(),
                from: from.clone(),
                skipped: skipped.clone(),
                reason: reason.clone(),
                stopped: None,
            };
            let noted = journal_line(&record, layout);
            if *kind == JournalKind::Deployed { tell_hold(layout) + &noted } else { noted }
        }
        RecordAction::Hold { by, reason } => {
            let hold = Hold { at, by: by.clone(), reason: reason.clone() };
            format!(
                "mkdir -p {} && {{ {}; }}",
                quote(layout.state().as_str()),
                replace_file(layout, &layout.hold(), &hold)
            )
        }
        RecordAction::Fleet { hosts, gone } => {
            let fleet = Fleet { at, hosts: hosts.clone(), gone: gone.clone() };
            replace_file(layout, &layout.fleet(), &fleet)
        }
        RecordAction::TakeOver { owner } => {
            let file = quote(layout.owner().as_str());
            let text = quote(&serde_json::to_string(owner).expect("plain data"));
            format!(
                "{} && mv -f {file}.new {file}",
                write_new(&format!("printf '%s\\n' {text}"), &format!("{file}.new"))
            )
        }
        RecordAction::Unhold => format!("rm -f {}", quote(layout.hold().as_str())),
        RecordAction::LinkPrevious { link, slot } => link_previous(layout, link, slot.as_ref(), run),
        RecordAction::RemoveSlot { slot, release: _ } => remove_slot(layout, slot),
        RecordAction::Adopt { slot, state, release, turn } => {
            let record = SlotRecord {
                at,
                state: *state,
                release: release.clone(),
                former: None,
                turn: *turn,
                run: run.clone(),
            };
            // What is newer from now on was written by the app, or by somebody.
            format!(
                "{} && {}",
                replace_file(layout, &layout.record(slot), &record),
                note_time(&layout.filled(slot))
            )
        }
        RecordAction::NoteAdoption { runs, link } => {
            let record = AdoptionRecord { at, runs: runs.clone(), link: link.clone() };
            replace_file(layout, &layout.adopted(), &record)
        }
        RecordAction::Disown { slots, all } => {
            let of_slot = |slot: &SlotName| [layout.record(slot), layout.filled(slot), layout.takes(slot)];
            let own = [layout.adopted(), layout.owner(), layout.fleet()];
            let files = slots.iter().flat_map(of_slot).chain(own.into_iter().filter(|_| *all));
            let files: Vec<HostPath> = files.collect();
            format!("rm -f {}", quote_words(files.iter().map(HostPath::as_str)))
        }
        RecordAction::FollowLink { slot, before } => {
            other_link(layout, slot, before, run) + &script!("other_link") + "follow"
        }
        RecordAction::PutLinkBack { slot, before } => {
            other_link(layout, slot, before, run) + &script!("other_link") + "put_back"
        }
        RecordAction::Prune => format!(
            "kept={}\nslots={}\npackages={}\nstore={}\n{}",
            quote(layout.kept().as_str()),
            quote(layout.state().join("slots").as_str()),
            quote(layout.packages().as_str()),
            quote(layout.lfs_store().as_str()),
            script!("prune")
        ),
    }
}

/// Notes when a slot was filled, and the check sum of what its own build has changed in it, if anything. The file may be another
/// deployer's: they share the folder.
fn note_build(layout: &Layout, slot: &SlotName) -> String {
    format!(
        "{git}slot={slot} filled={filled} unpacked={unpacked}\n{difference}{NOTE_BUILD}",
        git = git(layout),
        difference = difference(),
        unpacked = quote(layout.unpacked(slot).as_str()),
        slot = quote(layout.slot(slot).as_str()),
        filled = quote(layout.filled(slot).as_str()),
    )
}

/// Mostly a build changes nothing, and to note that takes no process but git's.
const NOTE_BUILD: &str = r#"unfinished=$slot/.git/unfinished
[ -f "$unpacked" ] || { true >"$unfinished" || rm -f "$unfinished"; } 2>/dev/null
is_unchanged "$slot"
changed=$?
changed_by_build() { [ $changed != 1 ] || difference "$slot" 2>/dev/null; }
{ [ $changed != 1 ] && [ ! -L "$filled" ] && true >"$filled"; } 2>/dev/null ||
  { rm -f "$filled.new" && changed_by_build >"$filled.new" && mv -f "$filled.new" "$filled"; } || { rm -f "$filled.new"; false; }
"#;

/// Makes a file as new, and leaves what it says.
fn note_time(path: &HostPath) -> String {
    let path = quote(path.as_str());
    format!(
        "{{ touch {path} || {{ rm -f {path}.new && cp {path} {path}.new && mv -f {path}.new {path}; }}; }} 2>/dev/null"
    )
}

/// Notes what a slot takes of the disk: KiB and inodes. To look takes time, and releases of an app are much alike: once is
/// enough, until dependencies are installed anew. The file may be another deployer's: they share the folder.
fn note_takes(layout: &Layout, slot: &SlotName) -> String {
    let environment = layout.slot(slot).join(&layout.virtualenv).join(".buedafab");
    format!(
        "(\n  file={file} slot={slot}\n  \
           measure() {{ kib=$(du -skx \"$slot\") && echo \"${{kib%%[!0-9]*}} $(find \"$slot\" -xdev | wc -l)\"; }}\n  \
           if [ ! -s \"$file\" ] || [ {environment} -nt \"$file\" ]; then\n    \
             rm -f \"$file\"\n    \
             measure >\"$file\"\n  \
           fi\n  \
           true\n) 2>/dev/null\n",
        file = quote(layout.takes(slot).as_str()),
        slot = quote(layout.slot(slot).as_str()),
        environment = quote(environment.as_str()),
    )
}

/// Does something that takes room again, if it fails, in the room that is kept for it. `write` sets no variable and never
/// exits, and nor does this.
fn or_of_the_reserve(layout: &Layout, write: &str) -> String {
    or_of_the_reserve_after(layout, write, "true")
}

/// The same, and before it is done again, what puts right what the first try has left.
fn or_of_the_reserve_after(layout: &Layout, write: &str, mend: &str) -> String {
    let reserve = quote(layout.reserve().as_str());
    format!(
        "write() {{\n  {write}\n}}\nwrite 2>/dev/null || {{ [ ! -e {reserve}.1 ] || rm -f {reserve}.[1-4]; {mend}; write; }}"
    )
}

/// Defines `keep_reserve`: a few files, since inodes may be what is missing, of what no file system makes smaller or shares. Where
/// there is room for some of it only, that is kept, and the last one stays empty.
fn keep_reserve(layout: &Layout) -> String {
    let reserve = quote(layout.reserve().as_str());
    format!(
        "keep_reserve() {{\n  [ ! -s {reserve}.4 ] || return 0\n  \
           head -c {RESERVE_EACH} /dev/urandom | tee {reserve}.1 {reserve}.2 {reserve}.3 >{reserve}.4 || {{ : >{reserve}.4 && false; }}\n}}\n"
    )
}

/// So much is kept four times over: enough for a way back, a record of what is pending, the link, and a line of the journal.
const RESERVE_EACH: u32 = 64 << 10;

/// Assigns a slot's name and folder, the link, and the files of what is noted about the slot.
fn notes_of(layout: &Layout, slot: &SlotName) -> String {
    let name = format!("name={}\n", quote(slot.as_str()));
    let paths = [
        ("slot", layout.slot(slot)),
        ("link", layout.current()),
        ("record", layout.record(slot)),
        ("filled", layout.filled(slot)),
        ("overwritten", layout.overwritten(slot)),
        ("takes", layout.takes(slot)),
        ("unpacked", layout.unpacked(slot)),
    ];
    let paths = paths.map(|(name, path)| assign(name, &path));
    name + &paths.concat()
}

/// What the scripts read that keep a copy of a slot, and put it back.
fn copy_of(layout: &Layout, slot: &SlotName, commit: &CommitId) -> String {
    notes_of(layout, slot)
        + &assign("copies", &layout.copies(slot))
        + &format!("commit={commit}\n")
        + &script!("mounts")
}

fn assign(name: &str, path: &HostPath) -> String {
    format!("{name}={}\n", quote(path.as_str()))
}

fn give_room_back(layout: &Layout, failed: &SlotRecord, slot: &SlotName, packages: &[String]) -> String {
    let assignments = [
        format!("run={}\n", quote(failed.run.as_str())),
        notes_of(layout, slot),
        assign("state", &layout.state()),
        assign("packages", &layout.packages()),
        assign("cache", &layout.uv_cache()),
        format!("set -- {}\n", quote_words(packages.iter().map(String::as_str))),
        format!("write_failed() {{\n{}\n}}\n", replace_file(layout, &layout.record(slot), failed)),
    ];
    assignments.concat() + &keep_reserve(layout) + &script!("mounts") + &script!("give_room_back")
}

fn journal_line(record: &JournalRecord, layout: &Layout) -> String {
    let journal = quote(layout.journal().as_str());
    // What isn't a file may never be read by anybody.
    format!(
        "if [ -e {journal} ] && [ ! -f {journal} ]; then echo {journal}' is no file' >&2; false; else\n{}\nfi",
        or_of_the_reserve_after(
            layout,
            &format!("{} >>{journal}", stamped(record)),
            // What of the line was written before the disk was full stays a line of its own.
            &format!("[ ! -s {journal} ] || [ -z \"$(tail -c 1 {journal})\" ] || echo >>{journal}")
        )
    )
}

/// No run is stopped by a hold that is put up after it has begun.
fn tell_hold(layout: &Layout) -> String {
    format!(
        "[ ! -f {} ] || echo 'meanwhile the next deploys were put on hold: `status` says why'\n",
        quote(layout.hold().as_str())
    )
}

/// Adds a line to the journal that tells how a run came to nothing, as soon as that is known.
pub(super) fn render_ended(action: &RecordAction, ended: &Ended, layout: &Layout, run: &RunId) -> String {
    let RecordAction::Journal { kind: _, by, release, from, reason: _, skipped: _ } = action else {
        return render(action, layout, run);
    };
    let Ended { kind, reason, stopped, is_in_traffic: _ } = ended;
    let record = JournalRecord {
        at: Timestamp::UNIX_EPOCH,
        kind: *kind,
        run: run.clone(),
        by: by.clone(),
        release: release.clone(),
        from: from.clone(),
        skipped: Vec::new(),
        reason: Some(reason.clone()),
        stopped: Some(stopped.clone()),
    };
    journal_line(&record, layout)
}

/// Prints a record as one line of JSON, with the host's time in front. A runner asks for the time once for several.
fn stamped<T: Serialize>(record: &T) -> String {
    format!(
        "printf '{{\"at\":\"%s\",%s\\n' \"${{buedafab_now:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}}\" {}",
        quote(&tail_of(record))
    )
}

/// Writes what this prints into a file that isn't there yet. Who shares the folder may have left half a file of theirs there, or a
/// link, which would be followed; and where it can't be written, no half of ours stays. Mostly no process is needed.
pub(super) fn write_new(print: &str, new: &str) -> String {
    format!(
        "{{ {{ [ ! -e {new} ] && [ ! -L {new} ]; }} || rm -f {new}; }} && set -C && {{ {{ {print} >{new} && set +C; }} || {{ set +C; rm -f {new}; false; }}; }}"
    )
}

/// Replaces a file by one rename, so that a crash or a full disk leaves the old one or the new one.
pub(super) fn replace_file<T: Serialize>(layout: &Layout, path: &HostPath, record: &T) -> String {
    let new = quote(&format!("{path}.new"));
    let path = quote(path.as_str());
    let write = format!("{} && mv -fT {new} {path}", write_new(&stamped(record), &new));
    format!(
        "{{ {}; }} || {{ rm -f {new}; echo \"can't write \"{path} >&2; false; }}",
        or_of_the_reserve(layout, &write)
    )
}

/// Makes what is missing. That may be done beside a run that is at work, so what can lie half-done there is left to whoever finds
/// nobody at work.
fn create_folders(layout: &Layout, group: Option<&str>, owner: &Owner) -> String {
    let mut script = String::new();
    let slots = layout.state().join("slots");
    let [path, releases, slots, shared, state] =
        [&layout.path, &layout.releases, &slots, &layout.shared(), &layout.state()]
            .map(|path| quote(path.as_str()));
    let (file, lock, link) =
        (quote(layout.owner().as_str()), quote(layout.lock().as_str()), quote(layout.current().as_str()));
    let owner = quote(&serde_json::to_string(owner).expect("plain data"));
    let _ = write!(
        script,
        "mkdir -p {releases} {slots} {shared} || exit\n\
         [ -e {file} ] || {{ {write_owner} && mv -f {file}.new {file}; }} || exit\n",
        write_owner = write_new(&format!("printf '%s\\n' {owner}"), &format!("{file}.new")),
    );
    let mut tidy = format!("rm -f {link}.*.new\n");
    if let Some(group) = group {
        // Records are written by whoever comes next, too, and what was made before there was a group is theirs as well.
        let mine = "-user \"$(id -u)\"";
        let _ = write!(
            tidy,
            "{given} || return\n\
             twice find {state} \\( -name aside -o -name uv-cache \\) -prune -o {mine} -type f ! -perm -060 -exec chmod g+rw {{}} +\n",
            given = give(&layout.state(), group).trim_end(),
        );
        let group = quote(group);
        let folders = format!("find {path} {releases} {shared} {state} {slots} -prune {mine}");
        let _ = write!(
            script,
            ": >>{lock} && : >>{journal} || exit\n\
             {folders} -exec chgrp {group} {{}} + || exit\n{folders} -exec chmod g+rwxs {{}} + || exit\n",
            journal = quote(layout.journal().as_str()),
        );
        if let Some(file) = &layout.env_file {
            // What `env set` made before there was a group. A person who gave it to a web server, or let all read it, knows why.
            let _ = write!(
                script,
                "find {} -prune {mine} -type f -group \"$(id -g)\" -perm 600 -exec chgrp {group} {{}} \\; -exec chmod 640 {{}} \\; 2>/dev/null\ntrue\n",
                quote(file.as_str())
            );
        }
    }
    let _ = write!(
        script,
        "{TWICE}tidy() {{\n{tidy}}}\n\
         if [ ! -e {lock} ]; then tidy; elif [ -f {lock} ] && [ -w {lock} ]; then\n  \
           (flock -n 8 8<&8 || exit 0; tidy) 8<>{lock}\nfi || exit\n"
    );
    script.push_str(&keep_reserve(layout));
    // Where there is no room for it, a release may still fit.
    script.push_str("keep_reserve 2>/dev/null || true\n");
    script
}

/// A link that somebody else has put something in the place of is left alone.
fn link_previous(layout: &Layout, link: &str, slot: Option<&SlotName>, run: &RunId) -> String {
    let previous = layout.releases.join(link);
    let new = quote(&format!("{previous}.{run}.new"));
    let link = quote(previous.as_str());
    let write = match slot {
        None => format!("rm -f {link}"),
        Some(slot) => {
            format!("rm -f {new} && ln -s -- {} {new} && mv -fT {new} {link}", quote(slot.as_str()))
        }
    };
    format!("if [ -e {link} ] && [ ! -L {link} ]; then echo {link}' is no link' >&2; false; else {write}; fi")
}

/// What the script about the link of another tool reads.
fn other_link(layout: &Layout, slot: &SlotName, before: &str, run: &RunId) -> String {
    let current = layout.current();
    let below = current.as_str().strip_prefix(layout.path.as_str()).map(|rest| rest.trim_start_matches('/'));
    format!(
        "other={} link={} slot={} folder={} follows={} before={} run={}\n",
        quote(layout.outer_link().as_str()),
        quote(current.as_str()),
        quote(slot.as_str()),
        quote(layout.slot(slot).as_str()),
        quote(below.unwrap_or(current.as_str())),
        quote(before),
        quote(run.as_str()),
    )
}

fn remove_slot(layout: &Layout, slot: &SlotName) -> String {
    git(layout)
        + &notes_of(layout, slot)
        + &script!("clone")
        + &script!("mounts")
        + &difference()
        + &script!("in_the_way")
        + &script!("remove_slot")
}

/// One rename(2), then a look at what came of it, which alone decides: where nothing can be written, a link that leads there
/// already is as good. `mv -T` alone would move into the folder that an old link leads to.
fn switch_link(layout: &Layout, target: Option<&str>, run: &RunId) -> String {
    let current = layout.current();
    let link = quote(current.as_str());
    let Some(target) = target else {
        return format!("rm -f {link}");
    };
    let new = quote(&format!("{current}.{run}.new"));
    // The dot keeps newlines at the end of a target, which the shell would take away. Where the link leads to a slot,
    // as it does but on strange ways back, no process is needed to see that.
    let read_back = quote(&format!("{target}."));
    let slot = quote(layout.releases.join(target).join(".").as_str());
    let target = quote(target);
    let write = format!(
        "{{ ln -s -- {target} {new} 2>/dev/null || {{ rm -f {new} && ln -s -- {target} {new}; }}; }} && mv -fT {new} {link}"
    );
    format!(
        "if [ -e {link} ] && [ ! -L {link} ]; then echo {link}' is no link' >&2; false; else\n{write}\n  \
           {{ [ {link}/. -ef {slot} ] || [ \"$(readlink -n {link}; echo .)\" = {read_back} ]; }}\nfi\n",
        write = or_of_the_reserve(layout, &write)
    )
}
