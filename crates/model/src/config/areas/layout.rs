//! The layout on a host.

use serde::{Deserialize, Serialize};
use toml::Value;

use crate::config::area::area;
use crate::config::at::At;
use crate::config::mistake::{Mistake, quoted};
use crate::config::rule::{Always, DefaultValue, Rule, Typed, Written, means_itself};
use crate::config::show::Valued;
use crate::config::values::{Bounded, FolderName, Name};
use crate::names::SlotName;

/// How release directories are arranged on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    /// Alternating slots, each a full clone, with a link that flips between them.
    Ab,
    /// A new folder for every deploy, called by its time.
    Timestamp,
    /// A folder for every release, called by its tag, or by what git describes it as. A link `previous` leads to the one before.
    Revision,
    /// One folder, in which git checks out what is deployed, where it serves.
    InPlace,
}

impl StrategyName {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            StrategyName::Ab => "ab",
            StrategyName::Timestamp => "timestamp",
            StrategyName::Revision => "revision",
            StrategyName::InPlace => "in-place",
        }
    }

    /// Whether every release has a folder of its own, so that they add up.
    pub fn adds_up(self) -> bool {
        match self {
            StrategyName::Timestamp | StrategyName::Revision => true,
            StrategyName::Ab | StrategyName::InPlace => false,
        }
    }
}

means_itself!(StrategyName);

area! {
    /// The layout on a host.
    layout: LayoutSettings, LayoutLayer, "The layout on a host";

    /// How release directories are arranged: `"ab"`, slots that take turns; `"timestamp"`, a new folder for every deploy; `"revision"`,
    /// a folder for every release; `"in-place"`, one folder in which git checks out what is deployed, where it serves.
    strategy: StrategyName => StrategyName = Always(StrategyName::Ab);

    /// How many releases stay on a host, where each has a folder of its own: two at least, the live one and the one before.
    keep: At<Bounded<2, 1000>> => Option<u32> = WhereReleasesAddUp(Some(5)), example "10";

    /// Releases that served within so many days stay as well.
    keep_days: At<Bounded<1, 3650>> => Option<u32> = WhereReleasesAddUp(None), example "14";

    /// The folder below `path` that holds the slots.
    releases_root: At<FolderName> => String = ReleasesRoot;

    /// The link in `releases_root` that decides what is live.
    current_release_symlink: At<FolderName> => String = Link;

    /// The slots of the strategy `"ab"`, two or more; with three, the previous release survives a failed deploy. With `"in-place"`, the
    /// name of the one folder.
    release_paths: At<Vec<At<Name<SlotName>>>> => Vec<SlotName> = Slots;

    /// The folder in a slot that holds its virtualenv; it survives the clean-up of a slot.
    virtualenv: FolderName => String = Always("env");
}

/// Folders of the app's directory that are there for something else.
const TAKEN: [&str; 3] = ["shared", "packages", ".buedafab"];

struct ReleasesRoot;

impl Rule<At<FolderName>, String> for ReleasesRoot {
    fn resolve(&self, typed: Option<&At<FolderName>>, written: &Written<'_>) -> String {
        if let Some(At { value: FolderName(name), span }) = typed
            && TAKEN.contains(&name.as_str())
        {
            let mistake = Mistake::new(format!("{} is used for something else in `path`", quoted(name)))
                .help("choose another folder; the default is `releases`");
            written.note_at(span, mistake);
        }
        Always("releases").resolve(typed, written)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value("releases".into())
    }
}

struct Link;

impl Rule<At<FolderName>, String> for Link {
    fn resolve(&self, typed: Option<&At<FolderName>>, written: &Written<'_>) -> String {
        written.rests_on("release_paths");
        // A slot that was typed is to blame before a link that was typed: the link's name is the one that others rely on.
        if let (Some(At { value: FolderName(name), span }), None) = (typed, &written.all.layout.release_paths)
            && Slots::usual().iter().any(|slot| slot.as_str() == name)
        {
            written.note_at(span, both_slot_and_link(name));
        }
        Always("current").resolve(typed, written)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value("current".into())
    }
}

/// What is only meant where every release has a folder of its own, and what holds there if nothing is written.
struct WhereReleasesAddUp(Option<u32>);

impl<const MIN: u32, const MAX: u32> Rule<At<Bounded<MIN, MAX>>, Option<u32>> for WhereReleasesAddUp {
    fn resolve(&self, typed: Option<&At<Bounded<MIN, MAX>>>, written: &Written<'_>) -> Option<u32> {
        let adds_up = LayoutLayer::strategy(written).adds_up();
        if let Some(At { span, .. }) = typed.filter(|_| !adds_up) {
            let mistake = match LayoutLayer::strategy(written) {
                StrategyName::InPlace => Mistake::new("with the strategy \"in-place\" there is one folder")
                    .help("take it out, or choose the strategy \"timestamp\" or \"revision\""),
                _ => Mistake::new("with the strategy \"ab\" as many releases stay as there are slots")
                    .help("name more slots in `release_paths`, or choose the strategy \"timestamp\" or \"revision\""),
            };
            written.note_at(span, mistake);
        }
        typed.map(|typed| typed.clone().meaning()).or(self.0).filter(|_| adds_up)
    }

    fn default_value(&self) -> Option<DefaultValue> {
        match self.0 {
            Some(number) => {
                DefaultValue::words(format!("`{number}`, where every release has a folder of its own"))
            }
            None => DefaultValue::words("`keep` alone decides"),
        }
    }
}

struct Slots;

impl Slots {
    fn usual() -> Vec<SlotName> {
        ["a", "b"].map(|name| SlotName::new(name).expect("it is a plain name")).to_vec()
    }
}

impl Rule<At<Vec<At<Name<SlotName>>>>, Vec<SlotName>> for Slots {
    fn resolve(&self, typed: Option<&At<Vec<At<Name<SlotName>>>>>, written: &Written<'_>) -> Vec<SlotName> {
        let strategy = LayoutLayer::strategy(written);
        let adds_up = strategy.adds_up();
        let is_one = strategy == StrategyName::InPlace;
        let Some(typed) = typed else {
            let slots = if adds_up {
                0
            } else if is_one {
                1
            } else {
                2
            };
            return Slots::usual().into_iter().take(slots).collect();
        };
        let At { value: slots, span } = typed;
        if adds_up && slots.is_empty() {
            return Vec::new();
        }
        if adds_up {
            let mistake = Mistake::new("`release_paths` names the slots of the strategy \"ab\"")
                .help("take it out: with this strategy every release has a folder of its own, and `keep` says how many stay");
            written.note_at(span, mistake);
        }
        if is_one && slots.len() != 1 {
            let mistake = Mistake::new("with the strategy \"in-place\" there is one folder")
                .help("name it alone, `[\"a\"]`, or take `release_paths` out");
            written.note_at(span, mistake);
        } else if slots.len() < 2 && !is_one {
            let mistake = Mistake::new("`release_paths` needs two slots or more")
                .help("one serves while another is prepared: `[\"a\", \"b\"]`");
            written.note_at(span, mistake);
        }
        let link = LayoutLayer::current_release_symlink(written);
        for (index, slot) in slots.iter().enumerate() {
            let Name(name) = &slot.value;
            if name.as_str() == link {
                written.note_at(&slot.span, both_slot_and_link(&link));
            } else if slots[..index].iter().any(|earlier| earlier.value.0 == *name) {
                let mistake = Mistake::new(format!("there are two slots called {}", quoted(name.as_str())))
                    .help("every slot is a folder of its own");
                written.note_at(&slot.span, mistake);
            }
        }
        typed.clone().meaning()
    }

    fn default_value(&self) -> Option<DefaultValue> {
        let usual: Value = Slots::usual().value();
        DefaultValue::value(usual)
    }
}

fn both_slot_and_link(name: &str) -> Mistake {
    Mistake::new(format!("{} can't be both a slot and the link to it", quoted(name)))
        .help("rename the slot in `release_paths`, or the link in `current_release_symlink`")
}
