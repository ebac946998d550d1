//! What was changed by hand is told from what changed in git; who applied what stands in the audit. The
//! repository is a real one of git, the devices are simulated.

use std::process::Command;

use serde_json::Value;

use crate::place::Place;

fn git(place: &Place, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", place.root());
    let output = command.arg("-C").arg(place.root()).args(words).output().unwrap();
    assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(place: &Place) -> String {
    git(place, &["add", "--all"]);
    git(place, &["commit", "--quiet", "--message", "a change"]);
    git(place, &["rev-parse", "HEAD"])
}

/// A committed repository of which everything is applied, and its commit.
async fn applied() -> (Place, String) {
    let place = Place::new().await;
    std::fs::write(place.file(".gitignore"), ".rocade/\npage.html\n").unwrap();
    git(&place, &["init", "--quiet"]);
    git(&place, &["config", "user.name", "Ada Lovelace"]);
    git(&place, &["config", "user.email", "ada@example.com"]);
    commit(&place);
    place.rocade(&["apply", "--yes"]).ended(0);
    // What the first apply made (certificates, passwords) is committed; the second stands on a commit that has it.
    commit(&place);
    another_client(&place, "history");
    let id = commit(&place);
    place.rocade(&["apply", "--yes"]).ended(0);
    commit(&place);
    place.forget_requests();
    (place, id)
}

fn another_client(place: &Place, name: &str) {
    place.set_secret(&format!("brokers/main/{name}"), "a third password");
    let line = format!("      {name}: {{password: {{secret: brokers/main/{name}}}, read: [\"sites/#\"]}}\n");
    place.edit("brokers.yaml", "      signage: {", &format!("{line}      signage: {{"));
}

const CONF: &str = "/etc/mosquitto/conf.d/rocade.conf";

fn causes(drift: &Value) -> Vec<String> {
    let line = |one: &Value| {
        let key = &one["address"]["key"];
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {} {}", word(&one["cause"]), word(&key["collection"]), word(&key["name"]))
    };
    drift["drift"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn by_hand_and_in_git_are_told_apart() {
    let (place, id) = applied().await;
    let ran = place.rocade(&["drift"]).ended(0);
    assert!(ran.out.contains("no changes"), "{}", ran.out);
    assert_eq!(place.writes(), [""; 0]);
    // By hand alone.
    place.put("main", CONF, "# by hand\n");
    let drift = place.rocade(&["drift", "--json"]).ended(2).json();
    let told = causes(&drift);
    assert_eq!(told, [format!("hand file {CONF}"), "hand service mosquitto".to_owned()], "{drift:#}");
    let broker = drift["targets"].as_array().unwrap().iter().find(|one| one["target"]["name"] == "main");
    assert_eq!(broker.unwrap()["commit"], id.as_str());
    // In git as well, in another file, not yet committed.
    another_client(&place, "archive");
    let drift = place.rocade(&["drift", "--json"]).ended(2).json();
    let causes = causes(&drift);
    assert!(causes.contains(&format!("hand file {CONF}")), "{causes:?}");
    assert!(causes.iter().any(|cause| cause.starts_with("git ")), "{causes:?}");
    assert!(!causes.iter().any(|cause| cause.starts_with("unknown")), "{causes:?}");
    // Plan says so too, apart.
    let plan = place.rocade(&["plan"]).ended(0).out;
    let [hand, git] = ["changed by hand since", "changed in git since"]
        .map(|words| plan.find(&format!("{words} {}", &id[..12])).unwrap_or_else(|| panic!("{plan}")));
    assert!(hand < git, "{plan}");
    assert!(plan.contains("Since the last apply: "), "{plan}");
    // What changed in git alone is no matter of --by-hand.
    commit(&place);
    place.rocade(&["apply", "--yes"]).ended(0);
    place.edit("brokers.yaml", "signage: {", "signboard: {");
    place.rocade(&["drift"]).ended(2);
    place.rocade(&["drift", "--by-hand"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_is_not_guessed() {
    let (place, _) = applied().await;
    place.put("main", CONF, "# by hand\n");
    let unknown = |said: &str| {
        let ran = place.rocade(&["drift", "main"]).ended(2);
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
        assert!(!ran.out.contains("changed by hand since"), "{}", ran.out);
    };
    // A later apply from files that no commit has.
    another_client(&place, "archive");
    place.rocade(&["apply", "main", "--yes"]).ended(0);
    place.put("main", CONF, "# by hand\n");
    unknown("from files that no commit has");
    // One that did not come to its end, and was not put back.
    commit(&place);
    another_client(&place, "museum");
    commit(&place);
    let knobs = "fail-order=6".parse::<rocade::lab::Knobs>().unwrap();
    place.device("main").knobs().set(|own| *own = knobs);
    assert_ne!(place.rocade(&["apply", "main", "--yes", "--no-rollback"]).code, 0);
    place.device("main").knobs().set(|own| *own = rocade::lab::Knobs::default());
    unknown("left no commit there");
    // A commit that this copy does not have.
    place.rocade(&["apply", "main", "--yes"]).ended(0);
    place.put("main", CONF, "# by hand\n");
    let forget = |state: &mut rocade::lab::State| {
        let mark = state.files.text("/var/lib/rocade/applied").unwrap();
        let at = mark.find("\"commit\":\"").unwrap() + 10;
        let other = format!("{}{}{}", &mark[..at], "0123456789".repeat(4), &mark[at + 40..]);
        state.files.put("/var/lib/rocade/applied", other.into(), 0o644, "root", "root").unwrap();
    };
    place.device("main").with_state(forget);
    another_client(&place, "gallery");
    unknown("git has not got commit 012345678901");
    // Without a mark the audit tells; without an audit nobody does.
    let unmark = |state: &mut rocade::lab::State| state.files.remove("/var/lib/rocade/applied").map(|_| ());
    place.device("main").with_state(unmark).unwrap();
    let ran = place.rocade(&["drift", "main"]).ended(2);
    assert!(ran.out.contains("changed by hand since"), "{}", ran.out);
    std::fs::remove_dir_all(place.file("audit")).unwrap();
    unknown("no apply of it is on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_on_record_and_leaves_the_earlier_state() {
    let (place, _) = applied().await;
    place.put("pool-gw", "/var/config/rocade/relay/old.py", "print('old')\n");
    let ran = place.rocade(&["apply", "--yes"]).ended(0);
    let name = ran.err.rsplit("--to ").next().unwrap().trim().to_owned();
    let back = place.rocade(&["rollback", "--to", &name, "--yes", "pool-gw"]).ended(0);
    assert!(!back.out.contains("/var/lib/rocade/applied"), "{}", back.out);
    let ran = place.rocade(&["history", "pool-gw"]).ended(0);
    assert!(ran.out.lines().last().unwrap().contains("rollback"), "{}", ran.out);
    let ran = place.rocade(&["drift", "pool-gw"]).ended(2);
    assert!(ran.out.contains("it was written since by rocade-"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_tells_who_when_and_from_what() {
    let (place, id) = applied().await;
    let runs = place.rocade(&["history", "--json"]).ended(0).json();
    let runs = runs["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2, "{runs:#?}");
    let last = &runs[1];
    assert_eq!((&last["verb"], &last["by"]), (&"apply".into(), &"Ada Lovelace".into()));
    assert_eq!((&last["commit"], &last["dirty"]), (&id.as_str().into(), &false.into()));
    assert_eq!((&last["result"], &last["exit"]), (&"done".into(), &0.into()));
    assert_eq!(last["targets"]["broker main"]["changes"], last["targets"]["broker main"]["done"]);
    let shown = place.rocade(&["history"]).ended(0).out;
    assert_eq!(shown.lines().count(), 2, "{shown}");
    assert!(shown.contains(&id[..12]) && shown.contains("Ada Lovelace"), "{shown}");
    assert_eq!(place.rocade(&["history", "nobody"]).ended(0).out, "");
    let [named, whole] =
        ["main", "broker/main"].map(|name| place.rocade(&["history", name, "--last", "1"]).ended(0).out);
    assert!(named.contains(" on broker main") && named == whole, "{named}{whole}");
    // A plan, a refusal and an apply with nothing to do are no runs that wrote.
    place.rocade(&["plan"]).ended(0);
    place.rocade(&["apply", "--yes"]).ended(0);
    another_client(&place, "archive");
    place.rocade(&["apply"]).ended(6);
    assert_eq!(place.rocade(&["history"]).ended(0).out, shown);
    // An audit that cannot be written is said, and changes nothing of how it ended.
    std::fs::remove_dir_all(place.file("audit")).unwrap();
    std::fs::write(place.file("audit"), "in the way").unwrap();
    let ran = place.rocade(&["apply", "--yes"]).ended(0);
    assert!(ran.err.contains("not in the audit"), "{}", ran.err);
}
