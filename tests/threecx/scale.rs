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
    pbx(&place).populate(2000, 1000);
    place.forget_requests();
    let begun = std::time::Instant::now();
    assert_eq!(planned(&place), [""; 0]);
    eprintln!("1,000 extensions more, planned in {:.2} s", begun.elapsed().as_secs_f32());
    let pages = |users: usize| users / 100 + 1;
    assert_eq!(requests(&place) - few, pages(users + 1000) - pages(users));
    place.edit(crate::FILE, "last_name: Example", "last_name: Sample");
    place.rocade(&["apply", "head-office", "--yes"]).ended(0);
    assert_eq!(writes(&place).len(), 1);
}
