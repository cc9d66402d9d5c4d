//! What the virtualenv of a slot holds, by real pip and real uv, from a folder of packages that are made here.

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use buedafab_model::app::mask::mask_urls;
use buedafab_model::app::package::FetchedPackage;
use buedafab_model::app::virtualenv::{Installer, Packages, VirtualenvSpec};
use buedafab_model::names::CommitId;
use buedafab_model::plan::action::PythonAction;

use common::shells::{Place, Shell, shells, slot};

/// Where script/setup puts uv.
fn tools() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
    path.canonicalize().expect("script/setup has run")
}

/// A host with two slots, and a folder of packages that installers take for an index.
struct Host {
    place: Place,
    shell: Shell,
    installer: Installer,
    spec: VirtualenvSpec,
    /// What the app has in its environment.
    variables: BTreeMap<String, String>,
}

/// Makes a wheel of one module, which says its version.
const WHEEL: &str = r#"
import base64, hashlib, sys, zipfile
folder, name, version, needs = sys.argv[1:5]
extra = "".join(f"Requires-Dist: {need}\n" for need in needs.split(",") if need)
for word in needs.split(","):
    if "extra ==" in word:
        extra += "Provides-Extra: " + word.split('"')[1] + "\n"
info = f"{name}-{version}.dist-info"
files = {
    f"{name}.py": f"SAYS = '{sys.argv[5]}'\n",
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{extra}",
    f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
record = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
    for path, text in [*files.items(), (f"{info}/RECORD", record)]:
        wheel.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
"#;

impl Host {
    fn new(installer: Installer, shell: Shell) -> Host {
        let place = Place::with_room("five");
        place.by_hand(
            "mkdir index home; for slot in a b; do git init -q five/releases/$slot; done
             mkdir project; git init -q project; git -C project commit -q --allow-empty -m empty",
        );
        let index = place.root().join("index");
        let host = Host {
            spec: VirtualenvSpec {
                subdir: None,
                python: "/usr/bin/python3".to_owned(),
                installer,
                options: vec![
                    "--no-index".to_owned(),
                    "--find-links".to_owned(),
                    index.display().to_string(),
                ],
                requirements: vec!["requirements.txt".to_owned()],
                constraints: Vec::new(),
                pins: Vec::new(),
                packages: Packages::These(Vec::new()),
                scripts: Vec::new(),
                reinstall: false,
                upgrade: false,
            },
            place,
            shell,
            installer,
            variables: BTreeMap::new(),
        };
        // What builds a package lies there, too.
        let wheels = tools().join("../../wheels");
        host.place
            .by_hand(&format!("cp {0}/setuptools-* {0}/wheel-* {0}/packaging-* index", wheels.display()));
        host
    }

    /// Puts a package into the index.
    fn publish(&self, name: &str, version: &str, needs: &str) {
        self.publish_saying(name, version, needs, version);
    }

    fn publish_saying(&self, name: &str, version: &str, needs: &str, says: &str) {
        self.place.by_hand(&format!(
            "/usr/bin/python3 - index {name} {version} '{needs}' '{says}' <<'END'\n{WHEEL}\nEND"
        ));
    }

    /// Takes a version out of the index.
    fn check_sum(&self, file: &str) -> String {
        self.place.by_hand(&format!("sha256sum <index/{file}"))[..64].to_owned()
    }

    /// Commits files to the project.
    fn commit(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.place.root().join("project").join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("it is ours");
        }
        self.place.by_hand("cd project; git add .; git commit -q --allow-empty -m more");
    }

    /// Brings the commit into a slot as `Checkout` does, and then its virtualenv; what that printed.
    fn prepare(&self, name: &str, spec: VirtualenvSpec) -> String {
        self.place.by_hand(&format!(
            "cd five/releases/{name}; git fetch -q ../../../project HEAD; git checkout -q --force --detach FETCH_HEAD; git clean -ffdxq -e /env"
        ));
        let action = PythonAction::Virtualenv {
            slot: slot(name),
            commit: CommitId::new(self.place.commit_of(name)).expect("40 digits"),
            spec,
            variables: self.variables.clone(),
            lend_agent: false,
        };
        let home = self.place.root().join("home");
        let path = match self.installer {
            Installer::Uv => format!("PATH=\"{}:$PATH\"\n", tools().display()),
            Installer::Pip | Installer::Auto => String::new(),
        };
        let script = buedafab_model::shell::render_step(
            &action.into(),
            &self.place.layout,
            &buedafab_model::names::RunId::new("r1").expect("a word"),
        );
        // As a runner does it: no argument has any of it.
        let step = self.place.root().join("step");
        std::fs::write(&step, format!("{path}{script}")).expect("it is ours");
        let mut command = self.shell.command(". ./step", &self.place.root());
        for name in ["PIP_FIND_LINKS", "PIP_CERT", "UV_CACHE_DIR"] {
            command.env_remove(name);
        }
        command.env("HOME", home);
        common::shells::told(&command.output().expect("it runs"), &self.place)
    }

    /// What serves isn't copied where there is something already, and this isn't worth keeping.
    fn begin_with_nothing(&self, name: &str) {
        self.place.by_hand(&format!("mkdir five/releases/{name}/env"));
    }

    #[track_caller]
    fn prepared(&self, name: &str) -> String {
        self.prepared_as(name, self.spec.clone())
    }

    #[track_caller]
    fn prepared_as(&self, name: &str, spec: VirtualenvSpec) -> String {
        let said = self.prepare(name, spec);
        assert!(said.starts_with('0'), "{:?} under {}: {said}", self.installer, self.shell.name);
        self.place.by_hand(&format!("ln -sfn {name} five/releases/current"));
        // They may hold the password of an index.
        let open = self.place.by_hand(&format!(
            "find five/.buedafab/releases -type f -perm /077; find five/releases/{name}/env -maxdepth 1 -name .answers -perm /077"
        ));
        assert_eq!(open, "", "others can read them");
        said
    }

    #[track_caller]
    fn refused_as(&self, name: &str, spec: VirtualenvSpec) -> String {
        let said = self.prepare(name, spec);
        assert!(said.starts_with('1'), "{:?} under {}: {said}", self.installer, self.shell.name);
        said
    }

    fn with_options(&self, more: &[&str]) -> VirtualenvSpec {
        let options = self.spec.options.iter().cloned().chain(more.iter().map(|word| word.to_string()));
        VirtualenvSpec { options: options.collect(), ..self.spec.clone() }
    }

    /// By a pip that says it is as old as this.
    fn with_pip(&self, version: &str) -> VirtualenvSpec {
        let python = format!(
            "#!/bin/sh\n[ \"$1 $2\" = '-m venv' ] || exec /usr/bin/python3 \"$@\"\n/usr/bin/python3 \"$@\" && cd \"$3\"/lib/python*/site-packages && mv pip-*.dist-info pip-{version}.dist-info\n"
        );
        let place = self.place.root().join(format!("python-with-{version}"));
        std::fs::write(&place, python).expect("it is ours");
        self.place.by_hand(&format!("chmod +x python-with-{version}"));
        VirtualenvSpec { python: place.display().to_string(), ..self.spec.clone() }
    }

    /// What is installed in a slot, but for what makes virtualenvs.
    fn holds(&self, name: &str) -> String {
        let all = "from importlib import metadata as m; print(*sorted({d.name + d.version for d in m.distributions() if d.name not in ('pip', 'setuptools', 'wheel')}))";
        self.python(name, all)
    }

    #[track_caller]
    fn python(&self, name: &str, script: &str) -> String {
        self.place
            .by_hand(&format!("cd five/releases/{name} && env/bin/python -c \"{script}\""))
            .trim_end()
            .to_owned()
    }

    fn says(&self, name: &str, module: &str) -> String {
        self.python(name, &format!("import {module}; print({module}.SAYS)"))
    }
}

/// Serves a folder to whoever knows this name and password. While it is asked, it writes down whose arguments have the password.
const SHUT_SERVER: &str = r#"
import base64, glob, http.server, sys
folder, name, password, seen = sys.argv[1], "ada", open(sys.argv[2]).read(), sys.argv[3]
wanted = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *words):
        super().__init__(*words, directory=folder)
    def do_GET(self):
        for file in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                words = open(file, "rb").read()
            except OSError:
                continue
            if password.encode() in words:
                open(seen, "ab").write(words.replace(b"\0", b" ") + b"\n")
        if self.headers.get("Authorization") == wanted:
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.send_header("Content-Length", "0")
        self.end_headers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("on port", server.server_port, "now", flush=True)
server.serve_forever()
"#;

/// A folder on loopback. It ends on drop.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn serve(folder: &Path) -> Server {
        let words = ["-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"];
        Server::start(Command::new("/usr/bin/python3").arg("-u").args(words).arg(folder))
    }

    /// For ada alone, whose password is in a file.
    fn serve_shut(folder: &Path, password: &Path, seen: &Path) -> Server {
        Server::start(
            Command::new("/usr/bin/python3").args(["-c", SHUT_SERVER]).args([folder, password, seen]),
        )
    }

    fn start(command: &mut Command) -> Server {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("python3 is installed");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut said)
            .expect("it says its port");
        let port = said.split(" port ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        Server { child, port: port.unwrap_or_else(|| panic!("no port in {said:?}")) }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same with pip and with uv, each under another shell.
#[track_caller]
fn by_both(test: impl Fn(&Host)) {
    let [dash, bash, busybox] = shells();
    drop(bash);
    test(&Host::new(Installer::Uv, busybox));
    test(&Host::new(Installer::Pip, dash));
}

const INSTALLS: &str = "installing with ";

#[test]
fn what_is_resolved_once_is_what_every_slot_gets() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        host.publish("other", "1.0", "");
        host.commit(&[("requirements.txt", "six\n")]);
        host.prepared("a");
        host.publish("six", "2.0", "");
        let mut found = vec![host.holds("a")];
        host.begin_with_nothing("b");
        for slot in ["b", "a", "b"] {
            host.commit(&[]);
            let said = host.prepared(slot);
            assert_eq!(said.contains(INSTALLS), found.len() == 1, "{said}");
            found.push(host.holds(slot));
        }
        assert_eq!(found, ["six1.0"; 4]);
        // A host that joins them takes what they have, and one that lost what it kept of releases.
        host.place.by_hand("rm -rf five/.buedafab/releases");
        let pins = vec!["six==1.0".to_owned(), "gone==1.0".to_owned()];
        host.prepared_as("b", VirtualenvSpec { pins, reinstall: true, ..host.spec.clone() });
        assert_eq!(host.holds("b"), "six1.0");
        // What else is asked for changes nothing of that, and what is asked for in another version nothing of the rest.
        host.publish("other", "2.0", "");
        host.commit(&[("requirements.txt", "six\nother==1.0\n")]);
        host.prepared("a");
        assert_eq!(host.holds("a"), "other1.0 six1.0");
        host.commit(&[("requirements.txt", "six\nother==2.0\n")]);
        host.prepared("b");
        assert_eq!(host.holds("b"), "other2.0 six1.0");
        host.commit(&[("requirements.txt", "six>1\n")]);
        host.prepared("a");
        assert_eq!(host.holds("a"), "six2.0");
        // Who wants what is newest says so.
        host.publish("six", "3.0", "");
        host.commit(&[]);
        host.prepared("b");
        assert_eq!(host.holds("b"), "six2.0");
        host.prepared_as("a", VirtualenvSpec { upgrade: true, ..host.spec.clone() });
        assert_eq!(host.holds("a"), "six3.0");
        host.prepared("b");
        assert_eq!(host.holds("b"), "six3.0");
    });
}

/// Where nothing is asked for any more, nothing is left.
#[test]
fn what_nobody_asks_for_any_more_goes() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        host.commit(&[("requirements.txt", "six\n")]);
        host.prepared("a");
        assert_eq!(host.holds("a"), "six1.0");
        for requirements in [vec!["requirements.txt".to_owned()], Vec::new()] {
            host.commit(&[("requirements.txt", "# nothing\n")]);
            host.prepared_as("a", VirtualenvSpec { requirements, ..host.spec.clone() });
            assert_eq!(host.holds("a"), "");
        }
    });
}

/// Who shares the folder may have left links there.
#[test]
fn no_link_is_followed_that_lies_where_a_file_arrives() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        host.commit(&[("requirements.txt", "six\n")]);
        let kept = host.place.by_hand("echo five/.buedafab/releases/$(git -C project rev-parse HEAD)");
        let kept = kept.trim_end();
        host.place.by_hand(&format!(
            "echo mine >mine; mkdir -p {kept} five/packages/k; cp index/six-* five/packages/k/
             for name in requirements packages; do ln -s \"$PWD/mine\" {kept}/$name.new; done"
        ));
        let packages = Packages::These(vec![FetchedPackage {
            name: "six".to_owned(),
            key: "k".to_owned(),
            file: "six-1.0-py3-none-any.whl".to_owned(),
            sha256: String::new(),
            size_bytes: 0,
        }]);
        host.prepared_as("a", VirtualenvSpec { packages, ..host.spec.clone() });
        assert_eq!(
            host.place.by_hand(&format!("cat mine; cat {kept}/packages; ls {kept}")),
            "mine\nk/six-1.0-py3-none-any.whl\npackages\nrequirements\n"
        );
    });
}

/// A project of one module, which says this.
fn project_of(folder: &str, says: &str) -> Vec<(String, String)> {
    let setup = "from setuptools import setup\nsetup(name='five', version='1', py_modules=['five'], install_requires=['six'])\n";
    vec![
        (format!("{folder}setup.py"), setup.to_owned()),
        (format!("{folder}five.py"), format!("SAYS = '{says}'\n")),
    ]
}

/// What lies in the project changes with its commit, whatever its version says.
#[test]
fn a_part_of_the_project_is_that_of_the_release() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        let cases = match host.installer {
            Installer::Pip => &[("", "-e .")][..],
            Installer::Uv | Installer::Auto => {
                &[("", "."), ("", "-e ."), ("libs/x/", "./libs/x"), ("libs/x/", "libs/x"), ("", "")]
            }
        };
        for (folder, requirement) in cases {
            let mut spec = host.spec.clone();
            if requirement.is_empty() {
                spec.requirements.clear();
            }
            for says in ["1", "2"] {
                host.place.by_hand("rm -rf project/*");
                let files = project_of(folder, says);
                let files: Vec<(&str, &str)> =
                    files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
                host.commit(&files);
                host.commit(&[("requirements.txt", &format!("{requirement}\n"))]);
                host.prepared_as("a", spec.clone());
                assert_eq!(host.says("a", "five"), says, "{requirement} by {:?}", host.installer);
            }
            // The same commit is prepared once more, as after a check that failed; git cleans what was built in its place.
            let said = host.prepared_as("a", spec.clone());
            assert!(!said.contains(INSTALLS), "{requirement} by {:?}: {said}", host.installer);
            assert_eq!(
                host.python("a", "from importlib.metadata import version as v; print(v('five'))"),
                "1"
            );
            assert_eq!(host.holds("a"), "five1 six1.0");
        }
    });
}

/// A slot that has no virtualenv gets a copy of the one that serves, and nothing in it leads to where it came from.
#[test]
fn a_new_slot_begins_with_what_serves() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        let setup = "from setuptools import setup\nsetup(name='five', version='1', py_modules=['five'], install_requires=['six'],\n    entry_points={'console_scripts': ['five = five:main']})\n";
        let commit = |says: &str| {
            let five =
                format!("SAYS = '{says}'\n\n\ndef main():\n    import sys\n    print(SAYS, sys.prefix)\n");
            host.commit(&[("setup.py", setup), ("five.py", &five), ("requirements.txt", "-e .\n")]);
        };
        commit("1");
        // The name of one may begin with that of another.
        host.place.by_hand("for slot in new new-2 new.3; do git init -q five/releases/$slot; done");
        assert!(host.prepared("new").contains(INSTALLS));
        commit("2");
        for (slot, live) in [("new-2", "new"), ("new.3", "new-2"), ("b", "new.3")] {
            assert_eq!(host.place.by_hand("readlink five/releases/current").trim(), live);
            let said = host.prepared(slot);
            assert!(!said.contains("making env"), "{:?}: {said}", host.installer);
            let root = host.place.root();
            let prefix = root.join("five/releases").join(slot).join("env");
            let ran = host.place.by_hand(&format!("cd /; {}/bin/five", prefix.display()));
            assert_eq!(ran.trim(), format!("2 {}", prefix.display()), "{:?}", host.installer);
            assert_eq!(host.holds(slot), "five1 six1.0");
            let others = host.place.by_hand(&format!(
                "grep -rlIE \"$PWD/five/releases/({live})(/|\\$|['\\\"])\" five/releases/{slot} --exclude-dir=.git || :"
            ));
            assert_eq!(others, "", "{:?} under {}", host.installer, host.shell.name);
            // Just as one that was made there.
            assert!(!host.prepared(slot).contains(INSTALLS));
        }
        // Nothing is copied that another made, or that is to be made anew.
        host.place.by_hand("git init -q five/releases/again; rm -f five/releases/b/env/.buedafab");
        assert!(host.prepared("again").contains("making env"));
        host.place.by_hand("rm -rf five/releases/a/env");
        let anew = VirtualenvSpec { reinstall: true, ..host.spec.clone() };
        assert!(host.prepared_as("a", anew).contains("making env"));
    });
}

/// What is built beside its sources is there again after git has cleaned up, and what git keeps is as it was built.
#[test]
fn what_is_built_in_the_slot_is_there_whenever_it_is_prepared() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        let built = "printf 'SAYS = 1\\n' >'made here.py'; mkdir -p deep; ln -sf ../known deep/link\n";
        let cases = [("", false), ("echo 2 >known\n", true)];
        for (changes, each_time) in cases {
            host.commit(&[
                ("requirements.txt", "six\n"),
                ("known", "1\n"),
                ("build.sh", &format!("#!/bin/sh\n{built}{changes}")),
            ]);
            host.place.by_hand("cd project; chmod +x build.sh; git commit -qam more || :");
            let spec = VirtualenvSpec { scripts: vec!["build.sh".to_owned()], ..host.spec.clone() };
            for again in [false, true] {
                host.place.by_hand("chmod 2775 five/releases/a");
                let said = host.prepared_as("a", spec.clone());
                assert_eq!(said.contains("running build.sh"), !again || each_time, "{said}");
                let files =
                    host.place.by_hand("cd five/releases/a; ls; readlink deep/link; cat known; stat -c %a .");
                let known = if each_time { 2 } else { 1 };
                assert_eq!(
                    files,
                    format!(
                        "build.sh\ndeep\nenv\nknown\nmade here.py\nrequirements.txt\n../known\n{known}\n2775\n"
                    )
                );
            }
        }
    });
}

/// A check sum counts wherever it is written, and by whichever option it is asked for.
#[test]
fn check_sums_are_checked_wherever_they_stand() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        let line = format!("six==1.0 --hash=sha256:{}\n", host.check_sum("six-1.0-py3-none-any.whl"));
        host.commit(&[("requirements.txt", "-r requirements/main.txt\n"), ("requirements/main.txt", &line)]);
        host.prepared("a");
        assert_eq!(host.holds("a"), "six1.0");
        let hashed = host.with_options(&["--require-hashes"]);
        host.prepared_as("b", hashed.clone());
        assert_eq!(host.holds("b"), "six1.0");
        // What nothing vouches for isn't installed where all has to be vouched for.
        host.commit(&[("requirements.txt", "six==1.0\n")]);
        let said = host.refused_as("b", hashed);
        assert!(said.contains("--hash") || said.contains("`--require-hashes`"), "{said}");
        // The index gives something else under the same name, and nobody has kept what it was.
        host.place.by_hand("rm -rf five/.buedafab/uv-cache");
        host.publish_saying("six", "1.0", "", "tampered");
        host.commit(&[("requirements.txt", "-r requirements/main.txt\n\n")]);
        let said = host.refused_as("b", VirtualenvSpec { reinstall: true, ..host.spec.clone() });
        assert!(said.to_lowercase().contains("hash"), "{said}");
    });
}

/// What was resolved with its check sum is checked, too, where no requirement has one.
#[test]
fn what_was_resolved_is_what_is_installed() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        host.commit(&[("requirements.txt", "six\n")]);
        host.prepared("a");
        host.publish_saying("six", "1.0", "", "tampered");
        if host.installer == Installer::Uv {
            // uv asks no index for what it has kept with that very check sum.
            host.prepared("b");
            assert_eq!(host.says("b", "six"), "1.0");
            host.place.by_hand("rm -rf five/.buedafab/uv-cache five/releases/b/env");
        }
        host.begin_with_nothing("b");
        let said = host.refused_as("b", host.spec.clone());
        assert!(said.to_lowercase().contains("hash"), "{said}");
    });
}

/// A branch of a repository is the commit that it was when it was resolved, in every slot.
#[test]
fn a_branch_is_resolved_once() {
    by_both(|host| {
        let release = |says: &str| {
            host.place.by_hand(&format!(
                "mkdir -p libmain; cd libmain; git init -qb main
                 echo \"from setuptools import setup; setup(name='libmain', version='{says}', py_modules=['libmain'])\" >setup.py
                 echo \"SAYS = '{says}'\" >libmain.py; git add .; git commit -qm {says}"
            ));
        };
        let git = format!("git+file://{}/libmain@main", host.place.root().display());
        let cases = match host.installer {
            Installer::Pip => &[format!("{git}#egg=libmain\n"), format!("-e {git}#egg=libmain\n")][..],
            Installer::Uv | Installer::Auto => &[format!("libmain @ {git}\n")],
        };
        for requirements in cases {
            host.place.by_hand("rm -rf libmain five/releases/*/env five/.buedafab/releases");
            release("1");
            host.commit(&[("requirements.txt", requirements)]);
            host.prepared("a");
            release("2");
            host.commit(&[]);
            host.prepared("b");
            let says = [host.says("a", "libmain"), host.says("b", "libmain")];
            assert_eq!(says, ["1", "1"], "{requirements}");
            host.prepared_as("a", VirtualenvSpec { upgrade: true, ..host.spec.clone() });
            assert_eq!(host.says("a", "libmain"), "2", "{requirements}");
        }
    });
}

/// What an extra brings is asked for, however the package that has it is named.
#[test]
fn what_an_extra_brings_stays() {
    by_both(|host| {
        host.publish("plum", "1.0", "");
        host.publish("main", "1.0", "plum ; extra == \"more\"");
        host.publish("idle", "1.0", "");
        host.place.by_hand(
            "mkdir libmain; git init -q libmain; cd libmain
             echo \"from setuptools import setup; setup(name='libmain', version='1', py_modules=['libmain'], extras_require={'more': ['plum']})\" >setup.py
             echo \"SAYS = '1'\" >libmain.py; git add .; git commit -qm 1",
        );
        let git = format!("git+file://{}/libmain", host.place.root().display());
        let mut cases = vec![
            ("main[more]\n".to_owned(), "main1.0 plum1.0"),
            (format!("-e {git}#egg=libmain[more]\n"), "libmain1 plum1.0"),
        ];
        if host.installer == Installer::Uv {
            cases.push((format!("libmain[more] @ {git}\n"), "libmain1 plum1.0"));
            cases.remove(1);
        }
        for (requirements, holds) in cases {
            host.commit(&[("requirements.txt", "idle\n")]);
            host.prepared("a");
            host.commit(&[("requirements.txt", &requirements)]);
            host.prepared("a");
            assert_eq!(host.holds("a"), holds, "{requirements}");
        }
    });
}

/// pip's and uv's own words say what is the matter.
#[test]
fn installers_say_why_in_their_own_words() {
    by_both(|host| {
        host.publish("plum", "1.0", "");
        host.publish("plum", "2.0", "");
        host.publish("main", "1.0", "plum<2");
        host.commit(&[("requirements.txt", "main\nplum==2.0\n")]);
        let said = host.refused_as("a", host.spec.clone());
        let words = match host.installer {
            Installer::Pip => ["The conflict is caused by:", "main 1.0 depends on plum<2"],
            Installer::Uv | Installer::Auto => {
                ["No solution found when resolving dependencies", "all versions of main depend on plum<2"]
            }
        };
        for word in words {
            assert!(said.contains(word), "{said}");
        }
    });
}

/// A requirement file decides, with what it includes, in every encoding that its installer reads; in any other it is named.
#[test]
fn a_file_is_read_in_each_encoding_that_installers_know() {
    const TEXT: &str = "# ½ größer\n-r größer.txt\n";
    let wide = |mark: &[u8], units: &dyn Fn(char) -> Vec<u8>| -> Vec<u8> {
        mark.iter().copied().chain(TEXT.chars().flat_map(units)).collect()
    };
    let latin =
        |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).expect("it is")).collect::<Vec<u8>>();
    let utf16_le = wide(b"\xff\xfe", &|c| (c as u16).to_le_bytes().to_vec());
    let utf16_be = wide(b"\xfe\xff", &|c| (c as u16).to_be_bytes().to_vec());
    let utf32_be = wide(b"\0\0\xfe\xff", &|c| (c as u32).to_be_bytes().to_vec());
    let utf32_le = wide(b"\xff\xfe\0\0", &|c| (c as u32).to_le_bytes().to_vec());
    let (pip, both) = (&[Installer::Pip][..], &[Installer::Pip, Installer::Uv][..]);
    let cases = [
        ("UTF-8", TEXT.as_bytes().to_vec(), both),
        ("UTF-8 with a mark", wide(b"\xef\xbb\xbf", &|c| c.to_string().into_bytes()), both),
        ("UTF-16", utf16_le, both),
        ("UTF-16, high bytes first", utf16_be, both),
        ("UTF-32, high bytes first", utf32_be, both),
        ("UTF-32", utf32_le, &[]),
        ("Latin-1", latin(&format!("# -*- coding: latin-1 -*-\n{TEXT}")), pip),
        ("Latin-1, said in the second line", latin(&format!("# ours\n# coding=iso-8859-1\n{TEXT}")), pip),
        ("UTF-8 that says so", format!("# coding: utf-8\n{TEXT}").into_bytes(), both),
        ("Latin-1 that doesn't say so", latin(TEXT), &[]),
        ("Latin-1 below", latin("-r größer.txt\n"), &[]),
        ("what nobody knows", format!("# coding: klingon\n{TEXT}").into_bytes(), &[]),
    ];
    by_both(|host| {
        host.publish("six", "1.0", "");
        host.publish("plum", "1.0", "");
        // What was installed before is never what is asked for now.
        let mut asked = [("six\n", "six1.0"), ("plum\n", "plum1.0")].into_iter().cycle().peekable();
        for (encoding, bytes, read_by) in &cases {
            let (asks, holds) = *asked.peek().expect("there is always another");
            std::fs::write(host.place.root().join("project/requirements.txt"), bytes).expect("it is ours");
            host.commit(&[("größer.txt", asks)]);
            if read_by.contains(&host.installer) {
                host.prepared("a");
                assert_eq!(host.holds("a"), holds, "{encoding} by {:?}", host.installer);
                asked.next();
            } else {
                let said = host.prepare("a", host.spec.clone());
                assert!(said.starts_with('1'), "{encoding} by {:?}: {said}", host.installer);
                assert!(said.contains("requirements.txt"), "{encoding} by {:?}: {said}", host.installer);
            }
        }
    });
}

/// A requirement file is read as its installer reads it, and what the host tells of indexes holds for both installers.
#[test]
fn files_and_settings_are_those_that_installers_know() {
    by_both(|host| {
        host.publish("six", "1.0", "");
        let server = Server::serve(&host.place.root().join("index"));
        // What lies far away is fetched when it is resolved.
        host.place.by_hand("echo six >index/far.txt; echo 'six<2' >index/limits.txt");
        host.publish("six", "2.0", "");
        host.commit(&[("requirements.txt", &format!("-r {0}/far.txt\n-c {0}/limits.txt\n", server.url()))]);
        host.prepared("a");
        assert_eq!(host.holds("a"), "six1.0");
        // What a file says of indexes holds for what is asked for there, also where it lies beside that file.
        host.place.by_hand("mkdir -p project/more/vendor; cp index/six-2* project/more/vendor");
        host.commit(&[
            ("requirements.txt", "-r more/own.txt\n"),
            ("more/own.txt", "--no-index\n--find-links ./vendor\nsix\n"),
        ]);
        host.prepared_as("b", VirtualenvSpec { options: Vec::new(), upgrade: true, ..host.spec.clone() });
        assert_eq!(host.holds("b"), "six2.0");
        // A setting of pip's is one of uv's, and a virtualenv is made of all of them.
        let bare = VirtualenvSpec { options: Vec::new(), ..host.spec.clone() };
        host.commit(&[("requirements.txt", "six\n")]);
        host.place.by_hand(&format!(
            "mkdir -p home/.config/pip other; mv index/six-1* other; printf '[global]\nno-index = yes\nfind-links = {}\n' >home/.config/pip/pip.conf",
            server.url()
        ));
        host.prepared_as("b", bare.clone());
        assert_eq!(host.holds("b"), "six2.0");
        host.place.by_hand("sed -i 's,^find.*,find-links = '\"$PWD\"'/other,' home/.config/pip/pip.conf");
        host.prepared_as("b", VirtualenvSpec { upgrade: true, ..bare.clone() });
        assert_eq!(host.holds("b"), "six1.0");
        assert!(!host.prepared_as("b", bare.clone()).contains(INSTALLS));
        host.place.by_hand("sed -i 's/^no-index.*/no-index = on/' home/.config/pip/pip.conf");
        assert!(host.prepared_as("b", bare).contains(INSTALLS));
    });
}

/// Neither arguments nor what is printed have the password of an index, however it is told.
#[test]
fn no_argument_has_the_password_of_an_index() {
    by_both(|host| {
        for name in ["six", "plum"] {
            host.publish(name, "1.0", "");
            host.place.by_hand(&format!(
                "mkdir -p $0/simple/{name}; ln index/{name}-* $0/simple/{name}; mkdir -p both/simple; cp -r $0/simple/{name} both/simple"
            ).replace("$0", name));
        }
        host.place.by_hand("printf s3cret-word >password; rm index/six* index/plum*; mkdir -p links; cp six/simple/six/* links");
        let root = host.place.root();
        let server = Server::serve_shut(&root, &root.join("password"), &root.join("seen"));
        let at = |path: &str| format!("http://ada:s3cret-word@127.0.0.1:{}/{path}", server.port);
        let (both, six, plum) = (at("both/simple"), at("six/simple"), at("plum/simple"));
        let mut cases = vec![
            vec!["--index-url".to_owned(), both.clone()],
            vec![format!("--index-url={six}"), "--extra-index-url".to_owned(), plum.clone()],
            vec!["-i".to_owned(), plum.clone(), "--find-links".to_owned(), at("links/")],
            vec![
                "--no-index".to_owned(),
                "-f".to_owned(),
                at("links/"),
                format!("--find-links={}", at("plum/simple/plum/")),
            ],
        ];
        if host.installer == Installer::Uv {
            cases.push(vec![format!("--default-index={six}"), "--index".to_owned(), plum.clone()]);
        }
        let bare = |options: Vec<String>| VirtualenvSpec { options, ..host.spec.clone() };
        host.commit(&[("requirements.txt", "six\nplum\n")]);
        for options in cases {
            host.place
                .by_hand("rm -rf five/.buedafab five/releases/a/env home/.cache; mkdir -p five/.buedafab");
            let said = host.prepared_as("a", bare(options.clone()));
            assert_eq!(host.holds("a"), "plum1.0 six1.0", "{options:?}");
            assert!(!said.contains("s3cret"), "{options:?}: {said}");
            assert_eq!(host.place.by_hand("cat seen 2>/dev/null || :"), "", "{options:?}");
        }
        // Nor has one any of what files say, or what they include from far away.
        let far = |path: &str| format!("-r {}\n-c {}\n", at(path), at("limits.txt"));
        host.place.by_hand("echo six >far.txt; echo 'six<2' >limits.txt");
        let index = format!("--index-url {six}\n--extra-index-url {plum}\nplum\n");
        host.commit(&[("requirements.txt", &(index.clone() + &far("far.txt")))]);
        host.prepared_as("a", VirtualenvSpec { reinstall: true, ..bare(Vec::new()) });
        assert_eq!(host.holds("a"), "plum1.0 six1.0");
        host.commit(&[("requirements.txt", &(index + &far("gone.txt")))]);
        let said = mask_urls(&host.refused_as("a", bare(Vec::new())));
        assert!(said.contains("gone.txt") && !said.contains("s3cret"), "{said}");
        assert_eq!(
            host.place.by_hand("cat seen 2>/dev/null || :; grep -rl s3cret five/.buedafab/releases || :"),
            ""
        );
        host.commit(&[("requirements.txt", "six\nplum\n")]);
        // What the host says besides holds, too.
        host.place.by_hand(&format!(
            "rm -rf five/.buedafab five/releases/a/env home/.cache; mkdir -p five/.buedafab home/.config/pip
             printf '[global]\nindex-url = {six}\nextra-index-url = {plum}\n' >home/.config/pip/pip.conf"
        ));
        host.prepared_as("a", bare(vec!["--extra-index-url".to_owned(), at("links/")]));
        assert_eq!(host.holds("a"), "plum1.0 six1.0");
        // What can be told nowhere else is told nobody.
        let said = host.refused_as("a", bare(vec!["--mirror".to_owned(), six]));
        assert!(said.contains("can only be told where everybody reads it"), "{said}");
    });
}

/// A folder of wheels in the project changes with its commit.
#[test]
fn wheels_of_the_project_are_read_as_they_are_now() {
    by_both(|host| {
        let options = ["--no-index", "--find-links", "wheels"].map(str::to_owned).to_vec();
        let spec = VirtualenvSpec { options, ..host.spec.clone() };
        for version in ["1.0", "2.0"] {
            host.publish("plum", version, "");
            host.place.by_hand("rm -rf project/wheels; mkdir project/wheels; mv index/plum* project/wheels");
            host.commit(&[("requirements.txt", "plum\n")]);
            host.prepared_as("a", spec.clone());
            assert_eq!(host.holds("a"), format!("plum{version}"));
        }
        assert!(!host.prepared_as("a", spec.clone()).contains(INSTALLS));
    });
}

/// What is installed is what the file says, also where its version is the same as before.
#[test]
fn a_package_with_other_content_is_installed_again() {
    by_both(|host| {
        let wheel = "plum-1.0-py3-none-any.whl";
        let wheels = ["--no-index", "--find-links", "wheels"].map(str::to_owned).to_vec();
        let spec = VirtualenvSpec { options: wheels, ..host.spec.clone() };
        let far = host.with_options(&["--find-links", &host.place.root().join("far").display().to_string()]);
        let cases = [
            ("plum\n", &spec),
            ("./wheels/plum-1.0-py3-none-any.whl\n", &spec),
            ("plum==1.0 --hash=sha256:SUM\n", &spec),
            ("plum==1.0 --hash=sha256:SUM\n", &far),
            ("plum==1.0 \\\n    --hash=sha256:SUM\n", &far),
        ];
        // Of other lengths: Python takes one file of a second for another of the same size.
        let mut says = String::new();
        for (requirements, spec) in cases {
            for again in [false, true] {
                says.push('x');
                host.publish_saying("plum", "1.0", "", &says);
                let sum = host.check_sum(wheel);
                host.place.by_hand("rm -rf project/wheels far; mkdir project/wheels far; cp index/plum* far; mv index/plum* project/wheels");
                host.commit(&[("requirements.txt", &requirements.replace("SUM", &sum))]);
                host.prepared_as("a", spec.clone());
                assert_eq!(host.says("a", "plum"), says, "{requirements:?}, again: {again}");
                assert!(!host.prepared_as("a", spec.clone()).contains(INSTALLS), "{requirements}");
            }
        }
        // Nothing that came to an end half-way is taken for what it was.
        host.publish_saying("plum", "1.0", "", "more");
        let sum = host.check_sum(wheel);
        host.place.by_hand("mv far/plum* .; mv index/plum* far");
        let line = format!("plum==1.0 --hash=sha256:{sum}\n");
        host.publish("six", "1.0", "");
        host.commit(&[("requirements.txt", &line), ("build.sh", "#!/bin/sh\nexit 1\n")]);
        host.place.by_hand("cd project; chmod +x build.sh; git commit -qam more");
        host.refused_as("a", VirtualenvSpec { scripts: vec!["build.sh".to_owned()], ..far.clone() });
        host.place.by_hand("mv plum* far");
        let line = format!("plum==1.0 --hash=sha256:{}\n", &host.place.by_hand("sha256sum <far/plum*")[..64]);
        host.commit(&[("requirements.txt", &line)]);
        host.prepared_as("a", far.clone());
        assert_eq!(host.says("a", "plum"), says);
    });
}

/// A lock that was made with another index than the host has is one for this, too.
#[test]
fn a_lock_is_installed_from_a_mirror() {
    let [_, bash, _] = shells();
    let host = Host::new(Installer::Uv, bash);
    host.publish("six", "1.0", "");
    let wheel = "six-1.0-py3-none-any.whl";
    host.place.by_hand(&format!(
        "mkdir -p index/simple/six; echo '<a href=\"../../{wheel}#sha256={}\">{wheel}</a>' >index/simple/six/index.html",
        host.check_sum(wheel)
    ));
    let server = Server::serve(&host.place.root().join("index"));
    let project = |needs: &str| {
        format!(
            "[project]\nname = \"five\"\nversion = \"1\"\nrequires-python = \">=3.9\"\ndependencies = [\"{needs}\"]\n"
        )
    };
    host.commit(&[("pyproject.toml", &project("six"))]);
    let lock = format!(
        "cd project; {}/uv lock -q --no-cache --python /usr/bin/python3 --default-index {}/simple; git add .; git commit -qm lock",
        tools().display(),
        server.url()
    );
    host.place.by_hand(&lock);
    let spec = VirtualenvSpec { requirements: Vec::new(), ..host.spec.clone() };
    // The host knows the same packages by another address.
    host.prepared_as("a", spec.clone());
    assert_eq!(host.holds("a"), "six1.0");
    host.publish_saying("six", "1.0", "", "tampered");
    host.place.by_hand("rm -rf five/.buedafab/uv-cache");
    host.begin_with_nothing("b");
    assert!(host.refused_as("b", spec.clone()).to_lowercase().contains("hash"));
    // A lock that was made of that anew means it, whatever its version.
    let index = format!(
        "echo '<a href=\"../../{wheel}#sha256={}\">{wheel}</a>' >index/simple/six/index.html; rm project/uv.lock",
        host.check_sum(wheel)
    );
    host.place.by_hand(&index);
    host.place.by_hand(&lock);
    host.prepared_as("a", spec.clone());
    assert_eq!(host.says("a", "six"), "tampered");
    // What was asked for and what was locked are two things, whatever the index.
    host.commit(&[("pyproject.toml", &project("six>=1"))]);
    assert!(host.refused_as("b", spec).contains("needs to be updated"));
}

/// A pip that is too old to say what it would install makes the virtualenv anew instead, which then holds nothing else.
#[test]
fn an_old_pip_keeps_to_what_was_resolved() {
    let [dash, ..] = shells();
    let host = Host::new(Installer::Pip, dash);
    let old = host.with_pip("20.3.4");
    host.publish("six", "1.0", "");
    host.publish("plum", "1.0", "");
    host.publish("main", "1.0", "plum ; extra == \"more\"");
    host.commit(&[("requirements.txt", "six\nmain[more]\n")]);
    host.prepared_as("a", old.clone());
    assert_eq!(host.holds("a"), "main1.0 plum1.0 six1.0");
    host.publish("six", "2.0", "");
    host.publish("main", "2.0", "");
    host.commit(&[]);
    host.prepared_as("b", old.clone());
    assert_eq!(host.holds("b"), "main1.0 plum1.0 six1.0");
    assert!(!host.prepared_as("b", old.clone()).contains(INSTALLS));
    host.commit(&[("requirements.txt", "six\nmain==2.0\n")]);
    assert!(host.prepared_as("b", old.clone()).contains("making env"));
    assert_eq!(host.holds("b"), "main2.0 six1.0");
}

/// Such a pip can't tell which commit a branch was.
#[test]
fn an_old_pip_installs_no_branch_that_moves() {
    let [dash, ..] = shells();
    let host = Host::new(Installer::Pip, dash);
    host.place.by_hand(
        "mkdir git; git init -qb main libmain; cd libmain
         echo \"from setuptools import setup; setup(name='libmain', version='1', py_modules=['libmain'])\" >setup.py
         echo \"SAYS = '1'\" >libmain.py; git add .; git commit -qm 1
         git clone -q --bare . ../git/libmain.git; git -C ../git/libmain.git update-server-info",
    );
    let server = Server::serve(&host.place.root().join("git"));
    let old = host.with_pip("20.3.4");
    let repository = format!("git+{}/libmain.git", server.url());
    let commit = host.place.by_hand("git -C libmain rev-parse HEAD");
    for (rev, before, after) in [
        ("", "libmain @ ", ""),
        ("@main", "libmain @ ", " # ours"),
        ("@main", "-e ", "#egg=libmain"),
        ("@v1", "", "#egg=libmain"),
    ] {
        host.commit(&[("requirements.txt", &format!("{before}{repository}{rev}{after}\n"))]);
        let said = host.refused_as("a", old.clone());
        assert!(said.contains(&format!("{repository}{rev} names no commit, and pip 20.3.4")), "{said}");
        assert!(!said.contains("Collecting") && !said.contains("Obtaining"), "{said}");
        let pinned = format!("{before}{repository}@{}{after}\n", commit.trim_end());
        host.commit(&[("requirements.txt", "-r more.txt\n"), ("more.txt", &pinned)]);
        for slot in ["a", "b"] {
            host.prepared_as(slot, old.clone());
            assert_eq!(host.says(slot, "libmain"), "1", "{pinned}");
        }
    }
}
