//! Pictures are judged by a real browser: it shows every box with its text inside, nothing on anything else.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::place::Place;

const BROWSER: &str = "chromium-headless-shell";
/// Puts the picture into a page, measures what is shown and writes that into the page.
const PAGE: &str = r#"<!DOCTYPE html><meta charset="utf-8"><body><script>
const parsed = new DOMParser().parseFromString(PICTURE, 'image/svg+xml');
const svg = document.importNode(parsed.documentElement, true);
document.body.replaceChildren(svg);
const place = one => { const b = one.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
const inside = (a, b) => a[0] >= b[0] - 1 && a[1] >= b[1] - 1 && a[2] <= b[2] + 1 && a[3] <= b[3] + 1;
const apart = (a, b) => a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
const faults = [], shown = [], boxes = [...svg.querySelectorAll('rect.box')];
for (const text of svg.querySelectorAll('text')) {
  const own = place(text);
  shown.push(text.textContent);
  if (own[2] - own[0] < 3 || own[3] - own[1] < 3) faults.push('not shown: ' + text.textContent);
  if (!inside(own, place(text.parentNode.querySelector('rect')))) faults.push('outside: ' + text.textContent);
}
for (const [at, box] of boxes.entries()) {
  if (!inside(place(box), place(svg))) faults.push('out of the picture: ' + box.parentNode.textContent);
  for (const other of boxes.slice(at + 1))
    if (!apart(place(box), place(other))) faults.push('covered: ' + box.parentNode.textContent);
}
const scripts = svg.querySelectorAll('script,foreignObject,image,a,use').length;
const result = document.createElement('pre');
result.textContent = JSON.stringify({root: parsed.documentElement.tagName, faults, shown, scripts,
  boxes: boxes.length, lines: svg.querySelectorAll('path.line').length, title: document.title});
document.body.replaceChildren(result);
</script>"#;

fn is_installed() -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {BROWSER}")]).output().unwrap();
    if !found.status.success() {
        eprintln!("skipped: {BROWSER} is not installed");
    }
    found.status.success()
}

/// What a browser's page holds in the end.
fn browse(place: &Place, file: &str) -> String {
    let profile = format!("--user-data-dir={}", place.file(".rocade/browser").display());
    let page = format!("file://{}", place.file(file).display());
    let words = ["--no-sandbox", "--disable-gpu", &profile, "--dump-dom", &page];
    let output = Command::new(BROWSER).args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a browser shows of a picture.
fn shown(place: &Place, picture: &str) -> Value {
    let quoted = serde_json::to_string(picture).unwrap().replace("</", "<\\/");
    fs::write(place.file("page.html"), PAGE.replace("PICTURE", &quoted)).unwrap();
    let page = browse(place, "page.html");
    let result = page.split_once("<pre>").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (result, _) = result.unwrap_or_else(|| panic!("the page's program did not end:\n{page}"));
    let plain = result.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&plain).unwrap()
}

#[track_caller]
fn holds(shown: &Value, words: &[&str]) {
    assert_eq!(shown["root"], "svg", "{shown:#}");
    assert_eq!((&shown["faults"], &shown["scripts"]), (&Value::Array(Vec::new()), &0.into()), "{shown:#}");
    let texts: Vec<&str> = shown["shown"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for word in words {
        assert!(texts.contains(word), "{word}: {texts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_the_way_of_calls_and_of_readings() {
    if !is_installed() {
        return;
    }
    let place = Place::whole().await;
    // What somebody writes in a title must stay text.
    let hostile = "title: '</text><script>document.title=1</script>&\"'";
    place.edit("head-office.yaml", "title: Waiting room", hostile);
    let calls = place.rocade(&["graph", "head-office", "--format", "svg"]).ended(0).out;
    let calls = shown(&place, &calls);
    let cut_off = "850 </text><script>document.title=1</script>…";
    holds(&calls, &["900 Welcome", "no answer", "+33123456700", "mailbox of 190", cut_off]);
    // Six rules, four people, two groups, a queue, two menus, two mailboxes.
    assert_eq!((&calls["boxes"], &calls["title"]), (&17.into(), &"".into()));
    let picture = place.rocade(&["graph", "--format", "svg"]).ended(0).out;
    let readings = shown(&place, &picture);
    holds(&readings, &["pool-hall", "pool-gw", "main", "signage", "Lab IoT Root", "LoRaWAN EU868"]);
    // The file itself, opened as it is.
    fs::write(place.file("readings.svg"), picture).unwrap();
    let page = browse(&place, "readings.svg");
    assert!(page.contains("<svg ") && page.contains(">pool-hall</text>"), "{page}");
}
