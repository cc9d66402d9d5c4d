//! Who knows the hosts of an environment that aren't written in it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::json_schema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Value;

use super::hosts::found;
use crate::config::area::{Area, area};
use crate::config::mistake::{Mistake, quoted, typed_as_text};
use crate::config::rule::{Always, Empty, Unset, Written, means, means_itself};
use crate::config::show::{Out, Valued, text};
use crate::config::values::{Argument, Port, Word, schema_of};
use crate::host::inventory::{HostSource, LeftOut, Question};

/// Who is asked for hosts, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct InventorySettings {
    /// What is written.
    pub from: HostSourceSettings,
    /// Machines that were named and are no hosts, and why.
    pub left_out: Vec<LeftOut>,
    /// Those who were asked and named no host.
    pub empty: Vec<HostSource>,
    /// What else a person should know of the answers.
    pub notes: Vec<String>,
}

/// Which of its addresses a machine of Amazon's is reached at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// The address inside.
    Private,
    /// The address outside.
    Public,
    /// The name inside.
    PrivateDns,
    /// The name outside.
    PublicDns,
    /// The id of the instance, which a `ProxyCommand` of ssh makes something of.
    InstanceId,
}

means_itself!(AddressKind);

impl AddressKind {
    /// For people: what a machine may have none of.
    pub fn name(self) -> &'static str {
        match self {
            AddressKind::Private => "private address",
            AddressKind::Public => "public address",
            AddressKind::PrivateDns => "private DNS name",
            AddressKind::PublicDns => "public DNS name",
            AddressKind::InstanceId => "id",
        }
    }
}

/// Where an inventory is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InventoryPlace {
    /// A file or a folder.
    Path(String),
    /// A command that prints it.
    Command(String),
}

area! {
    /// Who is asked for the hosts of an environment, besides what `hosts` says. All but the last four settings belong to
    /// environments only.
    inventory: HostSourceSettings, InventoryLayer, "Where hosts come from";

    /// Classic load balancers of AWS, by name: the running instances behind them are hosts of this environment. Hosts of several
    /// sources are put together, and with those in `hosts`; each machine is one host.
    load_balancer: Names => Vec<String> = Empty, example r#""web""#;

    /// Target groups of AWS's application and network load balancers, by name or ARN: their instances, and their IP addresses.
    target_group: Names => Vec<String> = Empty, example r#"["five-http", "five-admin"]"#;

    /// Auto scaling groups of AWS, by name: their instances in service or in standby.
    auto_scaling_group: Names => Vec<String> = Empty, example r#""five""#;

    /// Filters of EC2, each with a value or a list of them: the running instances that all of them take.
    ec2: BTreeMap<FilterName, Names> => BTreeMap<String, Vec<String>> = Empty,
        example r#"{ "tag:App" = "five", "tag:Stage" = ["live", "canary"] }"#;

    /// An inventory of Ansible, in INI, YAML or JSON: a file, or a folder of such, from the project's root on; or
    /// `{ command = "…" }`, which prints one as JSON, in Ansible's form or as a plain list of hosts. Groups are roles.
    inventory: InventoryText => Option<InventoryPlace> = Unset("none"), example r#""ops/production.ini""#;

    /// The TCP port of SSH, on hosts of which nothing else says it.
    ssh_port: Port => Option<u32> = Unset("what your ssh_config says"), example "1222";

    /// How instances of AWS are reached: at their `"private"` or `"public"` address, by their `"private_dns"` or `"public_dns"` name,
    /// or by their `"instance_id"`, through a `ProxyCommand` of your ssh_config. One that has no such address is left out.
    address: AddressKind => AddressKind = Always(AddressKind::Private);

    /// A tag of instances whose value says what each is for: roles, with commas between them.
    role_tag: Argument => Option<String> = Unset("none, every instance has the role `web`"), example r#""Role""#;

    /// The region of AWS.
    aws_region: Word => Option<String> = Unset("what `AWS_REGION` or `AWS_DEFAULT_REGION` says, and else your profile"),
        example r#""eu-west-1""#;
}

/// The settings that name hosts: those of them that an environment has are all that there are.
pub(in crate::config) const SOURCES: [&str; 5] =
    ["load_balancer", "target_group", "auto_scaling_group", "ec2", "inventory"];

impl InventoryLayer {
    /// Whether it says where hosts are.
    pub(in crate::config) fn names_hosts(&self) -> bool {
        let InventoryLayer {
            load_balancer,
            target_group,
            auto_scaling_group,
            ec2,
            inventory,
            ssh_port: _,
            address: _,
            role_tag: _,
            aws_region: _,
        } = self;
        [load_balancer, target_group, auto_scaling_group].iter().any(|names| names.is_some())
            || ec2.is_some()
            || inventory.is_some()
    }

    /// The same without what says so.
    pub(in crate::config) fn without_hosts(self) -> Self {
        let InventoryLayer { ssh_port, address, role_tag, aws_region, .. } = self;
        InventoryLayer { ssh_port, address, role_tag, aws_region, ..InventoryLayer::default() }
    }
}

impl HostSourceSettings {
    /// Who is asked, in the order in which hosts are told.
    pub fn questions(&self) -> Vec<Question> {
        let HostSourceSettings {
            load_balancer,
            target_group,
            auto_scaling_group,
            ec2,
            inventory,
            ssh_port: _,
            address: _,
            role_tag: _,
            aws_region,
        } = self;
        let mut sources: Vec<HostSource> = Vec::new();
        sources.extend(load_balancer.iter().cloned().map(HostSource::LoadBalancer));
        sources.extend(target_group.iter().cloned().map(HostSource::TargetGroup));
        sources.extend(auto_scaling_group.iter().cloned().map(HostSource::AutoScalingGroup));
        if !ec2.is_empty() {
            sources.push(HostSource::Ec2(ec2.clone()));
        }
        sources.extend(inventory.as_ref().map(|place| match place {
            InventoryPlace::Path(path) => HostSource::Inventory(path.clone()),
            InventoryPlace::Command(command) => HostSource::Command(command.clone()),
        }));
        sources.into_iter().map(|source| Question { source, region: aws_region.clone() }).collect()
    }
}

impl Area for InventorySettings {
    type Layer = InventoryLayer;

    fn resolve(written: &Written<'_>) -> Self {
        let found = written.apart(|| found(written));
        InventorySettings {
            from: HostSourceSettings::resolve(written),
            left_out: found.left_out,
            empty: found.empty,
            notes: found.notes,
        }
    }

    fn show_entries(&self, out: &mut Out) {
        self.from.show_entries(out);
        for left_out in &self.left_out {
            out.comment(&format!("left out: {left_out}"));
        }
        for note in &self.notes {
            out.comment(note);
        }
    }

    fn show_tables(&self, table: &str, out: &mut Out) {
        self.from.show_tables(table, out);
    }

    fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.from.serialize_into(map)?;
        // It says what was found, and is no setting.
        if self.left_out.is_empty() { Ok(()) } else { map.serialize_entry("left_out", &self.left_out) }
    }
}

/// One name, or a list of them.
#[derive(Debug, Clone)]
pub(in crate::config) struct Names(Vec<String>);

/// The name of a filter of EC2's: `tag:App`, `instance-type`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::config) struct FilterName(String);

/// An inventory as it is written.
#[derive(Debug, Clone)]
pub(in crate::config) struct InventoryText(InventoryPlace);

typed_as_text!(FilterName);

impl FromStr for FilterName {
    type Err = Mistake;

    fn from_str(typed: &str) -> Result<Self, Mistake> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        let is_tag = typed.strip_prefix("tag:").is_some_and(|key| !key.is_empty());
        let is_name = !typed.is_empty() && typed.chars().all(plain);
        if is_tag || is_name {
            return Ok(FilterName(typed.to_string()));
        }
        Err(Mistake::new(format!("{} isn't a filter of EC2", quoted(typed)))
            .help("write a tag as `\"tag:App\" = \"five\"`, or a filter such as `instance-type`"))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;

        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E: serde::de::Error>(self, typed: &str) -> Result<Names, E> {
                let Argument(name) = typed.parse().map_err(Mistake::into_error)?;
                Ok(Names(vec![name]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(Argument(name)) = list.next_element()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_any(NamesVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InventoryTable {
    command: Argument,
}

impl<'de> Deserialize<'de> for InventoryText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InventoryVisitor;

        impl<'de> Visitor<'de> for InventoryVisitor {
            type Value = InventoryText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a table with `command`")
            }

            fn visit_str<E: serde::de::Error>(self, typed: &str) -> Result<InventoryText, E> {
                let Argument(path) = typed.parse().map_err(Mistake::into_error)?;
                Ok(InventoryText(InventoryPlace::Path(path)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InventoryText, A::Error> {
                let InventoryTable { command: Argument(command) } =
                    InventoryTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(InventoryText(InventoryPlace::Command(command)))
            }
        }

        deserializer.deserialize_any(InventoryVisitor)
    }
}

means! {
    Names => Vec<String>: Names(names) => names,
    FilterName => String: FilterName(name) => name,
    InventoryText => InventoryPlace: InventoryText(place) => place,
}

impl Valued for InventoryPlace {
    fn value(&self) -> Value {
        match self {
            InventoryPlace::Path(path) => text(path),
            InventoryPlace::Command(command) => {
                Value::Table(toml::Table::from_iter([("command".to_string(), text(command))]))
            }
        }
    }
}

schema_of! {
    Names => json_schema!({
        "anyOf": [{ "type": "string", "pattern": "^[^-]" }, { "type": "array", "items": { "type": "string", "pattern": "^[^-]" } }]
    }),
    FilterName => json_schema!({ "type": "string" }),
    InventoryText => json_schema!({
        "anyOf": [
            { "type": "string", "pattern": "^[^-]" },
            { "type": "object", "properties": { "command": { "type": "string" } }, "required": ["command"], "additionalProperties": false },
        ]
    }),
}
