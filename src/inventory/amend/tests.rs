//! Edits in every form YAML has, each against what another reader makes of it.

use super::*;

fn changed(line: &str, column: u32) -> Result<String, String> {
    let text = format!("gateways:\n{line}\n  # the end\n");
    let place = Place { file: "inventory/a.yaml".into(), line: 2, column };
    let changed = scalar(&text, &place, "20412345", "20499999")?;
    Ok(changed.lines().nth(1).unwrap().to_owned())
}

#[test]
fn only_the_value_changes_in_whatever_form_it_stands() {
    assert_eq!(
        changed("    serial: \"20412345\"   # label", 13).unwrap(),
        "    serial: \"20499999\"   # label"
    );
    assert_eq!(changed("    serial: '20412345'", 13).unwrap(), "    serial: \"20499999\"");
    assert_eq!(
        changed("  gw: {serial: 20412345, site: x}", 16).unwrap(),
        "  gw: {serial: \"20499999\", site: x}"
    );
    assert_eq!(changed("  é: {serial: 20412345}", 15).unwrap(), "  é: {serial: \"20499999\"}");
    let crlf = scalar("a: 1\r\n", &Place { file: "a".into(), line: 1, column: 4 }, "1", "2");
    assert_eq!(crlf.unwrap(), "a: \"2\"\r\n");
}

#[test]
fn another_value_there_is_left_alone() {
    assert!(changed("    serial: \"20412346\"", 13).is_err());
    assert!(changed("    serial: \"20412345", 13).is_err());
    assert!(changed("    serial: 20412345", 99).is_err());
}

use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// What a reader of YAML that is not ours makes of a text.
fn meaning(text: &str) -> Json {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read: Option<Json> = serde_saphyr::from_str(text).unwrap();
    read.unwrap_or_else(|| json!({}))
}

const FORMS: [&str; 9] = [
    "sensors:\n  # hall\n  a:\n    gateway: gw   # c\n    x: 'x/y'\n  # trailing\n\n\
     # top\nsites:\n  pool: {title: Pool}\n",
    "sensors: {a: {x: '1'}}   # keep\nsites: {}\n",
    "# only\nsensors:\n  # none yet\nsites:\n  pool: {title: P}\n",
    "sensors:\r\n  a: {x: '1'}\r\n# end\r\n",
    "sensors:\n  a:\n    x: |\n      text\n\n      more\n\n# after\nsites: {}\n",
    "sensors:\n  a:\n    x: \"1\"",
    "\u{feff}sensors: {\n  a: {x: \"1\", y: [1, 2]},  # one\n  b: {x: \"2\"}\n}\n",
    "# nothing\n",
    "---\nsensors:\n  a: &one\n    x: 'q'  # quoted\n    list:\n    - 1\n    - 2\n  b: {x: e}\n",
];

#[test]
fn keys_come_in_go_and_change_under_comments() {
    let [block, flow, empty, crlf, literal, bare, ..] = FORMS;
    let new = json!({"title": "N: #1", "dev_eui": "0018200000000000"});
    let set = |text: &str, path: &[&str], value: Json| set(text, path, &value).unwrap();
    let line = "  new: {title: \"N: #1\", dev_eui: \"0018200000000000\"}\n";
    assert_eq!(
        set(block, &["sensors", "new"], new.clone()),
        block.replace("trailing\n", &format!("trailing\n{line}"))
    );
    assert_eq!(set(block, &["sensors", "a", "x"], json!("it's")), block.replace("'x/y'", "'it''s'"));
    assert_eq!(
        set(block, &["sensors", "a"], json!({})),
        block.replace("a:\n    gateway: gw   # c\n    x: 'x/y'\n", "a: {}\n")
    );
    assert_eq!(set(flow, &["sensors", "b", "x"], json!(true)), flow.replace("}}", "}, b: {x: true}}"));
    assert_eq!(
        set(empty, &["sensors", "new"], new.clone()),
        empty.replace("none yet\n", &format!("none yet\n{line}"))
    );
    assert_eq!(
        set(crlf, &["sensors", "new"], new.clone()),
        crlf.replace("}\r\n", &format!("}}\r\n{}", line.replace('\n', "\r\n")))
    );
    assert_eq!(
        set(literal, &["sensors", "a", "x"], json!("1")),
        literal.replace("|\n      text\n\n      more", "\"1\"")
    );
    assert_eq!(set(bare, &["sites", "p"], json!(1)), format!("{bare}\n\nsites: {{p: 1}}\n"));
    assert_eq!(remove(block, &["sensors", "a", "x"]).unwrap(), block.replace("    x: 'x/y'\n", ""));
    assert_eq!(remove(flow, &["sensors", "a"]).unwrap(), flow.replace("{a: {x: '1'}}", "{}"));
    let lines = "\nparts:\n  p: 1\n\nmore: {}\n";
    let appended = append(block, &["sensors", "a"], lines).unwrap();
    assert_eq!(appended, block.replace("'x/y'\n", "'x/y'\n\n    parts:\n      p: 1\n\n    more: {}\n"));
}

#[test]
fn what_cannot_be_edited_alone_is_refused() {
    let shared = "a: &one {x: 1}\nb: *one\n";
    assert!(set(shared, &["a", "x"], &json!(2)).is_err(), "it would change b too");
    assert!(set(shared, &["b", "x"], &json!(2)).is_err());
    assert_eq!(set(shared, &["c"], &json!(2)).unwrap(), format!("{shared}\nc: 2\n"));
    assert_eq!(set("a: &one\n  x: 1\nb: 2\n", &["a"], &json!("")).unwrap(), "a: \"\"\nb: 2\n");
    assert!(set("a: &one\n  x: 1\nb: *one\n", &["a"], &json!(1)).is_err());
    assert!(set("a: [1]\n", &["a", "x"], &json!(2)).is_err());
    assert!(set("a: {\n", &["a", "x"], &json!(2)).is_err());
    assert!(remove("a: 1\n", &["b"]).is_err());
    assert!(append("a: {}\n", &["a"], "b: 1\n").is_err());
}

#[test]
fn items_come_behind_those_of_a_list() {
    let push = |text: &str| push(text, &["a", "l"], &["+1".to_owned(), "x".to_owned()]).unwrap();
    assert_eq!(push("a: {l: [\"q\", 2]} # c\n"), "a: {l: [\"q\", 2, \"+1\", x]} # c\n");
    assert_eq!(push("a: {l: []}\n"), "a: {l: [\"+1\", x]}\n");
    assert_eq!(
        push("a:\n  l:\n  - 1   # one\n  m: 1\n"),
        "a:\n  l:\n  - 1   # one\n  - \"+1\"\n  - x\n  m: 1\n"
    );
    assert_eq!(push("a:\n  l:\n    - 1"), "a:\n  l:\n    - 1\n    - \"+1\"\n    - x\n");
    assert_eq!(push("a:\n  m: 1\n"), "a:\n  m: 1\n  l: [\"+1\", x]\n");
    assert!(super::push("a: {l: 1}\n", &["a", "l"], &["x".to_owned()]).is_err());
}

#[test]
fn a_key_is_found() {
    let place = place_of("f.yaml", FORMS[0], &["sensors", "a", "x"]).unwrap();
    assert_eq!(place.to_string(), "f.yaml:5:5");
    assert!(place_of("f.yaml", FORMS[0], &["sensors", "b"]).is_none());
}

fn values() -> impl Strategy<Value = Json> {
    let words = prop_oneof![
        "[ -~é€]{0,12}",
        Just("no".to_owned()),
        Just("1e5".to_owned()),
        Just("0x1F".to_owned()),
        Just("10m".to_owned()),
        Just("~".to_owned()),
        Just("12:30".to_owned()),
        Just("a\n#b".to_owned()),
    ];
    let leaf = prop_oneof![
        words.prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        (0..999u32).prop_map(Json::from)
    ];
    leaf.prop_recursive(3, 12, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-z0-9]{1,8}", inner, 0..6)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever comes in, changes or goes: another reader of YAML sees just that, every comment and every line
    /// that is not the edited key's stays, and taking it out again gives the text back.
    #[test]
    fn nothing_else_changes(
        form in 0..FORMS.len(), value in values(), again in values(), key in "[a-z]{1,6}|[0-9]{1,3}",
    ) {
        let text = FORMS[form];
        let path = ["sensors", key.as_str()];
        let fresh = meaning(text)["sensors"].get(&key).is_none();
        let one = set(text, &path, &value).unwrap();
        let mut meant = meaning(text);
        meant["sensors"][&key] = value.clone();
        prop_assert_eq!(meaning(&one), meant.clone());
        if fresh {
            for line in text.lines().filter(|line| !line.contains(['{', '}'])) {
                prop_assert!(one.lines().any(|own| own == line), "{line} in {one}");
            }
        }
        let two = set(&one, &path, &again).unwrap();
        meant["sensors"][&key] = again;
        prop_assert_eq!(meaning(&two), meant);
        let comments = |text: &str| text.matches('#').count();
        let gone = remove(&two, &path).unwrap();
        prop_assert!(!fresh || comments(&gone) == comments(text), "{two}\n{gone}");
        if fresh && meaning(text)["sensors"].as_object().is_some_and(|own| !own.is_empty()) {
            let ended = |text: &str| text.trim_end().to_owned();
            prop_assert_eq!(ended(&gone), ended(text));
        }
    }
}
