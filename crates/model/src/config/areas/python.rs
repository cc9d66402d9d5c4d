//! Virtualenvs: the Python that they are made with, and what is installed into them.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize};

use crate::app::package::{PackageSource, PrivatePackage, locate, name_of};
use crate::app::virtualenv::Installer;
use crate::config::area::{area, table};
use crate::config::at::At;
use crate::config::mistake::{Mistake, typed_as_text};
use crate::config::rule::{Always, DefaultValue, Empty, Rule, Unset, Written, means, means_itself};
use crate::config::show::{Out, Show, text};
use crate::config::template::Template;
use crate::config::values::{Argument, FilePath, Line, Url, Word, schema_of};

means_itself!(Installer);

area! {
    /// Virtualenvs: the Python that they are made with, and what is installed into them.
    python: PythonSettings, PythonLayer, "Python";

    /// The Python that virtualenvs are made with, on the hosts; or a table with the `interpreter` and `private` packages.
    python as base: PythonEntry => PythonBase = Base, example r#""python3.12""#;

    /// Requirement files of pip. Where they leave a version open, each slot and host gets the one that was resolved first, until
    /// `deploy --upgrade`.
    pip_requirements as requirements: Vec<FilePath> => Vec<String> = OfThisKind, example r#"["requirements/common.txt"]"#;

    /// Files that limit versions without asking for packages, pip's constraints.
    pip_constraints as constraints: Vec<FilePath> => Vec<String> = Empty, example r#"["requirements/constraints.txt"]"#;

    /// More requirement files, for localhost, development and `buedafab setup`.
    pip_requirements_dev as requirements_dev: Vec<FilePath> => Vec<String> = Empty, example r#"["requirements/dev.txt"]"#;

    /// More requirement files, for all environments but localhost.
    pip_requirements_production as requirements_production: Vec<FilePath> => Vec<String> = Empty,
        example r#"["requirements/production.txt"]"#;

    /// Lists of private packages in the project, a line each: `name==release`, found at `private_source`, `name` where that has
    /// no `{release}`, or `name==URL==rev` and `name==URL`, which are found there.
    private_requirements: Vec<FilePath> => Vec<String> = Empty, example r#"["requirements/private.txt"]"#;

    /// Where the packages of `private_requirements` are, with `{name}` and `{release}`: git repositories, whose tags or
    /// branches are called like the releases, or objects of a bucket such as `"s3://bueda/{name}-{release}.tar.gz"`, where
    /// each line has to end with `--hash=sha256:…`.
    private_source: PrivateSourceText => Option<String> = Unset("none"), example r#""git@github.com:bueda/{name}.git""#;

    /// The server that understands S3.
    s3_endpoint: Url => Option<String> = Unset("what `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` says, and else Amazon's"),
        example r#""https://minio.example.com:9000""#;

    /// Its region.
    s3_region: Word => Option<String> = Unset("what `AWS_REGION` or `AWS_DEFAULT_REGION` says, and else `us-east-1`"),
        example r#""eu-central-1""#;

    /// What installs packages: `"uv"`, `"pip"`, or `"auto"`, uv where the host has it.
    installer: Installer => Installer = Always(Installer::Auto);

    /// Words for the installer, which pip and uv both understand.
    pip_options as options: Vec<Line> => Vec<String> = Empty, example r#"["--index-url", "https://pypi.example.com/simple"]"#;

    /// Scripts of the project that install what a requirement file can't name, run with the virtualenv's path as their
    /// argument.
    package_installation_scripts as installation_scripts: Vec<FilePath> => Vec<String> = Empty,
        example r#"["bin/install-gdal"]"#;
}

/// What virtualenvs begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PythonBase {
    /// The Python that they are made with.
    pub interpreter: String,
    /// Packages that no index has.
    pub private_packages: Vec<PrivatePackage>,
}

const USUAL: &str = "python3";

struct Base;

impl Rule<PythonEntry, PythonBase> for Base {
    fn resolve(&self, typed: Option<&PythonEntry>, written: &Written<'_>) -> PythonBase {
        let (interpreter, private_packages) = match typed {
            Some(entry) => entry.clone().resolve(written),
            None => (None, Vec::new()),
        };
        PythonBase { interpreter: interpreter.unwrap_or_else(|| USUAL.to_string()), private_packages }
    }

    fn default_value(&self) -> Option<DefaultValue> {
        DefaultValue::value(USUAL.into())
    }
}

impl Show for PythonBase {
    fn entry(&self, name: &str, _: Option<&DefaultValue>, out: &mut Out) {
        if self.private_packages.is_empty() {
            out.entry(name, text(&self.interpreter));
        }
    }

    fn tables(&self, table: &str, out: &mut Out) {
        if self.private_packages.is_empty() {
            return;
        }
        out.header(&format!("[{table}]"));
        out.entry("interpreter", text(&self.interpreter));
        for PrivatePackage { name, source } in &self.private_packages {
            out.header(&format!("[[{table}.private]]"));
            out.entry("name", text(name));
            match source {
                PackageSource::Git { url, rev } => {
                    out.entry("url", text(url));
                    out.entry("rev", text(rev));
                }
                PackageSource::S3 { bucket, key, sha256 } => {
                    out.entry("url", text(&format!("s3://{bucket}/{key}")));
                    out.entry("sha256", text(sha256));
                }
            }
        }
    }

    fn serialize_into<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry(name, &self.interpreter)?;
        map.serialize_entry("private_packages", &self.private_packages)
    }
}

/// The requirement files of all environments and those of this kind, each once. A host of development gets what one of production
/// gets, too: what is missing there is found before it matters.
struct OfThisKind;

impl Rule<Vec<FilePath>, Vec<String>> for OfThisKind {
    fn resolve(&self, typed: Option<&Vec<FilePath>>, written: &Written<'_>) -> Vec<String> {
        let mut all: Vec<String> = Empty.resolve(typed, written);
        let mut own = Vec::new();
        if written.lineage.kind() != Some("localhost") {
            own.extend(PythonLayer::pip_requirements_production(written));
        }
        if written.lineage.is_playground() {
            own.extend(PythonLayer::pip_requirements_dev(written));
        }
        for file in own {
            if !all.contains(&file) {
                all.push(file);
            }
        }
        all
    }

    fn default_value(&self) -> Option<DefaultValue> {
        Rule::<Vec<FilePath>, Vec<String>>::default_value(&Empty)
    }
}

/// A place of packages. Its placeholders are filled package by package.
#[derive(Debug, Clone)]
pub(in crate::config) struct PrivateSourceText(String);

typed_as_text!(PrivateSourceText);

impl FromStr for PrivateSourceText {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let Argument(text) = text.parse()?;
        Template::parse(&text, &["name", "release"])?;
        Ok(PrivateSourceText(text))
    }
}

schema_of! {
    PrivateSourceText => json_schema!({ "type": "string", "pattern": "^[^-]" }),
}

means! { PrivateSourceText => String: PrivateSourceText(text) => text }

/// What virtualenvs are made with.
#[derive(Debug, Clone)]
pub(in crate::config) enum PythonEntry {
    Interpreter(Argument),
    Table(Box<PythonTable>),
}

table! {
    /// The same with more to say about it.
    #[derive(Default)]
    #[serde(default)]
    PythonTable;

    /// The Python that virtualenvs are made with, on the hosts.
    interpreter: Option<Argument>, default DefaultValue::value(USUAL.into()), example r#""python3.12""#;

    /// Packages that no index has: fetched by the deployer, sent to the hosts, installed into every virtualenv.
    private: Vec<At<PrivateTable>>;
}

table! {
    /// A package that no index has.
    PrivateTable;

    /// A git repository as your own git reaches it, or an object of a bucket such as `"s3://bueda/plato-1.2.tar.gz"`, a
    /// source distribution or a wheel.
    url: Argument, example r#""git@github.com:bueda/five-utils.git""#;

    /// Of a git repository: a tag, a branch, or a whole commit id.
    rev: Option<Argument>, example r#""v1.2""#;

    /// Of an object: its check sum, as `sha256sum` prints it.
    sha256: Option<Word>;

    /// What it is called in what you see.
    name: Option<Word>, default DefaultValue::words("what the URL says");
}

impl PythonEntry {
    /// The interpreter, and the packages.
    pub(in crate::config) fn resolve(self, written: &Written<'_>) -> (Option<String>, Vec<PrivatePackage>) {
        let table = match self {
            PythonEntry::Interpreter(Argument(text)) => return (Some(text), Vec::new()),
            PythonEntry::Table(table) => table,
        };
        let mut packages = Vec::new();
        for At { value: PrivateTable { url: Argument(url), rev, sha256, name }, span } in table.private {
            let (rev, sha256) = (rev.map(|Argument(rev)| rev), sha256.map(|Word(sum)| sum));
            match locate(&url, rev.as_deref(), sha256.as_deref()) {
                Ok(source) => {
                    let name = name.map_or_else(|| name_of(&url), |Word(name)| name);
                    packages.push(PrivatePackage { name, source });
                }
                Err(why) => {
                    let mistake = Mistake::new(why)
                        .help("write `url` and `rev` for git, `url = \"s3://…\"` and `sha256` for a bucket");
                    written.note_at(&span, mistake);
                }
            }
        }
        (table.interpreter.map(|Argument(text)| text), packages)
    }
}

means! { PythonEntry => PythonEntry: itself => itself }

impl<'de> Deserialize<'de> for PythonEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PythonVisitor;

        impl<'de> Visitor<'de> for PythonVisitor {
            type Value = PythonEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a table")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PythonEntry, E> {
                text.parse().map(PythonEntry::Interpreter).map_err(Mistake::into_error)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PythonEntry, A::Error> {
                PythonTable::deserialize(MapAccessDeserializer::new(map))
                    .map(Box::new)
                    .map(PythonEntry::Table)
            }
        }

        deserializer.deserialize_any(PythonVisitor)
    }
}

impl JsonSchema for PythonEntry {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PythonEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<PythonTable>();
        json_schema!({ "anyOf": [{ "type": "string", "pattern": "^[^-]" }, table] })
    }
}
