//! A developer's own checkout: tests, lint, set-up. The real tools, from PyPI.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use buedafab_testkit::Remote;

use super::stage::Ran;
use super::wheels::target;

/// A project, and somebody who works on it.
pub(crate) struct Desk {
    pub(crate) remote: Remote,
    runtime: tempfile::TempDir,
    path: String,
}

impl Desk {
    pub(crate) fn new(configuration: &str) -> Desk {
        let desk = Desk {
            remote: Remote::temp(),
            runtime: tempfile::tempdir().expect("a folder"),
            path: std::env::var("PATH").expect("there is one"),
        };
        desk.remote.git(&["config", "user.name", "Ada"]);
        desk.remote.git(&["config", "user.email", "ada@example.com"]);
        desk.write("buedafab.toml", &format!("unit = \"five\"\n{configuration}"));
        desk
    }

    /// With pylint, pytest and their like first on the path; script/setup has installed them.
    fn with_tools(mut self) -> Desk {
        self.path = format!("{}:{}", tools().display(), self.path);
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.remote.checkout_dir().join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("it is ours");
        std::fs::write(path, text).expect("it is ours");
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_buedafab"));
        command
            .args(words)
            .current_dir(self.remote.checkout_dir())
            .env("PATH", &self.path)
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .env("XDG_CACHE_HOME", self.runtime.path().join("cache"))
            .env("XDG_STATE_HOME", self.runtime.path().join("state"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env_remove("VIRTUAL_ENV")
            .env_remove("PYTHONPATH")
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, words: &[&str], code: i32) -> Ran {
        let ran = Ran::of(self.command(words).output().expect("it runs"));
        assert_eq!(ran.code, code, "{words:?}\nstdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
        ran
    }
}

fn tools() -> PathBuf {
    target("tools/bin")
}

const TESTS: &str = "import os, unittest\n
class Test(unittest.TestCase):
    def test_kind(self):
        print('kind', os.environ['DEPLOYMENT_TYPE'])
        self.assertNotEqual(os.environ['DEPLOYMENT_TYPE'], 'BAD')
";

#[test]
fn tests_run_with_every_runner() {
    for runner in ["unittest", "pytest", "nose", "tornado", "python -m unittest test_it"] {
        let desk = Desk::new(&format!("test_runner = \"{runner}\"\n[environments.x]\n")).with_tools();
        desk.write("test_it.py", TESTS);
        desk.run(&["test"], 0).says("→ run the tests: ");
        desk.run(&["test:deployment_type=BAD"], 7).says("exit status ");
        desk.run(&["x", "test", "--deployment-type", "X"], 0);
        desk.run(&["test", "--dir", "nowhere"], 2).says("nowhere isn't a folder");
    }
    let desk = Desk::new("test_runner = 'echo kind $DEPLOYMENT_TYPE; exit 3'");
    let ran = desk.run(&["test"], 7);
    ran.says("kind SOLO\n").says("exit status 3");
    for words in [["production", "test"], ["development", "test"]] {
        desk.run(&words, 7).says("kind SOLO\n");
    }
    Desk::new("").run(&["test"], 3).says("no command for its tests").says("test_runner = \"pytest\"");
}

/// Who has just cloned a project reads before the deploy what its tests would fail for.
#[test]
fn a_deploy_says_that_its_tests_have_no_virtualenv() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("five").display().to_string();
    let lines = "recipe = 'wsgi'\nservice = 'none'\ntest_runner = 'pytest'\npip_requirements = ['requirements.txt']\n";
    let desk = Desk::new(&format!("{lines}path = {path:?}\n"));
    desk.write("requirements.txt", "flask\n");
    desk.remote.commit(&[], "One");
    desk.remote.push();
    let note = "this checkout has no virtualenv env: `buedafab setup` makes it";
    let dry = ["localhost", "deploy", "--dry-run"];
    assert!(desk.run(&dry, 0).stdout.replace("\n    ", " ").contains(note));
    let without = desk.run(&[&dry[..], &["--skip-tests"]].concat(), 0);
    desk.write("env/bin/python", "");
    for ran in [without, desk.run(&dry, 0)] {
        assert!(!ran.stdout.contains("buedafab setup"), "{}", ran.stdout);
    }
}

#[test]
fn failing_tests_stop_a_deploy() {
    let desk = Desk::new(
        "service = 'none'\nhooks.after_finish = 'touch /dev/null'\ntest_runner = 'cat feeling; ! grep -q bad feeling'\n",
    );
    let target = tempfile::tempdir().expect("a folder");
    let path = target.path().join("five").display().to_string();
    desk.write(
        "buedafab.toml",
        &(std::fs::read_to_string(desk.remote.checkout_dir().join("buedafab.toml")).expect("it is there")
            + &format!("path = {path:?}\n")),
    );
    desk.remote.commit(&[("feeling", "bad\n")], "One");
    desk.remote.push();
    let ran = desk.run(&["localhost", "deploy"], 4);
    ran.says("bad\n")
        .says("exit status 1")
        .says("serving now: nothing on localhost")
        .says("again: buedafab localhost deploy");
    assert!(!target.path().join("five").exists(), "nothing was touched");
    desk.run(&["localhost", "deploy", "--skip-tests"], 0);
    desk.write("feeling", "good\n");
    desk.remote.commit(&[], "Two");
    desk.run(&["localhost", "deploy"], 0).says("good\n").says("push ");
    desk.write("feeling", "worse\n");
    desk.run(&["localhost", "deploy", "--force"], 0).says("which differs from what is deployed");
}

#[test]
fn lint_shows_what_the_linter_says() {
    let desk = Desk::new("").with_tools();
    desk.run(&["lint"], 0).says("nothing to check");
    desk.write("apps/shop/__init__.py", "\"\"\"A shop.\"\"\"\n");
    desk.write("main.py", "\"\"\"The beginning.\"\"\"\nimport shop\nimport sold\n\nprint(shop, sold)\n");
    desk.write("vendor/sold/sold.py", "import nonsense_that_nobody_has\n");
    desk.remote.commit(&[], "One");
    desk.run(&["lint"], 0).says("pylint --recursive=y apps main.py").says("rated at 10.00/10");
    desk.write("main.py", "import shop\nundefined_name()\n");
    let ran = desk.run(&["lint"], 7);
    ran.says("undefined-variable").says("exit status ");
    // The project's own rules hold.
    desk.write(".pylintrc", "[MESSAGES CONTROL]\ndisable=all\nenable=syntax-error\n");
    desk.run(&["lint"], 0);
    let ruff = Desk::new("linter = 'ruff'").with_tools();
    ruff.write("main.py", "import os\n");
    ruff.remote.commit(&[], "One");
    ruff.run(&["lint"], 7).says("F401").says("ruff check: exit status 1");
    Desk::new("linter = 'echo mine; exit 9'").run(&["lint"], 7).says("mine\n").says("exit status 9");
}

const SETUP: &str = "pip_requirements = ['requirements/common.txt']
pip_requirements_dev = ['requirements/dev.txt']
private_requirements = ['requirements/private.txt']
package_installation_scripts = ['bin/install-gdal']
extra_setup_tasks = ['python -c \"import six, sys; print(six.__version__, sys.prefix)\"', 'echo $DEPLOYMENT_TYPE >kind']
";

#[test]
fn setup_makes_a_checkout_ready_by_venv_and_pip() {
    setup(Desk::new(SETUP));
}

#[test]
fn setup_makes_a_checkout_ready_by_uv() {
    let desk = Desk::new(SETUP);
    let bin = desk.runtime.path().join("bin");
    std::fs::create_dir(&bin).expect("it is ours");
    std::os::unix::fs::symlink(tools().join("uv"), bin.join("uv")).expect("it is ours");
    let path = format!("{}:{}", bin.display(), desk.path);
    setup(Desk { path, ..desk });
}

fn setup(desk: Desk) {
    let library = Remote::temp();
    library.commit(&[("lib.txt", "library\n")], "Library");
    library.push();
    desk.write("requirements/common.txt", "six==1.16.0\n");
    desk.write("requirements/dev.txt", "iniconfig==2.0.0\n");
    // As the old lists had it: a repository, and its default branch.
    let utils = Remote::temp();
    let project = "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\
                   [project]\nname = \"five-utils\"\nversion = \"1.0\"\n[tool.setuptools]\npy-modules = [\"five_utils\"]\n";
    utils.commit(&[("pyproject.toml", project), ("five_utils.py", "SAYS = 'utils'\n")], "Utils");
    utils.push();
    desk.write("requirements/private.txt", &format!("five-utils=={}\n", utils.url()));
    desk.write(
        "bin/install-gdal",
        "#!/bin/sh\npython -c 'import five_utils; print(five_utils.SAYS)' >gdal; echo \"$1\" >>gdal\n",
    );
    desk.remote.git(&["add", "--chmod=+x", "bin/install-gdal"]);
    let script = desk.remote.checkout_dir().join("bin/install-gdal");
    std::fs::set_permissions(script, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it is ours");
    let allow = ["-c", "protocol.file.allow=always"];
    desk.remote.git(&[&allow[..], &["submodule", "--quiet", "add", &library.url(), "lib"]].concat());
    desk.remote.commit(&[], "One");
    desk.remote.git(&["submodule", "--quiet", "deinit", "--force", "lib"]);
    let run = |code: i32| {
        let mut command = desk.command(&["setup"]);
        // Git takes submodules from paths only when it is told to.
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "protocol.file.allow");
        let ran = Ran::of(command.env("GIT_CONFIG_VALUE_0", "always").output().expect("it runs"));
        assert_eq!(ran.code, code, "{}\n{}", ran.stdout, ran.stderr);
        ran
    };
    let ran = run(0);
    let checkout = desk.remote.checkout_dir().canonicalize().expect("it is there");
    ran.says("→ update the submodules").says("→ make the virtualenv env").says("✓ this checkout is ready");
    ran.says("→ fetch the private package five-utils").says("→ run bin/install-gdal");
    ran.says(&format!("1.16.0 {}/env\n", checkout.display()));
    let gdal = std::fs::read_to_string(checkout.join("gdal")).expect("it is there");
    assert_eq!(gdal, format!("utils\n{}/env\n", checkout.display()));
    assert_eq!(std::fs::read_to_string(checkout.join("lib/lib.txt")).expect("it is there"), "library\n");
    assert_eq!(std::fs::read_to_string(checkout.join("kind")).expect("it is there"), "SOLO\n");
    // Again, with what has changed since; and then with a mistake.
    desk.write("requirements/common.txt", "six==1.17.0\n");
    run(0).says("1.17.0 ");
    desk.write("requirements/dev.txt", "there-is-no-such-package-as-this==1\n");
    run(7).says("install requirements/common.txt, requirements/dev.txt, five-utils: exit status ");
}

#[test]
fn setup_says_when_there_is_nothing_to_do() {
    Desk::new("").run(&["setup"], 0).says("nothing to set up");
    let desk = Desk::new("extra_setup_tasks = ['exit 4', 'echo never']");
    desk.remote.commit(&[], "One");
    let ran = desk.run(&["setup"], 7);
    ran.says("exit 4: exit status 4");
    assert!(!ran.stdout.contains("never"));
}

#[test]
fn a_shell_completes_what_the_project_has() {
    let desk = Desk::new(
        "[environments.production]\nhosts = [\"web1\", { name = \"jobs1\", roles = [\"worker\"] }]\n\
         [environments.staging]\nhosts = [\"stage1\"]\n",
    );
    desk.remote.commit(&[("version", "1")], "One");
    desk.remote.tag("v0.9.0");
    desk.remote.tag("v0.10.0");
    // As bash calls it: with the words that it has made of a line, and the last of them once more.
    let script = r#"PATH="${1%/*}:$PATH"; source <(buedafab completions bash)
        COMP_WORDS=(buedafab "${@:2}") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
        case ${!#} in [:=]) current= ;; *) current=${!#} ;; esac
        _clap_complete_buedafab buedafab "$current" 2>/dev/null; echo "${COMPREPLY[*]}""#;
    let offered = |words: &[&str]| {
        let plain = desk.command(&[]);
        let mut bash = Command::new("bash");
        super::stage::copy_surroundings(&plain, &mut bash);
        bash.args(["-c", script, "bash", env!("CARGO_BIN_EXE_buedafab")]).args(words);
        String::from_utf8(bash.output().expect("bash runs").stdout).expect("UTF-8").trim().to_owned()
    };
    assert_eq!(offered(&["prod"]), "production");
    assert_eq!(offered(&["production", "rol"]), "rollback");
    assert_eq!(offered(&["production", "--hosts", ""]), "web1 jobs1");
    assert_eq!(offered(&["staging", "--hosts", ""]), "stage1");
    assert_eq!(offered(&["production", "--roles", ""]), "web worker");
    assert_eq!(offered(&["production", "deploy", "--release", ""]), "v0.10.0 v0.9.0 latest_tag");
    assert_eq!(
        offered(&["production", "rollback", ":"]),
        "to= keep_schema reverse_migrations rehearse dry_run"
    );
    assert_eq!(offered(&["production", "deploy", ":", "re"]), "release= reinstall");
    assert_eq!(offered(&["production", "deploy", ":", "release", "=", "v0.1"]), "v0.10.0");
}

#[test]
fn help_says_how_a_command_is_typed() {
    let desk = Desk::new("");
    desk.run(&["help", "deploy"], 0).says("Usage: buedafab ENVIRONMENT deploy [OPTIONS]\n");
    desk.run(&["production", "help", "env", "set"], 0)
        .says("Usage: buedafab ENVIRONMENT env set [OPTIONS] NAME\n");
    desk.run(&["config", "--help"], 0).says("Usage: buedafab [ENVIRONMENT] config [OPTIONS]\n");
    let help = desk.run(&["help"], 0);
    help.says("\nReleases:\n  check  ").says("\nThe app on its hosts:\n  run  ");
    assert!(!help.stdout.contains("disable"), "{}", help.stdout);
    let typo = desk.run(&["depoy"], 2);
    assert_eq!(
        typo.stderr,
        "error: there is no command and no environment \"depoy\"\n  \
         help: did you mean deploy? The environment comes first: buedafab production deploy\n"
    );
}
