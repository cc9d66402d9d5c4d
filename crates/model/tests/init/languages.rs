//! What is made of projects in other languages.

use super::*;

#[test]
fn other_languages() {
    let mut all = String::new();
    let cases: [(&str, &[(&str, &str)]); 10] = [
        (
            "node",
            &[
                (
                    "package.json",
                    "{\"scripts\": {\"start\": \"node server.js\", \"build\": \"tsc\", \"test\": \"jest\", \"lint\": \"eslint .\"}}",
                ),
                ("package-lock.json", ""),
            ],
        ),
        ("rust", &[("Cargo.toml", "[package]\nname = \"five\"\n"), ("Cargo.lock", ""), ("src/main.rs", "")]),
        ("go", &[("go.mod", "module github.com/bueda/five\n"), ("cmd/server/main.go", "")]),
        (
            "rails",
            &[
                ("Gemfile", "gem \"rails\", \"~> 8.0\"\ngem 'puma'\ngem \"rspec-rails\"\n"),
                ("Gemfile.lock", ""),
                ("config/puma.rb", ""),
            ],
        ),
        (
            "a Procfile",
            &[("Procfile", "web: bin/serve -p $PORT\nworker: bin/work --all\nrelease: bin/migrate\n")],
        ),
        (
            "a Makefile",
            &[("Makefile", "CC := gcc\nbuild: main.c\n\tcc main.c\ntest:\n\t./test\nserve:\n\t./five\n")],
        ),
        (
            "a Dockerfile",
            &[("Dockerfile", "FROM elixir\nCMD mix phx.server --host 0.0.0.0 \\\n  --port ${PORT:-4000}\n")],
        ),
        ("pages", &[("index.html", ""), ("style.css", "")]),
        ("nothing known", &[("README.md", "")]),
        (
            "tests of Django alone",
            &[
                ("tests/manage.py", MANAGE),
                ("setup.cfg", "[options]\ninstall_requires =\n    Django>=4\n"),
                ("setup.py", ""),
            ],
        ),
    ];
    for (name, files) in cases {
        let _ = writeln!(all, "== {name}\n{}", shape(&checkout(files)));
    }
    insta::assert_snapshot!(all, @r#"
    == node
    recipe = "generic"
    test_runner = "npm test"
    linter = "npm run lint"
    service = "systemd:{unit}"
    # [services.web]
    # command = "npm start"
    build = "npm ci && npm run build"    # package.json
    - recipe generic (package.json)
    - started by: npm start (package.json)
    - production's branch main (the HEAD of origin)

    == rust
    recipe = "generic"
    test_runner = "cargo test"
    linter = "cargo clippy"
    service = "systemd:{unit}"
    # [services.web]
    # command = "./target/release/five"
    build = "cargo build --release --locked"    # Cargo.toml
    - recipe generic (Cargo.toml)
    - started by: ./target/release/five (Cargo.toml)
    - production's branch main (the HEAD of origin)

    == go
    recipe = "generic"
    test_runner = "go test ./..."
    linter = "go vet ./..."
    service = "systemd:{unit}"
    # [services.web]
    # command = "./bin/server"
    build = "go build -o bin/server ./cmd/server"    # go.mod
    - recipe generic (go.mod)
    - started by: ./bin/server (go.mod)
    - production's branch main (the HEAD of origin)

    == rails
    recipe = "generic"
    test_runner = "bundle exec rspec"
    service = "systemd:{unit}"
    # [services.web]
    # command = "bundle exec puma -C config/puma.rb"
    build = "bundle config set --local deployment true && bundle install && bin/rails assets:precompile"    # Gemfile
    once = "bin/rails db:migrate"    # Gemfile
    - recipe generic (Gemfile)
    - started by: bundle exec puma -C config/puma.rb (Gemfile)
    - production's branch main (the HEAD of origin)

    == a Procfile
    recipe = "generic"
    service = "systemd:{unit}"
    # [services.web]
    # command = "bin/serve -p 8000"
    # [services.worker]
    # command = "bin/work --all"
    once = "bin/migrate"    # Procfile
    - recipe generic (Procfile)
    - started by: bin/serve -p 8000 (Procfile)
    - production's branch main (the HEAD of origin)

    == a Makefile
    recipe = "generic"
    test_runner = "make test"
    service = "systemd:{unit}"
    # [services.web]
    # command = "make serve"
    build = "make build"    # Makefile
    - recipe generic (nothing here is known to a recipe)
    - started by: make serve (Makefile)
    - production's branch main (the HEAD of origin)

    == a Dockerfile
    recipe = "generic"
    service = "systemd:{unit}"
    # [services.web]
    # command = "mix phx.server --host 127.0.0.1 --port 8000"
    - recipe generic (nothing here is known to a recipe)
    - started by: mix phx.server --host 127.0.0.1 --port 8000 (Dockerfile)
    - production's branch main (the HEAD of origin)

    == pages
    recipe = "static"
    service = "none"
    - recipe static (index.html)
    - production's branch main (the HEAD of origin)

    == nothing known
    recipe = "generic"
    service = "systemd:{unit}"
    # [services.web]
    # command = "./bin/serve --port 8000"
    - recipe generic (nothing here is known to a recipe)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]

    == tests of Django alone
    recipe = "wsgi"
    pip_requirements = []
    service = "systemd:{unit}"
    # [services.web]
    # command = "python -m gunicorn --bind 127.0.0.1:8000 app:app"
    - recipe wsgi (setup.py is Python's, and asks for no framework)
    - production's branch main (the HEAD of origin)
    ? What starts the app: a command, or systemd:NAME for a unit that is there? [later]
    "#);
}
