//! Targets parted into waves, and how many of them may fail. Pure.

use crate::inventory::playbook::{Size, Waves};
use crate::model::Target;

/// Parts targets into waves of these sizes; the last size holds for all further waves. Without sizes there is one.
pub fn waves(targets: &[Target], sizes: Option<&Waves>) -> Vec<Vec<Target>> {
    let sizes = sizes.map_or(&[][..], |waves| waves.0.as_slice());
    let mut left = targets;
    let mut parted = Vec::new();
    while !left.is_empty() {
        let size = sizes.get(parted.len()).or(sizes.last()).unwrap_or(&Size::Rest);
        let number = match size {
            Size::Count(number) => usize::try_from(*number).unwrap_or(usize::MAX),
            Size::Percent(share) => share_of(*share, targets.len(), true),
            Size::Rest => left.len(),
        };
        let (wave, rest) = left.split_at(number.clamp(1, left.len()));
        parted.push(wave.to_vec());
        left = rest;
    }
    parted
}

/// How many of so many targets may fail.
pub fn allowed(size: Option<Size>, total: usize) -> usize {
    match size {
        None => 0,
        Some(Size::Count(number)) => usize::try_from(number).unwrap_or(usize::MAX),
        Some(Size::Percent(share)) => share_of(share, total, false),
        Some(Size::Rest) => total,
    }
}

/// So many of a hundred: a wave is rounded up, what may fail is rounded down.
fn share_of(share: u32, total: usize, up: bool) -> usize {
    let product = total.saturating_mul(usize::try_from(share).unwrap_or(100));
    if up { product.div_ceil(100) } else { product / 100 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(total: usize, sizes: &[Size]) -> Vec<usize> {
        let targets: Vec<Target> = (0..total).map(|n| Target::new("gateway", format!("gw-{n}"))).collect();
        let parted = waves(&targets, Some(&Waves(sizes.to_vec())));
        assert_eq!(parted.concat(), targets, "each once, in order");
        parted.iter().map(Vec::len).collect()
    }

    #[test]
    fn the_last_size_holds_for_all_further_waves() {
        assert_eq!(sizes(7, &[Size::Count(3)]), [3, 3, 1]);
        assert_eq!(sizes(50, &[Size::Count(1), Size::Percent(10), Size::Rest]), [1, 5, 44]);
        assert_eq!(sizes(11, &[Size::Percent(30)]), [4, 4, 3]);
        assert_eq!(sizes(3, &[Size::Percent(1)]), [1, 1, 1]);
        assert_eq!(sizes(0, &[Size::Count(1)]), [0usize; 0]);
        assert_eq!(waves(&[Target::new("host", "a"), Target::new("host", "b")], None).len(), 1);
    }

    #[test]
    fn what_may_fail_is_rounded_down() {
        assert_eq!(allowed(None, 50), 0);
        assert_eq!(allowed(Some(Size::Percent(5)), 50), 2);
        assert_eq!(allowed(Some(Size::Percent(5)), 19), 0);
        assert_eq!(allowed(Some(Size::Count(3)), 2), 3);
    }
}
