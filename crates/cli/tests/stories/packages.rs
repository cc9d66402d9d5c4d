//! Private packages, from real git repositories and from a real S3 server on loopback.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use buedafab_testkit::FleetOptions;

use super::python::install_uv;
use super::stage::{Ran, Stage, wait_for};
use super::wheels::{Wheels, target};

/// An S3 server with one bucket, `bueda`.
struct Bucket {
    server: Child,
    url: String,
}

impl Bucket {
    fn start() -> Bucket {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it has one").port();
        drop(listener);
        let server = Command::new(target("tools/bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("script/setup has run");
        let bucket = Bucket { server, url: format!("http://127.0.0.1:{port}") };
        wait_for("the S3 server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        bucket.curl(&["-X", "PUT"], "");
        bucket
    }

    /// Puts a file there, and gives back its check sum.
    fn put(&self, file: &Path, key: &str) -> String {
        self.curl(&["-T", &file.display().to_string()], key);
        let sum = Command::new("sha256sum").arg(file).output().expect("it runs");
        String::from_utf8_lossy(&sum.stdout)[..64].to_owned()
    }

    fn curl(&self, words: &[&str], key: &str) {
        let url = format!("{}/bueda/{key}", self.url);
        let output =
            Command::new("curl").args(["-fsS"]).args(words).arg(&url).output().expect("curl is installed");
        assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A package with one module, which says its version.
fn write_package(folder: &Path, name: &str, version: &str, needs: &str) {
    let module = name.replace('-', "_");
    let project = format!(
        "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \"{name}\"\nversion = \"{version}\"\n\
         dependencies = [{needs}]\n[tool.setuptools]\npy-modules = [\"{module}\"]\n"
    );
    std::fs::create_dir_all(folder).expect("it is ours");
    std::fs::write(folder.join("pyproject.toml"), project).expect("it is ours");
    std::fs::write(folder.join(format!("{module}.py")), format!("SAYS = '{version}'\n")).expect("it is ours");
}

fn sh(folder: &Path, script: &str) {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().expect("sh runs");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

struct App {
    stage: Stage,
    wheels: Wheels,
    bucket: Bucket,
    /// Where the private packages are made, and their repositories lie.
    folder: tempfile::TempDir,
}

impl App {
    fn new() -> App {
        let folder = tempfile::tempdir().expect("a folder");
        let app = App {
            stage: Stage::with(FleetOptions::default()),
            wheels: Wheels::serve(),
            bucket: Bucket::start(),
            folder,
        };
        sh(
            app.folder.path(),
            "git init -q -b main utils && git -C utils config user.name Ada && git -C utils config user.email a@b && mkdir git",
        );
        app.tag_utils("v1", "1.0", "\"iniconfig\"");
        app.tag_utils("v2", "2.0", "");
        app
    }

    /// A new release of the package that lies in git.
    fn tag_utils(&self, tag: &str, version: &str, needs: &str) {
        write_package(&self.folder.path().join("utils"), "five-utils", version, needs);
        sh(
            self.folder.path(),
            &format!(
                "git -C utils add . && git -C utils commit -qm {tag} && git -C utils tag {tag} && rm -rf git/five-utils.git && git clone -q --bare utils git/five-utils.git"
            ),
        );
    }

    /// Packs a source distribution, and puts it into the bucket.
    fn put_plato(&self, version: &str) -> String {
        let name = format!("plato-{version}");
        let folder = self.folder.path();
        write_package(&folder.join(&name), "plato", version, "");
        sh(folder, &format!("tar -czf {name}.tar.gz {name}"));
        self.bucket.put(&folder.join(format!("{name}.tar.gz")), &format!("{name}.tar.gz"))
    }

    fn repository(&self) -> String {
        format!("{}/git/{{name}}.git", self.folder.path().display())
    }

    fn configure(&self, python: &str) {
        self.stage.configure(&format!(
            "unit = \"five\"\nrecipe = \"wsgi\"\nservice = \"none\"\npip_requirements = [\"requirements.txt\"]\n{}\ns3_endpoint = \"{}\"\n{}\n\
             [environments.production]\nhosts = [\"web1\"]\n",
            self.wheels.options(),
            self.bucket.url,
            python.replace("REPOSITORY", &self.repository()).replace("UTILS", &self.repository().replace("{name}", "five-utils")),
        ));
    }

    #[track_caller]
    fn run(&self, words: &[&str], code: i32) -> Ran {
        let mut command = self.stage.command(&[&["production"], words].concat());
        command.env("AWS_ACCESS_KEY_ID", "AKIA").env("AWS_SECRET_ACCESS_KEY", "secret");
        let ran = Ran::of(command.output().expect("it runs"));
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        ran
    }

    fn installed(&self) -> String {
        let said = self.stage.fleet.host("web1").run(
            "cd /var/webapps/five/releases/current && env/bin/python -c 'from importlib import metadata as m
print(*sorted(d.name + d.version for d in m.distributions() if d.name not in (\"pip\", \"setuptools\")))'",
        );
        said.trim_end().to_owned()
    }

    fn sent(&self) -> usize {
        self.stage.fleet.host("web1").run("ls /var/webapps/five/packages").lines().count()
    }
}

const INSTALLS: &str = "installing with ";

fn the_life_of_private_packages(app: &App, top: &str) {
    let sum = app.put_plato("1.0");
    let configure = |rev: &str, plato: &str, sum: &str| {
        app.configure(&format!(
            "{top}\n[[python.private]]\nurl = \"UTILS\"\nrev = \"{rev}\"\n[[python.private]]\nurl = \"s3://bueda/plato-{plato}.tar.gz\"\nsha256 = \"{sum}\"\n"
        ));
    };
    configure("v1", "1.0", &sum);
    app.stage.release_with("one-a", &[("requirements.txt", "six==1.16.0\n")]);
    let ran = app.run(&["-v", "deploy"], 0);
    ran.says("here: fetch the private package five-utils")
        .says("send five-utils-")
        .says("send plato-1.0.tar.gz")
        .says(INSTALLS);
    assert_eq!(app.installed(), "five-utils1.0 iniconfig2.0.0 plato1.0 six1.16.0");
    // The other slot gets them from the host; from then on nothing is sent and nothing installed.
    app.stage.release_with("two", &[]);
    let ran = app.run(&["-v", "deploy"], 0);
    assert!(!ran.stderr.contains("send "), "{}", ran.stderr);
    app.stage.release_with("three", &[]);
    let ran = app.run(&["-v", "deploy"], 0);
    assert!(!ran.stderr.contains("send ") && !ran.stderr.contains(INSTALLS), "{}", ran.stderr);
    assert_eq!(app.installed(), "five-utils1.0 iniconfig2.0.0 plato1.0 six1.16.0");
    // Another revision is installed, and what only the old one needed goes.
    configure("v2", "1.0", &sum);
    app.stage.release_with("four", &[]);
    app.run(&["-v", "deploy"], 0).says("send five-utils-").says(INSTALLS);
    assert_eq!(app.installed(), "five-utils2.0 plato1.0 six1.16.0");
    assert_eq!(app.sent(), 3);
    // An attempt that fails takes the idle slot; the way back makes what was in it again, of what lies on the host.
    let later = app.put_plato("1.1");
    configure("v2", "1.1", &later);
    app.stage.release_with("five", &[("requirements.txt", "six==1.16.0\nno-such-package==1\n")]);
    app.run(&["deploy"], 7).says("no-such-package");
    app.run(&["rollback"], 0).says("the link leads to three (");
    assert_eq!(app.installed(), "five-utils1.0 iniconfig2.0.0 plato1.0 six1.16.0");
    // A package with another check sum goes nowhere.
    configure("v2", "1.1", &sum);
    app.stage.release_with("six", &[("requirements.txt", "six==1.16.0\n")]);
    app.run(&["deploy"], 4).says("plato can't be fetched: its check sum is").says("nothing was touched");
    configure("v9", "1.1", &later);
    app.run(&["deploy"], 4).says("has no tag and no branch called \"v9\"");
    configure("v2", "9.9", &later);
    app.run(&["deploy"], 4).says("/bueda/plato-9.9.tar.gz answers 404 (NoSuchKey");
    configure("v2", "1.1", &later);
    app.run(&["deploy"], 0);
    assert_eq!(app.installed(), "five-utils2.0 plato1.1 six1.16.0");
    // Taken out, they go; and what no release holds any more is gone from the host after a while.
    app.configure(top);
    for release in ["seven", "eight", "nine"] {
        app.stage.release_with(release, &[]);
        app.run(&["deploy"], 0);
        assert_eq!(app.installed(), "six1.16.0");
    }
    assert_eq!(app.sent(), 0);
}

#[test]
fn private_packages_by_pip() {
    the_life_of_private_packages(&App::new(), "installer = \"pip\"");
}

#[test]
fn private_packages_by_uv() {
    let app = App::new();
    install_uv(&app.stage);
    the_life_of_private_packages(&app, "installer = \"uv\"");
}

#[test]
fn lists_of_private_packages_are_read_as_buedafab_wrote_them() {
    let app = App::new();
    let git =
        "installer = \"pip\"\nprivate_requirements = [\"private.txt\"]\nprivate_source = \"REPOSITORY\"\n";
    app.configure(git);
    app.stage.release_with(
        "one-a",
        &[("requirements.txt", "six==1.16.0\n"), ("private.txt", "five-utils==v1  # ours\n")],
    );
    app.run(&["deploy"], 0);
    assert_eq!(app.installed(), "five-utils1.0 iniconfig2.0.0 six1.16.0");
    app.stage.release_with("two", &[("private.txt", "five-utils==v2\n")]);
    app.run(&["deploy"], 0);
    assert_eq!(app.installed(), "five-utils2.0 six1.16.0");
    app.stage.release_with("three", &[("private.txt", "five-utils>=1\n")]);
    app.run(&["deploy"], 4)
        .says("private.txt: line 1: this is none of name==release, name==URL")
        .says("nothing was touched");
    let sum = app.put_plato("1.0");
    app.configure(&git.replace("REPOSITORY", "s3://bueda/{name}-{release}.tar.gz"));
    app.stage.release_with("four", &[("private.txt", &format!("plato==1.0 --hash=sha256:{sum}\n"))]);
    app.run(&["deploy"], 0);
    assert_eq!(app.installed(), "plato1.0 six1.16.0");
    app.run(&["rollback"], 0);
    assert_eq!(app.installed(), "five-utils2.0 six1.16.0");
    // As the lists were under Fabric: what has no URL is in the bucket, the rest in git, at its default branch or as it says.
    app.configure(&git.replace("REPOSITORY", "s3://bueda/{name}.tar.gz"));
    let utils = app.repository().replace("{name}", "five-utils");
    let mixed = |rev: &str| format!("plato-1.0 --hash=sha256:{sum}\nfive-utils=={utils}{rev}\n");
    app.stage.release_with("four-b", &[("private.txt", &mixed("==v1"))]);
    app.run(&["deploy"], 0);
    assert_eq!(app.installed(), "five-utils1.0 iniconfig2.0.0 plato1.0 six1.16.0");
    app.stage.release_with("four-c", &[("private.txt", &mixed(""))]);
    app.run(&["deploy"], 0);
    assert_eq!(app.installed(), "five-utils2.0 plato1.0 six1.16.0");
    // Where hashes are asked for, and where a lock is, they come last.
    app.configure(&git.replace("pip_requirements", ""));
    let wheel = std::fs::read_dir(target("wheels")).expect("script/setup has run").flatten();
    let six = wheel
        .map(|entry| entry.path())
        .find(|path| path.display().to_string().contains("six-1.17.0"))
        .expect("it is there");
    let sum = Command::new("sha256sum").arg(six).output().expect("it runs");
    let hashed = format!("six==1.17.0 --hash=sha256:{}\n", &String::from_utf8_lossy(&sum.stdout)[..64]);
    app.stage.release_with("five", &[("requirements.txt", &hashed), ("private.txt", "five-utils==v2\n")]);
    app.run(&["deploy"], 0);
    assert_eq!(app.installed(), "five-utils2.0 six1.17.0");
}

/// A fleet whose next deploy sends a package of so many bytes, which lies in the cache as if it had been fetched. Their
/// Python takes anything for a package.
fn stage_with_large_package(hosts: usize, size: u64, hooks: &str) -> Stage {
    let python = "#!/bin/sh\n[ \"$2\" != venv ] || { mkdir -p \"$3/bin\" && cp \"$0\" \"$3/bin/python\"; }\n";
    let home_files = vec![("python".to_owned(), python.to_owned())];
    let stage = Stage::with(FleetOptions { hosts, home_files, ..FleetOptions::default() });
    let names: Vec<String> = (1..=hosts).map(|number| format!("\"web{number}\"")).collect();
    let commit = "5ed17b1b2bb7bae1ea611c84ada59cb77d77b850";
    let url = "git@git.invalid:bueda/plato.git";
    stage.configure(&format!(
        "unit = \"five\"\nrecipe = \"wsgi\"\nservice = \"none\"\ninstaller = \"pip\"\n{hooks}\n\
         [python]\ninterpreter = \"/home/deploy/python\"\n[[python.private]]\nurl = \"{url}\"\nrev = \"{commit}\"\n\
         [environments.production]\nhosts = [{}]\n",
        names.join(", ")
    ));
    stage.release("one-a");
    let folder = stage.cache().join("buedafab/packages").join(commit);
    std::fs::create_dir_all(&folder).expect("it is ours");
    let file = std::fs::File::create(folder.join(format!("plato-g{}.tar.gz", &commit[..10])));
    file.and_then(|file| file.set_len(size)).expect("it is ours");
    stage
}

#[test]
fn the_memory_of_the_deployer_grows_with_neither_hosts_nor_packages() {
    // Kept in memory for each host, this would be eight times what is allowed. With 200 MiB the peak is the same, 35 MiB.
    const SIZE: u64 = 48 * 1024 * 1024;
    let stage = stage_with_large_package(10, SIZE, "");
    let figures = stage.cache().join("figures");
    let program = stage.command(&["-v", "production", "deploy"]);
    let mut command = Command::new("time");
    command.args(["-q", "-f", "%M", "-o"]).arg(&figures).arg(program.get_program()).args(program.get_args());
    command.current_dir(program.get_current_dir().expect("the stage gives one")).stdin(Stdio::null());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let ran = Ran::of(command.output().expect("time starts: it is Debian's package `time`"));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for host in stage.fleet.hosts() {
        let came = host.run("stat -c %s /var/webapps/five/packages/*/plato-*");
        assert_eq!(came, format!("{SIZE}\n"), "{}", ran.stderr);
    }
    let peak = std::fs::read_to_string(figures).expect("time wrote it");
    let peak_kib: u64 = peak.trim().parse().expect("a number");
    assert!(peak_kib < 60 * 1024, "{peak_kib} KiB");
}

#[test]
fn a_package_that_cannot_be_read_is_told_by_its_name() {
    let stage =
        stage_with_large_package(2, 7, "[hooks.local]\nbefore = \"rm -r $XDG_CACHE_HOME/buedafab/packages\"");
    stage
        .production(&["deploy"], 7)
        .says("can't read ")
        .says("plato-g5ed17b1b2b.tar.gz: No such file or directory")
        .says("serving now: nothing on web1, web2");
    stage.wait_until_free();
}
