//! What the shells offer, asked of the real ones. Where one is not installed the test says that it was skipped.

use std::path::Path;

use crate::place::{Place, program};

fn offered(root: &Path, words: &[&str]) -> Vec<String> {
    let output = program(root).args(["complete", "--"]).args(words).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_the_inventory_are_offered_where_they_fit() {
    let place = Place::new().await;
    let root = place.root();
    let folder = root.to_str().unwrap();
    for (words, expected) in [
        (&["-C", folder, "plan", "poo"][..], &["pool-gw"][..]),
        (&["plan", "-C", folder, "--except", "poo"], &["pool-gw"]),
        (&["-C", folder, "plan", "--except=poo"], &["--except=pool-gw"]),
        (&["-C", folder, "redeploy", ""], &["pool-gw"]),
        (&["-C", folder, "lock", "break", "mai"], &["main"]),
        (&["-C", folder, "trust", "pool-gw", "poo"], &[]),
        (&["-C", folder, "secrets", "get", "gateways/pool-gw/net"], &["gateways/pool-gw/network"]),
        (&["-C", folder, "can", "sign"], &["signage"]),
        (&["-C", folder, "can", "signage", "re"], &["read"]),
        (&["-C", folder, "apply", "--max-d"], &["--max-delete"]),
        (&["secrets", "rem"], &["remove"]),
        (&["plan", "--output", "jun"], &["junit"]),
        (&["comple"], &["completions"]),
        (&["-C", "/nowhere", "plan", ""], &[]),
        (&["no-such", "x"], &[]),
    ] {
        assert_eq!(offered(Path::new("/"), words), expected, "{words:?}");
    }
    // A broken inventory has no names, and says nothing in the middle of a line.
    std::fs::write(place.file("inventory/gateways.yaml"), "gateways: [").unwrap();
    assert!(offered(root, &["-C", folder, "plan", ""]).is_empty());
    assert_eq!(
        offered(root, &["-C", folder, "secrets", "get", "gateways/pool-gw/net"]),
        ["gateways/pool-gw/network"]
    );
}

/// Runs lines in a shell that has the script; what it writes. `None` when there is no such shell.
fn in_shell(place: &Place, shell: &str, options: &[&str], lines: &str) -> Option<String> {
    let rocade = Path::new(env!("CARGO_BIN_EXE_rocade"));
    let script = place.file(&format!(".rocade/completion.{shell}"));
    let printed = program(place.root()).args(["completions", shell]).output().unwrap();
    std::fs::write(&script, printed.stdout).unwrap();
    let old = std::env::var("PATH").unwrap_or_default();
    let lines =
        lines.replace("SCRIPT", script.to_str().unwrap()).replace("ROOT", place.root().to_str().unwrap());
    let mut command = assert_cmd::Command::new(shell);
    command.args(options).args(["-c", &lines]).env("HOME", place.root()).current_dir(place.root());
    command.env("PATH", format!("{}:{old}", rocade.parent().unwrap().display()));
    match command.output() {
        Ok(output) => {
            let (out, err) =
                (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success() && err.is_empty(), "{shell}: {out}{err}");
            Some(out)
        }
        Err(_) => {
            eprintln!("skipped: {shell} is not installed");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_offers_them() {
    let place = Place::new().await;
    let lines = r#"
        source SCRIPT
        offer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rocade; echo "${COMPREPLY[*]}"; }
        offer rocade -C ROOT plan poo
        offer rocade -C ROOT plan --except = poo
        offer rocade -C ROOT plan --only site =
        offer rocade -C ROOT plan --except "="
        offer rocade secrets rem
        complete -p rocade"#;
    let Some(shown) = in_shell(&place, "bash", &["--norc"], lines) else { return };
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[..2], ["pool-gw", "pool-gw"], "{shown}");
    assert!(!lines[2].is_empty() && !lines[2].contains("site="), "{shown}");
    assert!(lines[3].contains("pool-gw") && !lines[3].contains("--except"), "{shown}");
    assert_eq!(lines[4], "remove", "{shown}");
    assert!(lines[5].contains("-F _rocade"), "{shown}");
}

/// The line editor's own `compadd` works only in it: another of its name tells what it was given.
#[tokio::test(flavor = "multi_thread")]
async fn zsh_offers_them() {
    let place = Place::new().await;
    let lines = r#"
        compdef() { echo "for $2"; }
        compadd() { echo "${texts[@]}"; }
        _files() { echo files; }
        source SCRIPT
        words=(rocade -C ROOT plan poo); CURRENT=5; PREFIX=poo; _rocade
        words=(rocade import lines ""); CURRENT=4; PREFIX=""; _rocade"#;
    let Some(shown) = in_shell(&place, "zsh", &["-f"], lines) else { return };
    assert_eq!(shown, "for rocade\npool-gw\nfiles\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn fish_offers_them() {
    let place = Place::new().await;
    let lines = "source SCRIPT\ncomplete -C 'rocade -C ROOT plan poo'\ncomplete -C 'rocade secrets rem'\n\
                 complete -C 'rocade comple'";
    let Some(shown) = in_shell(&place, "fish", &["--no-config"], lines) else { return };
    let names: Vec<&str> = shown.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(names, ["pool-gw", "remove", "completions"], "{shown}");
}
