use super::*;

/// The hosts of an inventory, one a line, and then what is told.
fn lines(listed: Result<Listed, InventoryError>) -> String {
    let Listed { hosts, notes } = match listed {
        Ok(listed) => listed,
        Err(error) => return error.to_string(),
    };
    let line = |host: &ListedHost| {
        let ListedHost { name, address, port, user, roles, is_local, left_out } = host;
        let user = user.as_ref().map_or(String::new(), |user| format!("{user}@"));
        let address = address.as_deref().unwrap_or(name);
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let roles = roles.iter().cloned().collect::<Vec<_>>().join(",");
        let local = if *is_local { " local" } else { "" };
        let left_out = left_out.as_ref().map_or(String::new(), |why| format!(" LEFT OUT: {why}"));
        format!("{name} {user}{address}{port} [{roles}]{local}{left_out}")
    };
    let notes = notes.iter().map(|note| format!("note: {note}"));
    hosts.iter().map(line).chain(notes).collect::<Vec<_>>().join("\n")
}

fn file(path: &str, text: &str) -> InventoryFile {
    InventoryFile { path: path.to_owned(), text: text.to_owned(), kind: FileKind::Inventory }
}

fn ini(text: &str) -> String {
    lines(read(&[file("hosts.ini", text)]))
}

fn yaml(text: &str) -> String {
    lines(read(&[file("hosts.yml", text)]))
}

/// The examples of Ansible's own documentation, and what it says of each.
#[test]
fn ini_by_ansibles_rules() {
    insta::assert_snapshot!(ini("\
mail.example.com

# a comment
[webservers]
foo.example.com
bar.example.com ansible_port=5555 ansible_host='192.0.2.50' http_port=80 # near
www[01:03].example.com
alias ansible_host=192.0.2.51 ansible_user=\"joe smith\"

[dbservers]
db-[a:c].example.com:5309
[1:9:4].example.com
[2001:db8::1]:2222
2001:db8::2

[atlanta]
foo.example.com
[southeast:children]
atlanta
dbservers

[southeast:vars]
ansible_user=admin
ansible_port = 2200
halon_system_timeout=30
[usa:children]
southeast
[all:vars]
ansible_user=anybody
[dbservers:vars]
ansible_user='db admin'
; another
[targets]
localhost              ansible_connection=local
other1.example.com     ansible_connection=ssh        ansible_user=mpdehaan
win.example.com        ansible_connection=winrm
jump.example.com ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p gw\"'
"), @"
    mail.example.com anybody@mail.example.com []
    foo.example.com admin@foo.example.com:2200 [atlanta,southeast,usa,webservers]
    bar.example.com anybody@192.0.2.50:5555 [webservers]
    www01.example.com anybody@www01.example.com [webservers]
    www02.example.com anybody@www02.example.com [webservers]
    www03.example.com anybody@www03.example.com [webservers]
    alias joe smith@192.0.2.51 [webservers]
    db-a.example.com db admin@db-a.example.com:5309 [dbservers,southeast,usa]
    db-b.example.com db admin@db-b.example.com:5309 [dbservers,southeast,usa]
    db-c.example.com db admin@db-c.example.com:5309 [dbservers,southeast,usa]
    1.example.com db admin@1.example.com:2200 [dbservers,southeast,usa]
    5.example.com db admin@5.example.com:2200 [dbservers,southeast,usa]
    9.example.com db admin@9.example.com:2200 [dbservers,southeast,usa]
    2001:db8::1 db admin@2001:db8::1:2222 [dbservers,southeast,usa]
    2001:db8::2 db admin@2001:db8::2:2200 [dbservers,southeast,usa]
    localhost anybody@localhost [targets] local
    other1.example.com mpdehaan@other1.example.com [targets]
    win.example.com anybody@win.example.com [targets] LEFT OUT: it is reached by winrm, not by ssh
    jump.example.com anybody@jump.example.com [targets]
    note: ansible_ssh_common_args of jump.example.com means nothing here: write it into ~/.ssh/config, or use `connect`
    ");
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let texts = [
        "[web:kids]\nweb1\n",
        "[]\n",
        "web1 'open\n",
        "web1 ansible_port\n",
        "\n[web]\nweb[3:1]\n",
        "web[1:99999999]\n",
        "web[01:100]\n",
        "[web:children]\ndb\n",
        "[web:vars]\nport\n[web]\n",
        "#!/usr/bin/env python3\n",
        "-oProxyCommand=x\n",
        "web1 ansible_port=http\n",
        "web1,web2\n",
    ];
    let told: Vec<String> = texts.iter().map(|text| format!("{text:?}\n{}", ini(text))).collect();
    insta::assert_snapshot!(told.join("\n"), @r##"
    "[web:kids]\nweb1\n"
    hosts.ini:1: [web:kids]: "kids" is neither children, vars nor hosts
    "[]\n"
    hosts.ini:1: a section needs a name
    "web1 'open\n"
    hosts.ini:1: a quote is never closed
    "web1 ansible_port\n"
    hosts.ini:1: "ansible_port" isn't a variable: write `name=value`
    "\n[web]\nweb[3:1]\n"
    hosts.ini:3: [3:1] runs backwards
    "web[1:99999999]\n"
    hosts.ini:1: [1:99999999] stands for too many hosts
    "web[01:100]\n"
    hosts.ini:1: [01:100] has ends of different width
    "[web:children]\ndb\n"
    hosts.ini:2: there is no group "db": begin it with `[db]`
    "[web:vars]\nport\n[web]\n"
    hosts.ini:2: "port" isn't a variable: write `name=value`
    "#!/usr/bin/env python3\n"
    hosts.ini:1: this is a program: write `inventory = { command = "…" }`
    "-oProxyCommand=x\n"
    hosts.ini:1: "-oProxyCommand=x" isn't the name of a host
    "web1 ansible_port=http\n"
    web1 web1 [] LEFT OUT: "http" isn't a port
    "web1,web2\n"
    hosts.ini:1: "web1,web2" isn't the name of a host
    "##);
}

#[test]
fn yaml_by_ansibles_rules() {
    insta::assert_snapshot!(yaml("\
---
all:
  hosts:
    mail.example.com:
  vars:
    ansible_user: anybody
  children:
    webservers:
      hosts:
        foo.example.com:
        bar.example.com: { ansible_port: 5555, ansible_host: \"{{ inventory_hostname_short }}.internal\" }
        www[01:02].example.com:
    dbservers:
      hosts:
        one.example.com:
          ansible_ssh_private_key_file: ~/.ssh/db
        two.example.com: {}
      vars:
        ansible_user: db
    test:
      children:
        webservers:
      vars:
        ansible_host: \"{{ nobody_knows }}\"
"), @"
    mail.example.com anybody@mail.example.com []
    foo.example.com anybody@foo.example.com [test,webservers] LEFT OUT: ansible_host of it can't be read: undefined value: `nobody_knows` is undefined (in <string>:1)
    bar.example.com anybody@bar.internal:5555 [test,webservers]
    www01.example.com anybody@www01.example.com [test,webservers] LEFT OUT: ansible_host of it can't be read: undefined value: `nobody_knows` is undefined (in <string>:1)
    www02.example.com anybody@www02.example.com [test,webservers] LEFT OUT: ansible_host of it can't be read: undefined value: `nobody_knows` is undefined (in <string>:1)
    one.example.com db@one.example.com [dbservers]
    two.example.com db@two.example.com [dbservers]
    note: ansible_ssh_private_key_file of one.example.com means nothing here: write it into ~/.ssh/config, or use `connect`
    ");
    insta::assert_snapshot!(
        ["- web1\n", "all: [web1]\n", "all:\n  hosts: [web1]\n", "all:\n  hosts:\n    web1: 1\n", "all: {\n", "plugin: amazon.aws.aws_ec2\n", "", "---\n# nothing\n"]
            .map(yaml).join("\n"),
        @r#"
    hosts.yml: it has to be a mapping of groups: `all:` with `hosts:` below it
    hosts.yml: the group all has to be a mapping with `hosts`, `children` or `vars`
    hosts.yml: `hosts` of the group all has to be a mapping: `web1:`, with a colon
    hosts.yml: the variables of web1 have to be a mapping
    hosts.yml: error: line 1 column 6: unclosed bracket '{'
    hosts.yml: it is made by the plugin amazon.aws.aws_ec2 of Ansible: write `inventory = { command = "ansible-inventory -i hosts.yml --list" }`
    "#
    );
}

#[test]
fn files_of_variables_go_before_what_stands_with_the_hosts() {
    let vars = |path: &str, kind: FileKind, text: &str| InventoryFile {
        path: path.to_owned(),
        text: text.to_owned(),
        kind,
    };
    let files = [
        file("hosts/a", "[web]\nweb1 ansible_host=10.0.0.1\nweb2\n[web:vars]\nansible_user=ini\n"),
        file("hosts/b.yaml", "web: { hosts: { web3: } }\nworker: { hosts: { web2: } }\n"),
        vars("hosts/group_vars/web.yml", FileKind::GroupVariables("web".to_owned()), "ansible_user: file\n"),
        vars("hosts/group_vars/all", FileKind::GroupVariables("all".to_owned()), "ansible_port: 2200\n"),
        vars(
            "hosts/host_vars/web1.yml",
            FileKind::HostVariables("web1".to_owned()),
            "ansible_host: 10.0.0.9\n",
        ),
        vars("hosts/host_vars/gone.yml", FileKind::HostVariables("gone".to_owned()), "ansible_host: x\n"),
        vars("hosts/group_vars/gone", FileKind::GroupVariables("gone".to_owned()), "{ no: [yaml"),
        vars(
            "hosts/group_vars/web/vault",
            FileKind::GroupVariables("web".to_owned()),
            "$ANSIBLE_VAULT;1.1;AES256\n",
        ),
    ];
    insta::assert_snapshot!(lines(read(&files)), @"
    web1 file@10.0.0.9:2200 [web]
    web2 file@web2:2200 [web,worker]
    web3 file@web3:2200 [web]
    ");
}

#[test]
fn what_commands_print() {
    let dynamic = |text: &str| lines(read_dynamic("./inventory --list", text));
    // A slip of somebody's script.
    let many: Vec<String> = (0..10_001).map(|number| format!("\"web{number}\"")).collect();
    let many = many.join(",");
    for text in [format!("[{many}]"), format!("{{\"web\": [{many}]}}")] {
        assert!(dynamic(&text).contains("it lists 10001 hosts, and no more than 10000 are taken"));
    }
    insta::assert_snapshot!(dynamic(r#"{
        "_meta": { "hostvars": { "web1": { "ansible_host": "10.0.0.1", "ansible_port": 2222 }, "lone": {} } },
        "all": { "children": ["web", "ungrouped"] },
        "ungrouped": { "hosts": [] },
        "web": { "hosts": ["web1", "web2"], "vars": { "ansible_user": "deploy" }, "children": ["canary"] },
        "canary": ["web2", "web3"]
    }"#), @"
    web1 deploy@10.0.0.1:2222 [web]
    web2 deploy@web2 [canary,web]
    web3 deploy@web3 [canary,web]
    lone lone []
    ");
    insta::assert_snapshot!(
        dynamic(r#"["web1", { "name": "web2", "address": "10.0.0.2", "port": 22, "user": "ada", "roles": ["web", "worker"] }]"#),
        @"
    web1 web1 []
    web2 ada@10.0.0.2:22 [web,worker]
    "
    );
    insta::assert_snapshot!(
        ["", "Traceback", "1", "{\"web\": 1}", "{\"web\": {\"hosts\": \"web1\"}}", "[1]", "[{\"name\": \"a\", \"prot\": 1}]", "[]", "{}"]
            .map(dynamic).join("\n"),
        @r#"
    ./inventory --list: it says nothing
    ./inventory --list: it isn't JSON: expected value at line 1 column 1
    ./inventory --list: it has to be a list of hosts, or an object of groups as of Ansible's
    ./inventory --list: the group web has to be a list or an object
    ./inventory --list: `hosts` of web has to be a list of names
    1 1 []
    ./inventory --list: its host 1 has the key "prot", which means nothing: it has to be a name, or an object with `name`, `address`, `port`, `user` and `roles`
    "#
    );
}
