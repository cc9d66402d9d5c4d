//! A folder imports only what stands before it: else two of them can't be understood one after the other.

use std::fs;
use std::path::{Path, PathBuf};

/// The folders and files of `src`, from the ground up. `deployer` stands before `plan`, as a plan holds the deployer's
/// actions, and `shell` before `planner`, as unit files are rendered for the plan.
const ORDER: [&str; 16] = [
    "names", "release", "app", "host", "config", "init", "deployer", "plan", "strategy", "shell", "planner",
    "run", "spans", "simulate", "view", "notify",
];

#[test]
fn a_folder_imports_only_what_stands_before_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = Vec::new();
    for file in rust_files(&src) {
        let path = file.strip_prefix(&src).expect("it was found below it");
        let top = path.iter().next().expect("a file has a name").to_str().expect("our names are plain");
        let own = top.strip_suffix(".rs").unwrap_or(top);
        if own == "lib" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source can be read");
        for (line, import) in imports(&text) {
            if place(&import) > place(own) {
                violations.push(format!("src/{}:{line}: {own} imports {import}", path.display()));
            }
        }
    }
    assert!(
        violations.is_empty(),
        "these imports lead to what stands after the folder that they are in:\n{}\n\nthe order: {}",
        violations.join("\n"),
        ORDER.join(", ")
    );
}

#[test]
fn imports_are_found_however_they_are_written() {
    let check = |text: &str, expected: &[(usize, &str)]| {
        let found = imports(text);
        let found: Vec<(usize, &str)> = found.iter().map(|(line, name)| (*line, name.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    };
    check("use crate::plan::Plan;\n", &[(1, "plan")]);
    check("pub(crate) use crate::plan;\n", &[(1, "plan")]);
    check("fn f() {\n    crate::view::show(crate::run::now())\n}\n", &[(2, "view"), (2, "run")]);
    check(
        "use crate::{\n    names::{HostName, RunId},\n    run::event::Event,\n};\n",
        &[(2, "names"), (3, "run")],
    );
    check("/// [`crate::view`] shows it. // crate::view::x\nfn f() {}\n", &[]);
    check("#[cfg(test)]\nmod tests;\nuse crate::plan;\n", &[(3, "plan")]);
    check("fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::view::show;\n}\n", &[]);
}

fn place(name: &str) -> usize {
    ORDER.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name} has no place in ORDER"))
}

/// What of this crate a file names, with the line: `use crate::X`, `crate::X::` in code, and each of `crate::{X, Y}`. Its
/// comments don't count, nor what stands below `#[cfg(test)]`.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        // Tests in a file of their own end nothing here.
        let with_body = lines.peek().is_some_and(|item| !item.trim_end().ends_with(';'));
        if line.trim_start().starts_with("#[cfg(test)]") && with_body {
            break;
        }
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    let mut found = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let after = at + path.len();
        for (offset, name) in first_names(&code[after..]) {
            found.push((code[..after + offset].matches('\n').count() + 1, name.to_owned()));
        }
    }
    found
}

/// The first part of each path in what follows `crate::`, and where it stands: one, or those of a group.
fn first_names(text: &str) -> Vec<(usize, &str)> {
    let Some(group) = text.strip_prefix('{') else {
        return vec![(0, identifier(text))];
    };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut begins = true;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && !letter.is_whitespace() => {
                names.push((at + 1, identifier(&group[at..])));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    &text[..end.unwrap_or(text.len())]
}

/// All Rust files, but for those that hold only tests.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("our names are plain");
        if path.is_dir() {
            if name != "tests" {
                files.extend(rust_files(&path));
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(path);
        }
    }
    files.sort();
    files
}
