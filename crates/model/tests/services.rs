//! Plans for an app's services: their files and their order.

mod common;

use buedafab_model::host::facts::HostFacts;
use buedafab_model::plan::Plan;
use buedafab_model::plan::action::{Action, Answerer, AppAction, Schema, ServiceAction};
use buedafab_model::plan::refusal::Refusal;
use buedafab_model::planner::{DeployRequest, RollbackRequest, plan_deploy, plan_rollback};
use buedafab_model::view::{Detail, show_plan};
use insta::assert_snapshot;

use common::{URL, assert_sound, bare, check, live, request, run, second, seen, settings};

/// What a plan's switch does to services, and what puts it back.
fn restarts(plan: &Plan) -> String {
    assert_sound(plan);
    let shown = show_plan(plan, Detail::Steps);
    let lines = shown.lines().skip_while(|line| *line != "switch").take_while(|line| *line != "finish");
    let told = ["restart", "stop", "if it fails: restart", "if it fails: stop"];
    lines
        .filter(|line| line.starts_with("  on") || told.iter().any(|t| line.trim_start().starts_with(t)))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn services_come_before_the_app_and_go_after_it() {
    let text = "unit = \"five\"\nservice = \"systemd:five\"\n[services.worker]\nservice = \"systemd:{unit}-worker\"\nroles = [\"worker\"]\n\
        [services.beat]\nservice = \"systemd:five-beat\"\nroles = [\"worker\"]\nsingle = true\n[services.apart]\nservice = \"runit:apart\"\n\
        [environments.production]\nhosts = [\"web1\", { name = \"jobs1\", roles = [\"worker\"] }, { name = \"jobs2\", roles = [\"worker\", \"web\"] }]\n";
    let settings = settings(text);
    let hosts = [second(), second(), second()];
    let forward = plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &hosts)).expect("a plan");
    assert_snapshot!(restarts(&forward), @"
    on web1
      restart runit:apart
      restart systemd:five
      if it fails: restart systemd:five
      if it fails: restart runit:apart
    on jobs1
      restart systemd:five-worker
      restart systemd:five-beat
      restart runit:apart
      restart systemd:five
      if it fails: restart systemd:five
      if it fails: restart runit:apart
      if it fails: restart systemd:five-beat
      if it fails: restart systemd:five-worker
    on jobs2
      restart systemd:five-worker
      stop systemd:five-beat
      restart runit:apart
      restart systemd:five
      if it fails: restart systemd:five
      if it fails: restart runit:apart
      if it fails: stop systemd:five-beat
      if it fails: restart systemd:five-worker
    ");
    let back = plan_rollback(
        &settings,
        &run(60),
        &RollbackRequest::new(URL, Schema::Refuse),
        &seen(&settings, &hosts),
    )
    .expect("a plan");
    assert_snapshot!(restarts(&back), @"
    on web1
      restart systemd:five
      restart runit:apart
      if it fails: restart runit:apart
      if it fails: restart systemd:five
    on jobs1
      restart systemd:five
      restart runit:apart
      restart systemd:five-beat
      restart systemd:five-worker
      if it fails: restart systemd:five-worker
      if it fails: restart systemd:five-beat
      if it fails: restart runit:apart
      if it fails: restart systemd:five
    on jobs2
      restart systemd:five
      restart runit:apart
      stop systemd:five-beat
      restart systemd:five-worker
      if it fails: restart systemd:five-worker
      if it fails: stop systemd:five-beat
      if it fails: restart runit:apart
      if it fails: restart systemd:five
    ");
}

#[test]
fn a_hook_restarts_besides_the_tables() {
    let text = "unit = \"five\"\nservice = \"systemd:five\"\n[hooks]\nrestart = \"touch reload\"\n\
        [services.web]\nservice = \"systemd:five\"\n[environments.production]\nhosts = [\"web1\"]\n";
    let settings = settings(text);
    let hosts = [second()];
    let plan = plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &hosts)).expect("a plan");
    assert_snapshot!(restarts(&plan), @"
    on web1
      restart systemd:five
      restart: touch reload
      if it fails: restart: touch reload
      if it fails: restart systemd:five
    ");
}

const JOBS: &str = "unit = \"five\"\nrecipe = \"wsgi\"\nservice = \"none\"\nenv_file = \".env\"\nvariables = { GREETING = \"50 % of \\\"$HOME\\\"\" }\n\
    [services.jobs]\ndefault = \"celery\"\nroles = [\"worker\"]\n[services.beat]\ndefault = \"celery-beat\"\nservice = \"init:beat-{unit}_{deployment_type}\"\n\
    roles = [\"worker\"]\n[services.web]\ntemplate = \"conf/web.service\"\nreload = true\n\
    [environments.production]\nhosts = [{ name = \"jobs1\", roles = [\"worker\"] }, { name = \"jobs2\", roles = [\"worker\"] }]\n";

fn jobs(template: &str) -> Result<Plan, Vec<Refusal>> {
    let settings = settings(JOBS);
    let templates = [("conf/web.service".to_owned(), template.to_owned())].into();
    let request = DeployRequest { templates, ..request(3) };
    plan_deploy(&settings, &run(60), &request, &seen(&settings, &[second(), second()]))
}

#[test]
fn files_of_services_are_made_before_and_put_in_place_by_the_switch() {
    let plan =
        jobs("{{ name }} of {{ release }} on {{ host }} as {{ user }}, {{ describe }}\n").expect("a plan");
    assert_sound(&plan);
    let shown = show_plan(&plan, Detail::Steps);
    let told: Vec<&str> = shown
        .lines()
        .filter(|line| {
            line.starts_with("  on")
                || ["write and", "install", "stop", "see that"].iter().any(|t| line.contains(t))
        })
        .collect();
    assert_snapshot!(told.join("\n"), @"
    on jobs1, jobs2
    on jobs1, jobs2
      write and check five-jobs.service, beat-five_PRODUCTION, five-web.service
    on jobs1
      install and restart systemd:five-jobs
      install and restart init:beat-five_PRODUCTION
      install and reload systemd:five-web
      if it fails: install and reload systemd:five-web
      if it fails: install and restart init:beat-five_PRODUCTION
      if it fails: install and restart systemd:five-jobs
    on jobs2
      install and restart systemd:five-jobs
      stop init:beat-five_PRODUCTION
      install and reload systemd:five-web
      if it fails: install and reload systemd:five-web
      if it fails: stop init:beat-five_PRODUCTION
      if it fails: install and restart systemd:five-jobs
    on jobs1, jobs2
    ");
    let files = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
    let files: Vec<String> = files
        .filter_map(|step| match &step.action {
            Action::Service(ServiceAction::ServiceFiles { files, .. }) => Some(files),
            _ => None,
        })
        .next()
        .expect("there is such a step")
        .iter()
        .map(|file| format!("==> {} <==\n{}", file.path, file.text))
        .collect();
    assert_snapshot!(files.join("\n"), @r#"
    ==> /etc/systemd/system/five-jobs.service <==
    # buedafab keeps this for {"unit":"five","environment":"production","repository":"git.example.com/bueda/five"}
    # jobs of five in production, written by buedafab: what is changed here is lost with the next deploy.
    [Unit]
    Description=five: jobs (production)
    After=network.target

    [Service]
    Type=exec
    User=deploy
    WorkingDirectory=/var/webapps/five/releases/current
    Environment="DEPLOYMENT_TYPE=PRODUCTION"
    Environment="GREETING=50 %% of \"$HOME\""
    EnvironmentFile=-/var/webapps/five/shared/.env
    ExecStart=/bin/sh -c "cd -P . && export VIRTUAL_ENV=\"$$PWD\"/env PATH=\"$$PWD\"/env/bin:\"$$PATH\" && exec python -m celery -A five worker --loglevel INFO"
    ExecReload=/bin/kill -HUP $MAINPID
    KillMode=mixed
    TimeoutStopSec=600
    SyslogIdentifier=%N
    Restart=on-failure
    RestartSec=2

    [Install]
    WantedBy=multi-user.target

    ==> /etc/init.d/beat-five_PRODUCTION <==
    #!/bin/sh
    # buedafab keeps this for {"unit":"five","environment":"production","repository":"git.example.com/bueda/five"}
    # beat of five in production, written by buedafab: what is changed here is lost with the next deploy.
    ### BEGIN INIT INFO
    # Provides:          beat-five_PRODUCTION
    # Required-Start:    $remote_fs $network
    # Required-Stop:     $remote_fs $network
    # Default-Start:     2 3 4 5
    # Default-Stop:      0 1 6
    # Short-Description: five: beat (production)
    ### END INIT INFO

    pid=/run/beat-five_PRODUCTION.pid
    log=/var/webapps/five/shared/log/beat.log

    running() { [ -s "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }

    start() {
      ! running || return 0
      install -d -o deploy /var/webapps/five/shared/log || return
      (
        export 'DEPLOYMENT_TYPE=PRODUCTION'
        export 'GREETING=50 % of "$HOME"'
    read_env() {
      LC_ALL=C
      file=$1
      number=0
      all=
      blank=$(printf ' \t')
      return=$(printf '\r')
      wrong() {
        echo "line $number of $file $1: correct it, or write the file anew by \`env push\`" >&2
        exit 78
      }
      trim() {
        text=${text#"${text%%[!"$blank"]*}"}
        text=${text%"${text##*[!"$blank"]}"}
      }
      go_on() {
        begun=${begun:-$number}
        case $tail in *"$return"*) wrong "holds a carriage return" ;; esac
        tail=
        IFS= read -r more || [ -n "$more" ] || {
          number=$begun
          wrong "has a quote that is never closed"
        }
        number=$((number + 1))
        case $more in
          *"$return")
            tail=$return
            more=${more%"$return"}
            ;;
        esac
        case $more in *"$return"*) wrong "holds a carriage return" ;; esac
      }
      [ -r "$file" ] || { echo "$(id -un) can't read $file" >&2; exit 78; }
      while IFS= read -r text || [ -n "$text" ]; do
        number=$((number + 1))
        raw=$text begun=''
        text=${text%"$return"}
        trim
        case $text in
          '') continue ;;
          '#'*)
            case $raw in *\\) wrong "is a comment that ends in a backslash, to which some take the next line" ;; esac
            continue
            ;;
          *"$return"*) wrong "holds a carriage return" ;;
          export["$blank"]*) wrong "begins with export, which systemd doesn't know" ;;
          *=*) ;;
          *) wrong "isn't NAME=value" ;;
        esac
        rest=${text#*=}
        text=${text%%=*}
        trim
        name=$text
        case $name in '' | [0-9]* | *[!A-Za-z0-9_]*) wrong "has a name that no variable can have" ;; esac
        text=$rest
        trim
        rest=
        tail=${raw#*=}
        tail=${tail##*"$text"}
        case $text in
          \'*)
            text=${text#?}
            while case $text in *\'*) false ;; esac; do
              text=$text$tail
              go_on
              text="$text
    $more"
            done
            rest=${text#*\'}
            value=${text%%\'*}
            ;;
          \"*)
            rest=${text#?}
            value=
            while :; do
              part=${rest%%[\"\\]*}
              if [ "$part" = "$rest" ] || { [ "${rest#"$part"}" = \\ ] && [ -z "$tail" ]; }; then
                if [ "$part" = "$rest" ]; then value="$value$part$tail
    "; else value=$value$part; fi
                go_on
                rest=$more
                continue
              fi
              value=$value$part
              rest=${rest#"$part"}
              case $rest in
                \"*) rest=${rest#?} && break ;;
                \\[\"\\\`\$]*) rest=${rest#?} && value=$value${rest%"${rest#?}"} && rest=${rest#?} ;;
                *) value=$value\\ && rest=${rest#?} ;;
              esac
            done
            ;;
          *\\*) wrong "has a backslash outside of quotes" ;;
          *["$blank"]\#*) wrong "has a # outside of quotes that some take for a comment" ;;
          *) value=$text ;;
        esac
        text=$rest
        trim
        [ -z "$text" ] || wrong "goes on after its closing quote"
        quoted=
        while :; do
          case $value in *\'*) ;; *) break ;; esac
          quoted="$quoted${value%%\'*}'\\''"
          value=${value#*\'}
        done
        all="${all}export $name='$quoted$value'
    "
      done <"$file"
      cat <<END
    $all
    END
    }
    if [ -e /var/webapps/five/shared/.env ]; then
      variables=$(read_env /var/webapps/five/shared/.env) || exit
      eval "unset variables
    $variables"
    fi
        log=$log start-stop-daemon --start --quiet --background --make-pidfile --pidfile "$pid" \
          --chuid deploy --chdir /var/webapps/five/releases/current \
          --exec /bin/sh -- -c 'exec >>"$log" 2>&1; cd -P . && export VIRTUAL_ENV="$PWD"/env PATH="$PWD"/env/bin:"$PATH" && exec python -m celery -A five beat --loglevel INFO --pidfile= --schedule ../../shared/celerybeat-schedule'
      ) || return
      # What dies at once was never started.
      sleep 1
      running || { tail -n 15 "$log" >&2; return 1; }
    }

    stop() {
      running || return 0
      start-stop-daemon --stop --quiet --pidfile "$pid" --retry TERM/90/KILL/5 && rm -f "$pid"
    }

    case $1 in
      start) start ;;
      stop) stop ;;
      restart | force-reload) stop && start ;;
      reload) running && kill -HUP "$(cat "$pid")" ;;
      status) running ;;
      *)
        echo "usage: $0 start|stop|restart|reload|status" >&2
        exit 2
        ;;
    esac

    ==> /etc/systemd/system/five-web.service <==
    # buedafab keeps this for {"unit":"five","environment":"production","repository":"git.example.com/bueda/five"}
    five-web.service of /var/webapps/five/releases/a on jobs1 as deploy, v3
    "#);
}

#[test]
fn a_first_release_that_fails_leaves_nothing_running() {
    let settings = settings(JOBS);
    let templates = [("conf/web.service".to_owned(), String::new())].into();
    let request = DeployRequest { templates, ..request(3) };
    let plan =
        plan_deploy(&settings, &run(60), &request, &seen(&settings, &[bare(), bare()])).expect("a plan");
    assert_sound(&plan);
    let shown = show_plan(&plan, Detail::Steps);
    let back: Vec<&str> = shown.lines().filter(|line| line.contains("if it fails")).collect();
    assert_snapshot!(back.join("\n"), @"
    if it fails: remove the link
    if it fails: put back and reload systemd:five-web
    if it fails: put back and restart init:beat-five_PRODUCTION
    if it fails: put back and restart systemd:five-jobs
    if it fails: mark a as failed
    if it fails: note in the journal: reverted
    if it fails: remove the link
    if it fails: put back and reload systemd:five-web
    if it fails: stop init:beat-five_PRODUCTION
    if it fails: put back and restart systemd:five-jobs
    if it fails: mark a as failed
    if it fails: note in the journal: reverted
    ");
}

#[test]
fn a_template_that_cannot_be_filled_is_told_before_anything() {
    assert_snapshot!(check(jobs("one\n{{ hots }}\n")), @"
    jobs1, jobs2: [services.web] conf/web.service: undefined value: `hots` is undefined in line 2
      hint: a template may use: unit, environment, deployment_type, service, name, host, address, roles, user, group, path, releases, current, directory, shared, slot, release, virtualenv, env_file, load_env_file, variables, commit, describe, tag, stop_seconds
    ");
    assert_snapshot!(check(jobs("{% if %}")), @"
    jobs1, jobs2: [services.web] conf/web.service: syntax error: unexpected end of block in line 1
      hint: a template may use: unit, environment, deployment_type, service, name, host, address, roles, user, group, path, releases, current, directory, shared, slot, release, virtualenv, env_file, load_env_file, variables, commit, describe, tag, stop_seconds
    ");
    let settings = settings(JOBS);
    let without = plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &[second(), second()]));
    assert_snapshot!(check(without), @"
    jobs1, jobs2: [services.web] conf/web.service: the release has no such file
      hint: commit the file, or name another one in buedafab.toml
    ");
}

/// As celeryd's init script had to be under Fabric. Its beat is on one host only.
#[test]
fn a_template_of_fabrics_form_is_filled_as_python_did() {
    let template = "#!/bin/sh\ncd %(path)s/%(current_release_path)s\n\
        %(virtualenv)s/bin/celeryd %(celeryd_options)s %(celeryd_beat_option)s # %(unit)s_%(deployment_type)s, 100%%, %(GREETING)s\n";
    let plan = jobs(template).expect("a plan");
    let works = plan.phases.iter().flat_map(|phase| &phase.work);
    let files = works.flat_map(|work| work.steps().map(|step| (&work.host, &step.action)));
    let files = files.filter_map(|(host, action)| match action {
        Action::Service(ServiceAction::ServiceFiles { files, .. }) => {
            let file = files.iter().find(|file| file.path.as_str().contains("five-web"))?;
            Some(format!("{host}:\n{}", file.text))
        }
        _ => None,
    });
    assert_snapshot!(files.collect::<String>(), @r##"
    jobs1:
    #!/bin/sh
    # buedafab keeps this for {"unit":"five","environment":"production","repository":"git.example.com/bueda/five"}
    cd /var/webapps/five/releases/current
    env/bin/celeryd -E -B # five_PRODUCTION, 100%, 50 % of "$HOME"
    jobs2:
    #!/bin/sh
    # buedafab keeps this for {"unit":"five","environment":"production","repository":"git.example.com/bueda/five"}
    cd /var/webapps/five/releases/current
    env/bin/celeryd -E  # five_PRODUCTION, 100%, 50 % of "$HOME"
    "##);
    assert_snapshot!(check(jobs("%(unit)s\n%(worker_count)s\n")), @"
    jobs1, jobs2: [services.web] conf/web.service: in Fabric's form: nobody knows %(worker_count)s in line 2
      hint: a template may use there: unit, path, deployment_type, releases_root, current_release_symlink, current_release_path, virtualenv, settings, host, user, deploy_user, deploy_group, celeryd_beat_option, celeryd_options; and `variables`
    ");
}

#[test]
fn services_that_are_gone_are_told_and_left() {
    let installed =
        ["/etc/systemd/system/five-jobs.service", "/etc/init.d/beat-old"].map(str::to_owned).to_vec();
    let host = || second().change(|facts| facts.installed.clone_from(&installed));
    let settings = settings(JOBS);
    let templates = [("conf/web.service".to_owned(), String::new())].into();
    let request = DeployRequest { templates, ..request(3) };
    let plan =
        plan_deploy(&settings, &run(60), &request, &seen(&settings, &[host(), second()])).expect("a plan");
    let notes: Vec<&str> = plan.notes.iter().map(|note| note.text.as_str()).collect();
    assert_snapshot!(notes.join("\n"), @"/etc/init.d/beat-old is no service of this host any more, and is left as it is; as root: /etc/init.d/beat-old stop; update-rc.d -f beat-old remove; rm /etc/init.d/beat-old; and take its line out of /var/webapps/five/.buedafab/installed");
}

/// To deploy what is live starts it again where it isn't what serves: whole, as a reload would leave stale what it left stale.
#[test]
fn what_is_live_is_started_again_where_it_does_not_serve() {
    let settings = settings(
        "unit = \"five\"\nservice = \"none\"\n[services.web]\nservice = \"systemd:web\"\nreload = true\n[health]\ntcp = 8000\n\
         [environments.production]\nhosts = [\"web1\"]\n",
    );
    let told = |change: fn(&mut HostFacts)| {
        let hosts = [live().change(change)];
        let plan = plan_deploy(&settings, &run(60), &request(1), &seen(&settings, &hosts)).expect("a plan");
        assert_sound(&plan);
        let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
        let steps: Vec<String> = steps.map(|step| step.action.to_string()).collect();
        let notes =
            plan.notes.iter().map(|note| note.text.as_str()).filter(|text| text.contains("live already"));
        format!("{}: {}", notes.collect::<Vec<_>>().join("; "), steps.join(" · "))
    };
    let restarted = "v1 (1111111111) is live already, and its app is started again: take the lock · check that nothing \
        changed since the look · restart systemd:web · verify that systemd:web stays up for 2 s · ask whether the app is well: \
        127.0.0.1:8000 · note in the journal: restarted";
    assert_eq!(told(|_| {}), format!("{}: ", restarted.split(',').next().expect("a word")));
    let down = |facts: &mut HostFacts| {
        facts.running.read_units(
            "Id=web.service\nLoadState=loaded\nActiveState=failed\nResult=exit-code\nType=simple\n",
        );
    };
    let stale = |facts: &mut HostFacts| {
        facts.running.read_units("Id=web.service\nActiveState=active\nControlGroup=/web\n");
        facts.running.read_process("17 /web");
        facts.running.read_folders("/proc/17/cwd /r/b", "/r");
    };
    let unwell =
        |facts: &mut HostFacts| facts.running.read_health("no 127.0.0.1:8000 takes no connections: refused");
    for change in [down as fn(&mut HostFacts), stale, unwell] {
        assert_eq!(told(change), restarted);
    }
}

/// Only where every process is started anew, one that works in another release can't answer for this one.
#[test]
fn who_may_answer_is_known_by_what_was_restarted() {
    let asked = |text: &str| {
        let settings = settings(&format!(
            "unit = \"five\"\nhealth.port = 8000\nhealth.http = \"/\"\n{text}\n[environments.production]\nhosts = [\"web1\"]\n"
        ));
        let hosts = [second()];
        let plan = plan_deploy(&settings, &run(60), &request(3), &seen(&settings, &hosts)).expect("a plan");
        let steps = plan.phases.iter().flat_map(|phase| &phase.work).flat_map(|work| work.steps());
        let by: Vec<Answerer> = steps
            .filter_map(|step| match &step.action {
                Action::App(AppAction::AskHealth { by, .. }) => Some(*by),
                _ => None,
            })
            .collect();
        by
    };
    let web = "service = \"none\"\n[services.web]\ncommand = \"serve\"\n";
    assert_eq!(asked(web), [Answerer::ThisRelease]);
    assert_eq!(asked("service = \"systemd:five\""), [Answerer::ThisRelease]);
    assert_eq!(
        asked("service = \"none\"\n[services.web]\nservice = \"systemd:web\"\nreload = true"),
        [Answerer::Anybody]
    );
    assert_eq!(asked("service = \"none\""), [Answerer::Anybody]);
    assert_eq!(asked("service = \"systemd:five\"\nhooks.restart = [\"touch reload\"]"), [Answerer::Anybody]);
}

#[test]
fn an_app_that_nothing_would_start_is_told() {
    let told = |text: &str| {
        let text = format!("unit = \"five\"\n{text}\n[environments.production]\nhosts = [\"web1\"]\n");
        settings(&text)
            .starts_nothing()
            .map_or("nothing is said".to_owned(), |nothing| format!("{nothing}\n  help: {}", nothing.hint()))
    };
    let table: Vec<String> = [
        "recipe = \"wsgi\"\nservice = \"none\"",
        "recipe = \"asgi\"\nservice = \"none\"",
        "recipe = \"wsgi\"",
        "recipe = \"wsgi\"\nservice = \"none\"\n[services.web]\ncommand = \"python -m gunicorn app:app\"",
        "recipe = \"wsgi\"\nservice = \"none\"\nhooks.restart = [\"touch reload\"]",
        "recipe = \"wsgi\"\nservice = \"none\"\nhooks.after_switch = [\"bin/start\"]",
        // Those needn't be processes.
        "recipe = \"static\"\nservice = \"none\"",
        "recipe = \"generic\"\nservice = \"none\"",
    ]
    .map(|text| format!("{}\n  {}", text.replace('\n', " "), told(text)))
    .into();
    assert_snapshot!(table.join("\n"), @r#"
    recipe = "wsgi" service = "none"
      nothing starts the app: `service` is "none", and there is no [services.NAME]
      help: in buedafab.toml, a table [services.web] with command = "python -m gunicorn --bind 127.0.0.1:8000 app:app"; or `service`, for a unit that is there already; or a `restart` hook
    recipe = "asgi" service = "none"
      nothing starts the app: `service` is "none", and there is no [services.NAME]
      help: in buedafab.toml, a table [services.web] with command = "python -m uvicorn --port 8000 app:app"; or `service`, for a unit that is there already; or a `restart` hook
    recipe = "wsgi"
      nothing is said
    recipe = "wsgi" service = "none" [services.web] command = "python -m gunicorn app:app"
      nothing is said
    recipe = "wsgi" service = "none" hooks.restart = ["touch reload"]
      nothing is said
    recipe = "wsgi" service = "none" hooks.after_switch = ["bin/start"]
      nothing is said
    recipe = "static" service = "none"
      nothing is said
    recipe = "generic" service = "none"
      nothing is said
    "#);
}
