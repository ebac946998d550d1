//! A large PBX: reading takes as many requests as there are pages, and a few; one change is one write.

use crate::{office, pbx, planned, writes};

fn requests(place: &crate::place::Place) -> usize {
    place.device("head-office").log().entries().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_grow_by_the_pages_alone() {
    let place = office().await;
    assert_eq!(planned(&place), [""; 0]);
    let few = requests(&place);
    let users = pbx(&place).count("Users");
    // The same with more is asked for by hand: `ROCADE_EXTENSIONS=10000`.
    let more: u32 = std::env::var("ROCADE_EXTENSIONS").map_or(1000, |number| number.parse().unwrap());
    pbx(&place).populate(20_000, more);
    place.forget_requests();
    let begun = std::time::Instant::now();
    assert_eq!(planned(&place), [""; 0]);
    eprintln!("{more} extensions more, planned in {:.2} s", begun.elapsed().as_secs_f32());
    let pages = |users: usize| users / 100 + 1;
    assert_eq!(requests(&place) - few, pages(users + more as usize) - pages(users));
    one_change_among_them(&place, requests(&place));
}

/// One extension of the many gets another name. Besides the backup that is what the plan before and the plan after
/// read with one token, the extension again right before its write, and the write.
fn one_change_among_them(place: &crate::place::Place, plan: usize) {
    place.edit(crate::FILE, "      \"104\":\n", "      \"20500\": {first_name: Zoe}\n      \"104\":\n");
    place.forget_requests();
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    let writes = writes(place);
    assert!(writes.len() == 1 && writes[0].starts_with("PATCH Users("), "{writes:?}");
    let log = place.device("head-office").log().entries();
    let others = log.iter().filter(|entry| !entry.what.contains("/Backups"));
    assert_eq!(others.count(), 2 * plan - 1 + 2);
    assert_eq!(log.iter().filter(|entry| entry.what.starts_with("GET /xapi/v1/Users(")).count(), 1);
}
