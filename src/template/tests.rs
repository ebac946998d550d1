//! Own files come before built-in ones, and faults name their line.

use serde_json::json;

use super::*;

fn repository(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Templates) {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = root.path().join("templates").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let templates = Templates::open(root.path());
    (root, templates)
}

#[test]
fn own_files_come_first_and_the_rest_is_built_in() {
    let (_root, bare) = repository(&[]);
    assert!(String::from_utf8(bare.source("conduit/relay/main.py").unwrap()).unwrap().contains("import"));
    let built_in = bare.sources("conduit/relay");
    assert!(built_in.contains(&"conduit/relay/main.py".to_owned()), "{built_in:?}");
    assert!(built_in.iter().all(|path| !path.contains("pycache")), "{built_in:?}");
    let (_root, own) = repository(&[
        ("conduit/relay/main.py", b"mine"),
        ("conduit/relay/a/new.py", b"new"),
        ("conduit/relay/__pycache__/main.cpython-38.pyc", b"x"),
    ]);
    assert_eq!(own.source("conduit/relay/main.py").unwrap(), b"mine");
    assert_eq!(own.sources("conduit/relay").len(), built_in.len() + 1);
    assert_eq!(own.sources("conduit/relay")[0], "conduit/relay/a/new.py");
    assert!(own.sources("nowhere").is_empty());
}

#[test]
fn text_is_kept_as_it_is_and_html_is_escaped() {
    let (_root, templates) = repository(&[
        ("room.json.j2", b"{\"room\": {{ room | tojson }}, \"raw\": \"{{ room }}\"}\n\n"),
        ("room.html.j2", b"<p>{{ room }}</p>{% include 'foot.txt' %}\n"),
        ("foot.txt", b"& foot"),
    ]);
    let context = json!({"room": "<hall>"});
    let text = templates.render("room.json.j2", &context).unwrap();
    assert_eq!(text, "{\"room\": \"\\u003chall\\u003e\", \"raw\": \"<hall>\"}\n\n");
    assert_eq!(templates.render("room.html.j2", &context).unwrap(), "<p>&lt;hall&gt;</p>& foot\n");
}

#[test]
fn faults_name_template_and_line() {
    let (_root, templates) = repository(&[
        ("undefined.j2", b"first\nroom = {{ rom }}\n"),
        ("outer.j2", b"{% include 'undefined.j2' %}"),
        ("damaged.j2", b"a\nb\n{% if %}\n"),
        ("binary.j2", b"\xff\xfe"),
        ("missing.j2", b"{% include 'none.j2' %}"),
    ]);
    let fault = |path: &str| format!("{:#}", templates.render(path, &json!({"room": "hall"})).unwrap_err());
    assert_eq!(fault("undefined.j2"), "templates/undefined.j2:2: undefined value in `room = {{ rom }}`");
    assert_eq!(fault("outer.j2"), fault("undefined.j2"));
    assert!(
        fault("damaged.j2").starts_with("templates/damaged.j2:3: syntax error"),
        "{}",
        fault("damaged.j2")
    );
    assert!(fault("binary.j2").contains("binary.j2 is not UTF-8"), "{}", fault("binary.j2"));
    assert!(
        fault("missing.j2").starts_with("templates/missing.j2:1: template not found"),
        "{}",
        fault("missing.j2")
    );
    assert_eq!(fault("none.j2"), "there is no templates/none.j2");
}

#[test]
fn names_stay_inside() {
    let (root, templates) = repository(&[("inside/x", b"x"), ("leads-out.j2", b"{% include '../secret' %}")]);
    std::fs::write(root.path().join("secret"), "planted").unwrap();
    for path in ["../secret", "inside/../../secret", "/etc/passwd", "", "inside//x", "..\\secret", "c:x"] {
        assert!(templates.source(path).is_err(), "{path}");
        assert!(templates.render(path, &json!({})).is_err(), "{path}");
        assert!(templates.sources(path).is_empty(), "{path}");
    }
    let fault = format!("{:#}", templates.render("leads-out.j2", &json!({})).unwrap_err());
    assert!(fault.contains("no name of a file under templates/"), "{fault}");
}
