//! `rocade fmt`: which files it takes, what it writes and what it says; how a text is laid out is told beside the code.

use std::fs;
use std::path::Path;

use crate::place::{Place, program};

#[track_caller]
fn fmt(folder: &Path, words: &[&str], code: i32) -> (String, String) {
    let output = program(folder).arg("fmt").args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{words:?}\n{out}\n{err}");
    (out, err)
}

const UNTIDY: &str = "# here\nsites:\n     pool:  {title:   Pool}   # one\n\n\n\nhosts: {}\n";
const TIDY: &str = "# here\nsites:\n  pool: {title: Pool}  # one\n\nhosts: {}\n";

/// A repository with one text in each place that an engineer writes YAML in.
fn repository(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in FILES {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    // Not ours: secrets have their own form, templates are no YAML before they are filled in.
    for name in ["inventory/secrets/x.yaml", "templates/signage/x.yaml", "other.yaml"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, UNTIDY).unwrap();
    }
    folder
}

const FILES: [&str; 4] =
    ["inventory/deep/a.yml", "inventory/site.yaml", "playbooks/new.yaml", "templates/import/map.yaml"];

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn check_and_diff_write_nothing_and_fmt_does() {
    let folder = repository(UNTIDY);
    let root = folder.path();
    let (out, err) = fmt(root, &["--check"], 2);
    assert_eq!(out.lines().collect::<Vec<_>>(), FILES);
    assert_eq!(err, "4 of 4 files would be laid out anew.\n");
    let (out, _) = fmt(root, &["--diff"], 2);
    assert!(out.contains("--- a/inventory/site.yaml\n+++ b/inventory/site.yaml\n@@"), "{out}");
    assert!(out.contains("-     pool:  {title:   Pool}   # one\n"), "{out}");
    assert!(out.contains("+  pool: {title: Pool}  # one\n"), "{out}");
    FILES.iter().for_each(|name| assert_eq!(read(root, name), UNTIDY));
    let (out, err) = fmt(root, &[], 0);
    assert_eq!(out.lines().collect::<Vec<_>>(), FILES);
    assert_eq!(err, "4 of 4 files were laid out anew.\n");
    FILES.iter().for_each(|name| assert_eq!(read(root, name), TIDY));
    ["inventory/secrets/x.yaml", "templates/signage/x.yaml", "other.yaml"]
        .iter()
        .for_each(|name| assert_eq!(read(root, name), UNTIDY));
    let (out, _) = fmt(root, &["--check"], 0);
    assert_eq!((out.as_str(), fmt(root, &["--diff"], 0).0.as_str()), ("", ""));
    // Files by name, and one through a filter.
    fmt(root, &["--check", root.join("other.yaml").to_str().unwrap()], 2);
    let through = |words: &[&str]| {
        let mut command = program(root);
        command.arg("fmt").args(words).write_stdin(UNTIDY).output().unwrap()
    };
    assert_eq!(through(&["-"]).stdout, TIDY.as_bytes());
    let checked = through(&["-", "--check"]);
    assert_eq!((checked.status.code(), checked.stdout.as_slice()), (Some(2), &b""[..]));
}

#[test]
fn a_file_with_a_fault_is_left_with_its_place_and_the_others_are_done() {
    let folder = repository(UNTIDY);
    let root = folder.path();
    let bad = "sites:\n    a: [\n";
    fs::write(root.join("inventory/bad.yaml"), bad).unwrap();
    fs::write(root.join("inventory/latin.yaml"), b"sites: {a: {title: \xe9}}\n").unwrap();
    fs::write(root.join("inventory/odd.yaml"), "? sites\n: {}\n").unwrap();
    for (words, done) in [(&["--check"][..], UNTIDY), (&[], TIDY), (&["--check"], TIDY)] {
        let (_, err) = fmt(root, words, 64);
        assert!(err.contains("yaml-syntax") && err.contains("inventory/bad.yaml:2:8"), "{err}");
        assert!(err.contains("inventory/latin.yaml stays as it is"), "{err}");
        assert!(err.contains("inventory/odd.yaml stays as it is: line 1"), "{err}");
        assert_eq!(
            (read(root, "inventory/bad.yaml").as_str(), read(root, "inventory/site.yaml")),
            (bad, done.into())
        );
    }
    let (_, err) = fmt(root, &["nowhere.yaml"], 64);
    assert!(err.contains("nowhere.yaml"), "{err}");
    let empty = tempfile::tempdir().unwrap();
    let (_, err) = fmt(empty.path(), &[], 64);
    assert!(err.contains("no YAML file"), "{err}");
}

#[cfg(unix)]
#[test]
fn modes_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = repository(TIDY);
    let root = folder.path();
    fs::write(root.join("shared.yaml"), UNTIDY).unwrap();
    fs::set_permissions(root.join("shared.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../shared.yaml", root.join("inventory/shared.yaml")).unwrap();
    let (out, _) = fmt(root, &[], 0);
    assert_eq!(out, "inventory/shared.yaml\n");
    assert!(root.join("inventory/shared.yaml").is_symlink());
    assert_eq!(read(root, "shared.yaml"), TIDY);
    assert_eq!(fs::metadata(root.join("shared.yaml")).unwrap().permissions().mode() & 0o777, 0o640);
}

/// What is shipped and what `init` and the lab write is laid out already.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_files_are_laid_out() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    fmt(own, &["--check"], 0);
    for name in ["brokers", "gateways", "sensors", "site"] {
        fmt(own, &["--check", &format!("tests/chain/inventory/{name}.yaml")], 0);
    }
    let place = Place::new().await;
    fmt(place.root(), &["--check"], 0);
    for words in [&["init"][..], &["init", "--lab"]] {
        let home = tempfile::tempdir().unwrap();
        let site = home.path().join("site");
        let made = program(home.path()).args(words).arg(&site).env("HOME", home.path()).output().unwrap();
        assert!(made.status.success(), "{words:?}: {}", String::from_utf8_lossy(&made.stderr));
        fmt(&site, &["--check"], 0);
    }
}
