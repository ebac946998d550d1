//! `rocade explain`: what is in force and which line says so; what each code means.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::place::program;

const SITE: &str = "\
sites:
  pool: {title: Indoor pool, timezone: Europe/Paris}
gateways:
  pool-gw:
    site: pool
    model: multitech-conduit
    address: 192.168.2.1
    ssh: {user: admin, password: {secret: gateways/pool-gw/admin}}
    lorawan:
      region: EU868
      network_key: {secret: gateways/pool-gw/network}
";

fn site(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inventory")).unwrap();
    std::fs::write(folder.path().join("inventory/site.yaml"), text).unwrap();
    folder
}

/// What a run says on both streams.
#[track_caller]
fn explained(folder: &Path, words: &[&str], code: i32) -> (String, String) {
    let output = program(folder).arg("explain").args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{words:?}\n{out}\n{err}");
    (out, err)
}

#[test]
fn a_field_is_told_with_the_place_that_says_so() {
    let folder = site(SITE);
    for path in ["gateways.pool-gw.lorawan.region", "pool-gw.lorawan.region"] {
        let (out, _) = explained(folder.path(), &[path], 0);
        assert_eq!(
            out,
            "gateways.pool-gw.lorawan.region  EU868  inventory/site.yaml:10:15\n  The frequency plan.\n"
        );
    }
    let (out, _) = explained(folder.path(), &["pool-gw.https_port"], 0);
    assert!(out.contains("not written; ") && out.contains("443 when absent"), "{out}");
    let (out, _) = explained(folder.path(), &["pool-gw.lorawan"], 0);
    let line = |word: &str| out.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{out}"));
    assert!(line("lorawan.region").ends_with("inventory/site.yaml:10:15"), "{out}");
    assert!(line("lorawan.join_server").contains("`local` when absent"), "{out}");
    // A field below one that is not written, and a default among what is written.
    let (out, _) = explained(folder.path(), &["pool-gw.relay.spool"], 0);
    assert!(out.contains("16 MiB when absent"), "{out}");
    let (out, _) = explained(folder.path(), &["gateways", "--json"], 0);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let fields = json["fields"].as_array().unwrap();
    let place = &fields.iter().find(|one| one["path"] == "gateways.pool-gw.address").unwrap()["written"];
    assert_eq!(place, &serde_json::json!({"file": "inventory/site.yaml", "line": 7, "column": 14}));
}

#[test]
fn what_is_not_there_is_guessed() {
    let folder = site(SITE);
    let asked = [
        ("pool-gw.lorawan.regoin", "did you mean `region`?"),
        ("pool-gw.lorwan", "did you mean `lorawan`?"),
        ("gateways.pool-wg", "did you mean `pool-gw`?"),
        ("gatewys", "did you mean `gateways`?"),
        ("shared-kye", "did you mean the code `shared-key`?"),
        ("pool-gw.relay.sool", "did you mean `spool`?"),
    ];
    for (path, guess) in asked {
        let (out, err) = explained(folder.path(), &[path], 64);
        assert!(out.is_empty() && err.contains(guess), "{path}: {err}");
    }
    let folder = site(&SITE.replace("pool:", "pool-gw:").replace("site: pool\n", "site: pool-gw\n"));
    let (_, err) = explained(folder.path(), &["pool-gw.title"], 64);
    assert!(err.contains("sites.pool-gw, gateways.pool-gw"), "{err}");
    let (_, err) = explained(site("sites: {a: [\n").path(), &["a"], 64);
    assert!(err.contains("yaml-syntax") && err.contains("inventory/site.yaml:"), "{err}");
}

#[test]
fn a_secret_is_named_and_never_shown() {
    let folder = site(SITE);
    let (out, _) = explained(folder.path(), &["pool-gw.ssh.password"], 0);
    assert!(out.contains("the secret gateways/pool-gw/admin"), "{out}");
    let clear = "00112233445566778899AABBCCDDEE01";
    let texts = [
        SITE.replace("{secret: gateways/pool-gw/admin}", "hunter2"),
        SITE.replace("{secret: gateways/pool-gw/network}", clear),
        SITE.replace("secret: gateways/pool-gw/network", &format!("secret: {clear}")),
    ];
    for text in texts {
        for path in ["pool-gw", "pool-gw.ssh.password", "pool-gw.lorawan.network_key", "gateways"] {
            let (out, err) = explained(site(&text).path(), &[path], 0);
            assert!(!(out.clone() + &err).contains("hunter2") && !out.contains(clear), "{out}{err}");
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            found.push(entry);
        }
    }
}

fn is_code(word: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(fits)
}

/// The codes that a source text gives to findings: the first word in quotes of what makes one.
fn codes(text: &str) -> BTreeSet<String> {
    const MAKERS: [&str; 7] = [
        "Diagnostic::error(",
        "Diagnostic::warning(",
        ".refuse(",
        ".refuse_key(",
        ".refused(",
        ".fault(",
        ".of_row(",
    ];
    let mut found = BTreeSet::new();
    for maker in MAKERS {
        for (at, _) in text.match_indices(maker) {
            let Some(rest) = text[at + maker.len()..].trim_start().strip_prefix('"') else { continue };
            let Some((word, behind)) = rest.split_once('"') else { continue };
            if is_code(word) && behind.starts_with(',') {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = explained(folder.path(), &["--json"], 0);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let pages: BTreeSet<String> = json["codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|page| page["code"].as_str().unwrap().to_owned())
        .collect();
    let (mut files, mut given, mut words) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        words.extend(text.split('"').filter(|word| is_code(word)).map(str::to_owned));
        let file = file.display().to_string();
        // Of the secrets, the codes stand in a table; of the inventory's scalars, in a macro.
        if file.ends_with("secrets/check.rs") {
            let table = text.split("fn code").nth(1).unwrap().split("\n    }").next().unwrap();
            given.extend(table.split('"').filter(|word| is_code(word)).map(str::to_owned));
        }
        if file.ends_with("inventory/scalar.rs") {
            let scalars = text.split('"').filter(|word| word.starts_with("bad-")).map(str::to_owned);
            given.extend(scalars);
        }
        given.extend(codes(&text));
    }
    given.extend(["secret-of-ours", "private-key", "age-identity", "random-word"].map(str::to_owned));
    assert!(given.len() > 140, "{} codes found", given.len());
    let silent: Vec<&String> = given.difference(&pages).collect();
    assert!(silent.is_empty(), "no page for {silent:?}");
    let dead: Vec<&String> = pages.difference(&words).collect();
    assert!(dead.is_empty(), "pages of nothing: {dead:?}");
    for page in json["codes"].as_array().unwrap() {
        assert!(page["means"].as_str().unwrap().ends_with('.'), "{page}");
    }
    let (list, _) = explained(folder.path(), &[], 0);
    assert_eq!(list.lines().count(), pages.len());
    let (page, _) = explained(folder.path(), &["shared-key"], 0);
    assert!(
        page.contains("\nwrong:\n") && page.contains("\nright:\n") && page.contains("\nhint: "),
        "{page}"
    );
}
