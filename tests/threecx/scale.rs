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
    place.edit(crate::FILE, "last_name: Example", "last_name: Sample");
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(writes(&place).len(), 1);
}
