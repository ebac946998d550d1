//! The story every kind of device must live through, told by the real program to simulated devices: wished,
//! applied, found as wished, changed, removed, broken in every place. Nothing here looks inside rocade.

mod faults;
mod fleet;
mod keeping;
mod kill;
mod killed;
mod kinds;
mod many;
mod place;
mod poison;
mod reads;
mod sbc;
mod trust;
