//! How many calls at the same time a traffic needs: Erlang B, which takes calls that find no channel for lost.

/// The share of calls that find all channels taken, for a traffic in Erlangs (minutes of calls a minute). By the
/// recurrence, which neither overflows nor cancels.
pub fn blocking(traffic: f64, channels: u32) -> f64 {
    if traffic <= 0.0 {
        return if channels == 0 { 1.0 } else { 0.0 };
    }
    (1..=channels).map(f64::from).fold(1.0, |blocked, n| traffic * blocked / (n + traffic * blocked))
}

/// The fewest channels that block no more than this share of calls; `None` when more than 100 000 were needed.
pub fn channels(traffic: f64, most_blocked: f64) -> Option<u32> {
    let mut blocked = 1.0;
    for n in 0..=100_000_u32 {
        if n > 0 {
            blocked =
                if traffic > 0.0 { traffic * blocked / (f64::from(n) + traffic * blocked) } else { 0.0 };
        }
        if blocked <= most_blocked || traffic <= 0.0 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Traffic that so many channels carry at this blocking, as the tables of Erlang B print it (among others
    /// ITU-D SG 2/16, Teletraffic Engineering Handbook; Angus, An Introduction to Erlang B and Erlang C).
    const TABLE: [(u32, f64, f64); 19] = [
        (1, 0.01, 0.0101),
        (2, 0.01, 0.153),
        (3, 0.01, 0.455),
        (4, 0.01, 0.869),
        (5, 0.01, 1.36),
        (10, 0.01, 4.46),
        (15, 0.01, 8.11),
        (20, 0.01, 12.0),
        (30, 0.01, 20.3),
        (50, 0.01, 37.9),
        (100, 0.01, 84.1),
        (5, 0.001, 0.762),
        (10, 0.001, 3.09),
        (20, 0.001, 9.41),
        (10, 0.02, 5.08),
        (20, 0.02, 13.2),
        (30, 0.02, 21.9),
        (10, 0.05, 6.22),
        (20, 0.05, 15.2),
    ];

    #[test]
    fn it_says_what_the_printed_tables_say() {
        for (lines, share, traffic) in TABLE {
            // Printed with three digits: the true traffic lies within half of the last.
            let unit = 10_f64.powf(traffic.log10().floor() - 2.0) / 2.0;
            let (below, above) = (blocking(traffic - unit, lines), blocking(traffic + unit, lines));
            assert!(below <= share && share <= above, "{lines} at {share}: {below} to {above}");
            // That much traffic needs exactly so many, a little less blocking allowed than printed.
            assert_eq!(channels(traffic - unit, share), Some(lines), "{lines} at {share}");
        }
    }

    #[test]
    fn its_ends_are_right() {
        assert!((blocking(10.0, 0) - 1.0).abs() < f64::EPSILON);
        assert_eq!(channels(0.0, 0.01), Some(0));
        assert!((blocking(1.0, 1) - 0.5).abs() < 1e-12, "one line, one Erlang: half of the calls");
        assert!(blocking(1000.0, 1000) > 0.0 && blocking(1000.0, 1000) < 0.03, "no overflow");
        assert_eq!(channels(1e9, 0.01), None);
    }
}
