//! The hand-over file: a reader of QR codes reads its labels, a real browser prints it, and it holds no secret.

use std::process::Command;

use crate::place::Place;

const BROWSER: &str = "chromium-headless-shell";

/// The texts of the codes of a page, as a camera would read them: each drawn from its path, eight pixels a module.
fn codes(page: &str) -> Vec<String> {
    let path = |rest: &str| rest.split('"').next().unwrap().to_owned();
    let codes = page.split("shape-rendering=\"crispEdges\"").skip(1);
    codes.map(|code| read(&path(code.split_once("<path d=\"").unwrap().1))).collect()
}

fn read(path: &str) -> String {
    let mut dark = std::collections::BTreeSet::new();
    for run in path.split('M').skip(1) {
        let (from, rest) = run.split_once('h').unwrap();
        let (column, row) = from.split_once(' ').unwrap();
        let length: usize = rest.split('v').next().unwrap().parse().unwrap();
        let (column, row): (usize, usize) = (column.parse().unwrap(), row.parse().unwrap());
        (column..column + length).for_each(|column| {
            dark.insert((column, row));
        });
    }
    let size = dark.iter().map(|(column, _)| column + 1).max().unwrap();
    let (scale, quiet) = (8, 4);
    let pixel = |x: usize, y: usize| {
        let module = |at: usize| (at / scale).checked_sub(quiet);
        let is_dark = module(x).zip(module(y)).is_some_and(|place| dark.contains(&place));
        if is_dark { 0 } else { 255 }
    };
    let side = (size + 2 * quiet) * scale;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, pixel);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code in {path}");
    grids[0].decode().unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_read_as_tr005_has_them() {
    let place = Place::applied().await;
    let ran = place.rocade(&["dossier", "pool", "--out", &place.file("pool.html").display().to_string()]);
    assert_eq!(ran.ended(0).out, "");
    let page = std::fs::read_to_string(place.file("pool.html")).unwrap();
    assert_eq!(
        codes(&page),
        [
            "LW:D0:0018B24441524632:0018B21000004A30:00100000",
            "LW:D0:0018B24441524632:0018B21000004A2F:00100000",
        ]
    );
    // Equipment, certificates with their dates, topics.
    for word in ["Indoor pool", "MultiTech Conduit", "sites/pool/hall", "Lab IoT Root", "relay pool-gw"] {
        assert!(page.contains(word), "{word}");
    }
    let root = rocade::pki::root_certificate(place.root()).unwrap().unwrap();
    assert!(page.contains(&root.not_after.strftime("%Y-%m-%d").to_string()), "{}", root.not_after);
    // Nothing from outside, no program.
    for word in ["<script", "<link", "src=", "@import", "url(h"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.split("href=\"").skip(1).all(|link| link.starts_with('#')));
    let ran = place.rocade(&["dossier", "nowhere"]).ended(1);
    assert!(ran.err.contains("it has: pool"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephone_system_is_handed_over_in_french_too() {
    let place = Place::whole().await;
    // What somebody writes in a name must stay text.
    place.edit("head-office.yaml", "title: Waiting room", "title: '<script>alert(1)</script>'");
    let file = place.file("office.html").display().to_string();
    place.rocade(&["dossier", "head-office", "--lang", "fr", "--out", &file]).ended(0);
    let page = std::fs::read_to_string(&file).unwrap();
    for word in ["Annuaire", "Ada Example", "Voir et appeler", "80:5e:c0:00:00:01", "mon-thu 09:00-12:00"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "what was written stays text");
    let found = Command::new("sh").args(["-c", &format!("command -v {BROWSER}")]).output().unwrap();
    if !found.status.success() {
        eprintln!("skipped: {BROWSER} is not installed");
        return;
    }
    let pdf = place.file("office.pdf");
    let profile = format!("--user-data-dir={}", place.file(".rocade/browser").display());
    let print = format!("--print-to-pdf={}", pdf.display());
    let words = ["--no-sandbox", "--disable-gpu", &profile, "--no-pdf-header-footer", &print];
    let output = Command::new(BROWSER).args(words).arg(format!("file://{file}")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pdf = std::fs::read(pdf).unwrap();
    let pdf = String::from_utf8_lossy(&pdf);
    // Cover, the system, its calls on a page across, the sheets of keys.
    let pages = pdf.matches("/MediaBox").count();
    assert!(pdf.starts_with("%PDF-") && pages == 4, "{pages} pages");
}
