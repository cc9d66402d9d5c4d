//! What a plan, `status` and `check` say of everything that can be wrong with a host.

use super::*;

#[test]
fn all_three_say_the_same() {
    let all: Vec<String> = cases().iter().map(|(name, host)| format!("{name}\n{}", told("", host))).collect();
    assert_snapshot!(all.join("\n"), @r#"
    all is well
      check   ready to deploy

    nothing was ever deployed
      status  web1: nothing is live here
      check   ready to deploy

    tools are missing
      plan    refused: web1: git, flock not found
              install them there; Debian: apt-get install git util-linux
      status  web1: git, flock not found
      check   ✗  tools    git, flock not found
      check   help: install them there; Debian: apt-get install git util-linux
      check   a deploy would be stopped

    tools that unpack archives are missing
      plan    refused: web1: tar, gzip, sha256sum, awk, stat not found
              install them there; Debian: apt-get install tar gzip coreutils mawk
      status  web1: tar, gzip, sha256sum, awk, stat not found
      check   ✗  tools    tar, gzip, sha256sum, awk, stat not found
      check   help: install them there; Debian: apt-get install tar gzip coreutils mawk
      check   a deploy would be stopped

    the app's folder can't be made
      plan    refused: web1: deploy can't write /var/webapps/five
              on that host, as root: install -d -o deploy /var/webapps/five
      status  web1: deploy can't write /var/webapps/five
      status  web1: nothing is live here
      check   ✗  rights   deploy can't write /var/webapps/five
      check   help: on that host, as root: install -d -o deploy /var/webapps/five
      check   a deploy would be stopped

    the app's folder can't be written
      plan    refused: web1: deploy can't write /var/webapps/five
              on that host, as root: chown -R deploy /var/webapps/five; or set `deploy_group`, where several deploy
      status  web1: deploy can't write /var/webapps/five
      check   ✗  rights   deploy can't write /var/webapps/five
      check   help: on that host, as root: chown -R deploy /var/webapps/five; or set `deploy_group`, where several deploy
      check   a deploy would be stopped

    a link on the way leads nowhere
      plan    refused: web1: /var/webapps is a link that leads nowhere: no folder can be made there
              make or mount what it should lead to, on that host, or take the link away
      status  web1: /var/webapps is a link that leads nowhere: no folder can be made there
      status  web1: nothing is live here
      check   ✗  rights   /var/webapps is a link that leads nowhere: no folder can be made there
      check   help: make or mount what it should lead to, on that host, or take the link away
      check   a deploy would be stopped

    the folder of releases can't be written
      plan    refused: web1: deploy can't write /var/webapps/five/releases
              on that host, as root: chown -R deploy /var/webapps/five; or set `deploy_group`, where several deploy
      status  web1: deploy can't write /var/webapps/five/releases
      check   ✗  rights   deploy can't write /var/webapps/five/releases
      check   help: on that host, as root: chown -R deploy /var/webapps/five; or set `deploy_group`, where several deploy
      check   a deploy would be stopped

    the login lets all read
      check   ready to deploy

    the login lets its group read
      plan    note: what a deploy makes can be read by deploy and its group alone, since the umask of that login is 027: a web server of another user can't; set it to 022 there, or set `deploy_group`, where others should
      check   !  rights   what a deploy makes can be read by deploy and its group alone, since the umask of that login is 027: a web server of another user can't
      check   help: set it to 022 there, or set `deploy_group`, where others should
      check   ready to deploy

    the login lets nobody read
      plan    note: what a deploy makes can be read by deploy alone, since the umask of that login is 077: a web server of another user can't; set it to 022 there, or set `deploy_group`, where others should
      check   !  rights   what a deploy makes can be read by deploy alone, since the umask of that login is 077: a web server of another user can't
      check   help: set it to 022 there, or set `deploy_group`, where others should
      check   ready to deploy

    sudo wants a password
      plan    refused: web1: deploy may not do this by sudo without a password: /etc/init.d/five restart
              allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /etc/init.d/five restart; or set `ask_sudo_password`, or a `restart` hook without sudo
      status  web1: deploy may not do this by sudo without a password: /etc/init.d/five restart
      check   ✗  sudo     deploy may not do this by sudo without a password: /etc/init.d/five restart
      check   help: allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /etc/init.d/five restart; or set `ask_sudo_password`, or a `restart` hook without sudo
      check   a deploy would be stopped

    sudo lists nothing, and allows what is needed
      check   ready to deploy

    sudo wants none
      check   ready to deploy

    sudo puts no unit file in place
      plan    note: deploy may not do this by sudo without a password, which a deploy needs where a unit file changes: /usr/bin/systemctl daemon-reload; allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl daemon-reload
      status  web1: deploy may not do this by sudo without a password, which a deploy needs where a unit file changes: /usr/bin/systemctl daemon-reload
      check   !  sudo     deploy may not do this by sudo without a password, which a deploy needs where a unit file changes: /usr/bin/systemctl daemon-reload
      check   help: allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl daemon-reload
      check   ready to deploy

    sudo doesn't install the unit file of a first release
      plan    refused: web1: deploy may not do this by sudo without a password: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload
              allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload; or set `ask_sudo_password`, or a `restart` hook without sudo
      status  web1: deploy may not do this by sudo without a password: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload
      status  web1: nothing is live here
      check   ✗  sudo     deploy may not do this by sudo without a password: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload
      check   help: allow it in a file of /etc/sudoers.d: deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart five, /usr/bin/install -m 644 /var/webapps/five/.buedafab/releases/*/units-*/five.service /etc/systemd/system/five.service.new, /usr/bin/systemctl daemon-reload; or set `ask_sudo_password`, or a `restart` hook without sudo
      check   a deploy would be stopped

    a person holds it
      plan    refused: web1: deploys are on hold: "the audit", says bob@desk since 2026-11-05T00:00:00Z
              lift it with the command `unhold`, once its reason is gone
      status  web1: on hold since 0 s ago, says bob@desk: the audit
      check   ✗  lock     deploys are on hold: "the audit", says bob@desk since 2026-11-05T00:00:00Z
      check   help: lift it with the command `unhold`, once its reason is gone
      check   a deploy would be stopped

    another run is at work
      plan    refused: web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
              wait until it ends; a lock never outlives its run
      status  web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   ✗  lock     locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   help: wait until it ends; a lock never outlives its run
      check   a deploy would be stopped

    a run that said nothing is at work
      plan    refused: web1: locked by a run that hasn't said who it is
              wait until it ends; a lock never outlives its run
      status  web1: locked by a run that hasn't said who it is
      check   ✗  lock     locked by a run that hasn't said who it is
      check   help: wait until it ends; a lock never outlives its run
      check   a deploy would be stopped

    shared files are missing
      plan    refused: web1: not in /var/webapps/five/shared: .env, x.pem
              put them there, with what they should hold; the file of `env_file` comes by `env push FILE`, or `env set NAME`
      status  web1: not in /var/webapps/five/shared: .env, x.pem
      check   ✗  shared   not in /var/webapps/five/shared: .env, x.pem
      check   help: put them there, with what they should hold; the file of `env_file` comes by `env push FILE`, or `env set NAME`
      check   a deploy would be stopped

    the file of variables means this and that
      plan    refused: web1: line 3 of /var/webapps/five/shared/.env isn't NAME=value
              correct it
      status  web1: line 3 of /var/webapps/five/shared/.env isn't NAME=value
      check   ✗  shared   line 3 of /var/webapps/five/shared/.env isn't NAME=value
      check   help: correct it
      check   a deploy would be stopped

    a service is missing
      plan    refused: web1: there is no init:five
              install its unit file or init script there; or describe it in a table [services.NAME] with a `command`; or set `service`, which is "init" by default
      status  web1: there is no init:five
      check   ✗  service  there is no init:five
      check   help: install its unit file or init script there; or describe it in a table [services.NAME] with a `command`; or set `service`, which is "init" by default
      check   a deploy would be stopped

    the app's user is missing
      plan    refused: web1: there is no user five, which `run_as` names
              make that user there, in `deploy_group`, or set another
      status  web1: there is no user five, which `run_as` names
      check   ✗  run_as   there is no user five, which `run_as` names
      check   help: make that user there, in `deploy_group`, or set another
      check   a deploy would be stopped

    its own files are none
      plan    refused: web1: no plain file, and so not written to: /srv/five/.buedafab/lock
              see what it is and whose, on that host, and move it away
      status  web1: no plain file, and so not written to: /srv/five/.buedafab/lock
      check   ✗  rights   no plain file, and so not written to: /srv/five/.buedafab/lock
      check   help: see what it is and whose, on that host, and move it away
      check   a deploy would be stopped

    a slot is a link
      plan    refused: web1: /var/webapps/five/releases/b is a link: no release is built behind one
              see where it leads, on that host, and take the link away
      status  web1: /var/webapps/five/releases/b is a link: no release is built behind one
      check   ✗  slots    /var/webapps/five/releases/b is a link: no release is built behind one
      check   help: see where it leads, on that host, and take the link away
      check   a deploy would be stopped

    a slot is somebody's
      plan    refused: web1: /var/webapps/five/releases/b holds files that buedafab didn't put there, and would remove
              move them away, on that host; or deploy with --take-over, which removes them
      status  web1: /var/webapps/five/releases/b holds files that buedafab didn't put there, and would remove
      check   ✗  slots    /var/webapps/five/releases/b holds files that buedafab didn't put there, and would remove
      check   help: move them away, on that host; or deploy with --take-over, which removes them
      check   a deploy would be stopped

    a file of another's is in a slot
      plan    note: a deploy may be stopped by /var/webapps/five/releases/b/code/__pycache__, which belongs to root, and which deploy can't write; on that host: sudo chown -R deploy /var/webapps/five/releases/b
      status  web1: a deploy may be stopped by /var/webapps/five/releases/b/code/__pycache__, which belongs to root, and which deploy can't write
      check   !  rights   a deploy may be stopped by /var/webapps/five/releases/b/code/__pycache__, which belongs to root, and which deploy can't write
      check   help: on that host: sudo chown -R deploy /var/webapps/five/releases/b
      check   ready to deploy

    a file that can't be changed is in a slot
      plan    note: a deploy may be stopped by /var/webapps/five/releases/b/.env, which not even its owner can write: it is immutable, or its file system read-only; on that host: sudo chattr -R -i /var/webapps/five/releases/b
      status  web1: a deploy may be stopped by /var/webapps/five/releases/b/.env, which not even its owner can write: it is immutable, or its file system read-only
      check   !  rights   a deploy may be stopped by /var/webapps/five/releases/b/.env, which not even its owner can write: it is immutable, or its file system read-only
      check   help: on that host: sudo chattr -R -i /var/webapps/five/releases/b
      check   ready to deploy

    the link is none
      plan    refused: web1: /var/webapps/five/releases/current is a folder or a file, not a link
              move it away on that host, then deploy again: mv /var/webapps/five/releases/current /var/webapps/five/releases/current.old
      status  web1: /var/webapps/five/releases/current is a folder or a file, not a link
      check   ✗  current  /var/webapps/five/releases/current is a folder or a file, not a link
      check   help: move it away on that host, then deploy again: mv /var/webapps/five/releases/current /var/webapps/five/releases/current.old
      check   a deploy would be stopped

    the link leads elsewhere
      plan    refused: web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
              another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
      status  web1: /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      check   ✗  current  /var/webapps/five/releases/current points to "/srv/old", which is none of the slots
      check   help: another tool may be at work there; deploy --take-over replaces the link, and puts it back on failure
      check   a deploy would be stopped

    a link of another tool leads past it
      plan    refused: web1: /var/webapps/five/current leads to b, past /var/webapps/five/releases/current: who reads through it wouldn't see what is deployed
              `adopt` writes down which releases are there, and `migrate-layout` makes it follow /var/webapps/five/releases/current; or deploy --take-over leaves it as it is
      status  web1: /var/webapps/five/current leads to b, past /var/webapps/five/releases/current: who reads through it wouldn't see what is deployed
      check   ✗  current  /var/webapps/five/current leads to b, past /var/webapps/five/releases/current: who reads through it wouldn't see what is deployed
      check   help: `adopt` writes down which releases are there, and `migrate-layout` makes it follow /var/webapps/five/releases/current; or deploy --take-over leaves it as it is
      check   a deploy would be stopped

    a link of another tool follows it
      check   ready to deploy

    the link leads to a folder of another tool
      plan    refused: web1: /var/webapps/five/releases/current points to "20260101", which is none of the slots
              another tool may be at work there; `adopt` writes down which releases it has left; or deploy --take-over replaces the link, and puts it back on failure
      status  web1: /var/webapps/five/releases/current points to "20260101", which is none of the slots
      check   ✗  current  /var/webapps/five/releases/current points to "20260101", which is none of the slots
      check   help: another tool may be at work there; `adopt` writes down which releases it has left; or deploy --take-over replaces the link, and puts it back on failure
      check   a deploy would be stopped

    the link leads to nothing
      plan    note: /var/webapps/five/releases/current points to "a", which isn't there: nothing is live here
      status  web1: /var/webapps/five/releases/current points to "a", which isn't there: nothing is live here
      check   !  current  /var/webapps/five/releases/current points to "a", which isn't there: nothing is live here
      check   ready to deploy

    nothing was written about what is live
      status  web1: buedafab has no record of what is live: `adopt` writes one
      check   ready to deploy

    a person moved the link
      plan    note: no run has written down that what is live serves again: the link may have been moved by hand
      status  web1: no run has written down that what is live serves again: the link may have been moved by hand
      check   !  current  no run has written down that what is live serves again: the link may have been moved by hand
      check   ready to deploy

    a run never confirmed it
      plan    note: the run that switched to what is live never confirmed it
      status  web1: the run that switched to what is live never confirmed it
      check   !  current  the run that switched to what is live never confirmed it
      check   ready to deploy

    a run was cut short in its switch
      plan    refused: web1: run r7 changed what visitors get, by maintenance or out of traffic, and was cut short at 2026-11-05T00:00:00Z
              the command `recover` puts it back; so do `deploy` and `rollback`, before anything else
      status  web1: run r7 changed what visitors get, by maintenance or out of traffic, and was cut short at 2026-11-05T00:00:00Z
      check   ✗  current  run r7 changed what visitors get, by maintenance or out of traffic, and was cut short at 2026-11-05T00:00:00Z
      check   help: the command `recover` puts it back; so do `deploy` and `rollback`, before anything else
      check   a deploy would be stopped

    a run is about to confirm it
      plan    refused: web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
              wait until it ends; a lock never outlives its run
      status  web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      status  web1: switched, and waiting for its confirmation
      check   ✗  lock     locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   help: wait until it ends; a lock never outlives its run
      check   a deploy would be stopped

    the live clone is damaged
      plan    note: what git keeps in slot a is damaged: no HEAD in it; nothing in it is touched while it serves, and the app needs none of it; it is made anew when a release is built there again
      status  web1: what git keeps in slot a is damaged: no HEAD in it
      check   !  slots    what git keeps in slot a is damaged: no HEAD in it
      check   help: nothing in it is touched while it serves, and the app needs none of it; it is made anew when a release is built there again
      check   ready to deploy

    the clone of the one before is damaged
      plan    note: what git keeps in slot b is damaged: it is gone; `deploy` makes it anew, and so does `rollback`
      status  web1: what git keeps in slot b is damaged: it is gone
      check   !  slots    what git keeps in slot b is damaged: it is gone
      check   help: `deploy` makes it anew, and so does `rollback`
      check   ready to deploy

    another commit is checked out
      plan    note: somebody checked out another commit in slot a
      status  web1: somebody checked out another commit in slot a
      check   !  slots    somebody checked out another commit in slot a
      check   ready to deploy

    files were changed
      plan    note: local changes in slot a:  M app.py
      status  web1: local changes in slot a:  M app.py
      check   !  slots    local changes in slot a:  M app.py
      check   ready to deploy

    the web server gives out git's folder
      plan    note: the web server gives git's folder, and so the whole project, to everybody: /.git/config at 127.0.0.1:80; deny it there; for nginx: location ~ /\.git { return 404; }
      status  web1: the web server gives git's folder, and so the whole project, to everybody: /.git/config at 127.0.0.1:80
      check   !  app      the web server gives git's folder, and so the whole project, to everybody: /.git/config at 127.0.0.1:80
      check   help: deny it there; for nginx: location ~ /\.git { return 404; }
      check   ready to deploy

    the app has written files
      plan    refused: web1: the app wrote into slot a what deploys would lose: db.sqlite3 (a database)
              share it: shared_files = ["db.sqlite3"], and on that host: mv /var/webapps/five/releases/a/db.sqlite3 /var/webapps/five/shared/db.sqlite3 && ln -s /var/webapps/five/shared/db.sqlite3 /var/webapps/five/releases/a/db.sqlite3; or name it in `scratch_files`; or `deploy --drop-written`
      status  web1: the app wrote into slot a what deploys would lose: db.sqlite3 (a database)
      check   ✗  slots    the app wrote into slot a what deploys would lose: db.sqlite3 (a database)
      check   help: share it: shared_files = ["db.sqlite3"], and on that host: mv /var/webapps/five/releases/a/db.sqlite3 /var/webapps/five/shared/db.sqlite3 && ln -s /var/webapps/five/shared/db.sqlite3 /var/webapps/five/releases/a/db.sqlite3; or name it in `scratch_files`; or `deploy --drop-written`
      check   a deploy would be stopped

    there are more folders than are listed
      status  web1: 7 more folders in /var/webapps/five/releases weren't looked at
      check   ready to deploy

    the folder is another environment's
      plan    refused: web1: /var/webapps/five belongs to five in staging from git.example.com/bueda/five
              give each its own: `path = "/var/webapps/{unit}-{environment}"`; `deploy --take-over` makes it this one's
      status  web1: /var/webapps/five belongs to five in staging from git.example.com/bueda/five
      check   ✗  owner    /var/webapps/five belongs to five in staging from git.example.com/bueda/five
      check   help: give each its own: `path = "/var/webapps/{unit}-{environment}"`; `deploy --take-over` makes it this one's
      check   a deploy would be stopped

    the folder is another project's
      plan    refused: web1: /var/webapps/five belongs to five in production from git.example.com/other, and here the code comes from git.example.com/bueda/five
              give each its own: `path = "/var/webapps/{unit}-{environment}"`; `deploy --take-over` makes it this one's
      status  web1: /var/webapps/five belongs to five in production from git.example.com/other, and here the code comes from git.example.com/bueda/five
      check   ✗  owner    /var/webapps/five belongs to five in production from git.example.com/other, and here the code comes from git.example.com/bueda/five
      check   help: give each its own: `path = "/var/webapps/{unit}-{environment}"`; `deploy --take-over` makes it this one's
      check   a deploy would be stopped

    a unit file is another app's
      plan    refused: web1: /etc/systemd/system/five.service belongs to six in production from git.example.com/bueda/five
              name this service otherwise, or leave its name out; `deploy --take-over` makes it this one's
      status  web1: /etc/systemd/system/five.service belongs to six in production from git.example.com/bueda/five
      check   ✗  owner    /etc/systemd/system/five.service belongs to six in production from git.example.com/bueda/five
      check   help: name this service otherwise, or leave its name out; `deploy --take-over` makes it this one's
      check   a deploy would be stopped

    another app listens where this one is asked
      plan    refused: web1: port 8000 belongs to six in production from git.example.com/bueda/five: six.service listens there
              give each app a port or a socket of its own; `deploy --take-over` makes it this one's
      status  web1: port 8000 belongs to six in production from git.example.com/bueda/five: six.service listens there
      check   ✗  owner    port 8000 belongs to six in production from git.example.com/bueda/five: six.service listens there
      check   help: give each app a port or a socket of its own; `deploy --take-over` makes it this one's
      check   a deploy would be stopped

    a unit works for another app
      plan    refused: web1: five.service runs /srv/six, of another app
              name a service of this environment's own; `deploy --take-over` restarts it nevertheless
      status  web1: five.service runs /srv/six, of another app
      check   ✗  owner    five.service runs /srv/six, of another app
      check   help: name a service of this environment's own; `deploy --take-over` restarts it nevertheless
      check   a deploy would be stopped

    a service is down
      plan    note: five.service doesn't run: it is failed (exit-code); `deploy` starts it again, and so does `restart`
      status  web1: five.service doesn't run: it is failed (exit-code)
      check   !  service  five.service doesn't run: it is failed (exit-code)
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a service is started again and again
      plan    note: five.service doesn't run: it is being started, 3 times so far; `deploy` starts it again, and so does `restart`
      status  web1: five.service doesn't run: it is being started, 3 times so far
      check   !  service  five.service doesn't run: it is being started, 3 times so far
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a service isn't there
      plan    note: five.service doesn't run: there is no such unit; `deploy` starts it again, and so does `restart`
      status  web1: five.service doesn't run: there is no such unit
      check   !  service  five.service doesn't run: there is no such unit
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a service that runs to its end did so
      status  web1: five.service runs
      check   ready to deploy

    one failed
      plan    note: five.service doesn't run: it is failed (exit-code); `deploy` starts it again, and so does `restart`
      status  web1: five.service doesn't run: it is failed (exit-code)
      check   !  service  five.service doesn't run: it is failed (exit-code)
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a process of another slot runs
      plan    note: five.service still runs slot b, in process 17: the link leads to a; `deploy` starts it again, and so does `restart`
      status  web1: five.service still runs slot b, in process 17: the link leads to a
      check   !  service  five.service still runs slot b, in process 17: the link leads to a
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a process of a slot that is gone runs
      plan    note: five.service still runs slot b, in process 17: the link leads to a; `deploy` starts it again, and so does `restart`
      status  web1: five.service still runs slot b, in process 17: the link leads to a
      check   !  service  five.service still runs slot b, in process 17: the link leads to a
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    a process of the live slot runs
      status  web1: five.service runs
      check   ready to deploy

    a process of elsewhere runs
      status  web1: five.service runs
      check   ready to deploy

    the app isn't well
      plan    note: the app isn't well: /healthz is answered with 502: Bad [2J …; `deploy` starts it again, and so does `restart`
      status  web1: the app isn't well: /healthz is answered with 502: Bad [2J …
      check   !  health   the app isn't well: /healthz is answered with 502: Bad [2J …
      check   help: `deploy` starts it again, and so does `restart`
      check   ready to deploy

    the app is well
      check   ready to deploy

    whoever is at work restarts a service
      plan    refused: web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
              wait until it ends; a lock never outlives its run
      status  web1: five.service is inactive
      status  web1: locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   ✗  lock     locked by bob@desk since 2026-11-05T00:00:00Z (deploy v2, run r7)
      check   help: wait until it ends; a lock never outlives its run
      check   a deploy would be stopped

    a service is left over
      plan    note: /etc/init.d/five-old is no service of this host any more, and is left as it is; as root: /etc/init.d/five-old stop; update-rc.d -f five-old remove; rm /etc/init.d/five-old; and take its line out of /var/webapps/five/.buedafab/installed
      status  web1: /etc/init.d/five-old is no service of this host any more, and is left as it is
      check   !  service  /etc/init.d/five-old is no service of this host any more, and is left as it is
      check   help: as root: /etc/init.d/five-old stop; update-rc.d -f five-old remove; rm /etc/init.d/five-old; and take its line out of /var/webapps/five/.buedafab/installed
      check   ready to deploy

    visitors are told of maintenance
      plan    note: in maintenance, says ada@laptop: `maintenance off` ends it
      status  web1: in maintenance since 0 s ago, says ada@laptop: back soon
      check   !  maintenance  in maintenance, says ada@laptop: `maintenance off` ends it
      check   ready to deploy

    the app runs another release
      plan    note: asked what it runs, the app doesn't name v1 (1111111111): v9
      status  web1: asked what it runs, the app doesn't name v1 (1111111111): v9
      check   !  app      asked what it runs, the app doesn't name v1 (1111111111): v9
      check   ready to deploy

    the app doesn't answer
      plan    note: asked what it runs, the app doesn't name v1 (1111111111): no answer: refused
      status  web1: asked what it runs, the app doesn't name v1 (1111111111): no answer: refused
      check   !  app      asked what it runs, the app doesn't name v1 (1111111111): no answer: refused
      check   ready to deploy

    the disk is nearly full
      plan    note: only 4 % of the disk's space is left
      status  web1: only 4 % of the disk's space is left
      check   !  disk     only 4 % of the disk's space is left
      check   ready to deploy

    the disk is full
      plan    refused: web1: the disk is full: 40 KiB are free, and no release fits
              make room on that host; `rollback` needs none, while room is kept for its records
      status  web1: the disk is full: 40 KiB are free, and no release fits
      check   ✗  disk     the disk is full: 40 KiB are free, and no release fits
      check   help: make room on that host; `rollback` needs none, while room is kept for its records
      check   a deploy would be stopped

    the disk is full of what gives its room back
      plan    note: only 0 % of the disk's space is left
      status  web1: only 0 % of the disk's space is left
      check   !  disk     only 0 % of the disk's space is left
      check   ready to deploy

    the disk is full, and another release was left half-made
      plan    refused: web1: the disk is full: 40 KiB are free, and no release fits
              make room on that host; `rollback` needs none, while room is kept for its records; what was left half-made there serves nobody: rm -r /var/webapps/five/releases/v9
      status  web1: the disk is full: 40 KiB are free, and no release fits
      check   ✗  disk     the disk is full: 40 KiB are free, and no release fits
      check   help: make room on that host; `rollback` needs none, while room is kept for its records; what was left half-made there serves nobody: rm -r /var/webapps/five/releases/v9
      check   a deploy would be stopped

    inodes are few
      plan    note: only 1 % of the disk's inodes are left
      status  web1: only 1 % of the disk's inodes are left
      check   !  inodes   only 1 % of the disk's inodes are left
      check   ready to deploy

    there are no inodes
      plan    refused: web1: the disk is full: 0 inodes are free, and no release fits
              make room on that host; `rollback` needs none, while room is kept for its records
      status  web1: the disk is full: 0 inodes are free, and no release fits
      check   ✗  disk     the disk is full: 0 inodes are free, and no release fits
      check   help: make room on that host; `rollback` needs none, while room is kept for its records
      check   a deploy would be stopped

    another release won't fit
      plan    note: another release may not fit: what is live takes 30 MiB, and 19 MiB are free
      status  web1: another release may not fit: what is live takes 30 MiB, and 19 MiB are free
      check   !  disk     another release may not fit: what is live takes 30 MiB, and 19 MiB are free
      check   ready to deploy

    its files are too many
      plan    note: another release may not fit: what is live takes 30000 inodes, and 20000 are free
      status  web1: another release may not fit: what is live takes 30000 inodes, and 20000 are free
      check   !  disk     another release may not fit: what is live takes 30000 inodes, and 20000 are free
      check   ready to deploy

    another release fits
      check   ready to deploy

    it fits in what it overwrites
      check   ready to deploy

    the clock is wrong
      plan    note: its clock is 90 s apart from this machine's
      status  web1: its clock is 90 s apart from this machine's
      check   !  clock    its clock is 90 s apart from this machine's
      check   ready to deploy
    "#);
}

/// What `check` says would stop a deploy is what the planner refuses, to the word, whatever else is wrong as well.
#[test]
fn check_stops_what_the_planner_refuses() {
    let settings = fleet("", 1);
    let cases = cases();
    for (name, host) in &cases {
        let seen = seen(&settings, std::slice::from_ref(host))[0];
        let refused = match plan_deploy(&settings, &run(60), &request(3), &[seen]) {
            Ok(_) => Vec::new(),
            Err(refusals) => refusals
                .into_iter()
                .map(|refusal| match refusal {
                    Refusal::Unfit { diagnosis, .. } => diagnosis.words,
                    other => panic!("{other}"),
                })
                .collect(),
        };
        let diagnoses = diagnose_host(&settings, seen, Some(common::URL));
        let check = HostCheck::of(seen.host.name.clone(), seen.facts, &diagnoses);
        let mut stops: Vec<String> = check.stops().map(|point| point.found.clone()).collect();
        assert_eq!(stops.len(), refused.len(), "{name}");
        stops.retain(|found| !refused.contains(found));
        assert!(stops.is_empty(), "{name}: {stops:?}");
    }
}
