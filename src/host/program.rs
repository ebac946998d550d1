//! The host program as it is sent: the parts of `program/` as one text, without comments and indentation.

use std::sync::LazyLock;

const PARTS: [&str; 11] = [
    include_str!("program/words.sh"),
    include_str!("program/places.sh"),
    include_str!("program/system.sh"),
    include_str!("program/web.sh"),
    include_str!("program/services.sh"),
    include_str!("program/store.sh"),
    include_str!("program/orders.sh"),
    include_str!("program/keep.sh"),
    include_str!("program/boot.sh"),
    include_str!("program/lock.sh"),
    include_str!("program/main.sh"),
];

static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    let lines = PARTS.iter().flat_map(|part| part.lines()).map(str::trim_start);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect()
});

/// The program the far end runs, as `sh -c PROGRAM rocade-host ask|order ROOT`.
pub fn program() -> &'static str {
    &PROGRAM
}
